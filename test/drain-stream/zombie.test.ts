// A drain that is paused until another has taken over, and wakes up believing that nothing has happened.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { eventually, stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

describe("a drain that was paused", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let bed: DrainBed;
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), 2);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("commits nothing of what another has taken, and nothing is there twice", async () => {
    const paused = await bed.drain();
    const [own] = await bed.shared(2);
    for (let from = 0; from < 2_000; from += 100)
      for (const lane of [0, 1]) await bed.publish(lane, from, from + 100);
    await eventually("it has stored something", () => bed.bytesStored > 0);
    paused.signal("SIGSTOP");
    for (let from = 2_000; from < 3_000; from += 100)
      for (const lane of [0, 1]) await bed.publish(lane, from, from + 100);
    const other = await bed.drain();
    await eventually(
      "the other has all partitions",
      async () => {
        const owners = new Set(await bed.owners());
        return owners.size === 1 && !owners.has(own!);
      },
      60_000,
    );
    await bed.emptied();
    paused.signal("SIGCONT");
    await eventually("it knows that it was taken for dead", () =>
      paused.error.includes("another drain has taken a partition"),
    );
    await bed.shared(1, 1);
    for (const lane of [0, 1]) await bed.publish(lane, 2_900, 3_100);
    await bed.emptied();
    bed.assertOnce();
    assert.equal((await paused.stop()).code, 0, paused.error);
    assert.equal((await other.stop()).code, 0, other.error);
    bed.assertOnce();
  });
});
