// Drains that share the partitions: who comes gets a share, who goes leaves it to the others, whether it says so or dies.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { type ServerProcess, stopServers } from "../support/server-process.ts";
import { DrainBed, STREAM } from "./drain-bed.ts";

const PARTITIONS = 4;
const LANES = 8;

describe("drains share the partitions", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let bed: DrainBed;
  let next = 0;
  const drains: ServerProcess[] = [];
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), PARTITIONS);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  /** Some lines for every lane, and the last of those before again. */
  async function publish(): Promise<void> {
    for (let lane = 0; lane < LANES; lane++) await bed.publish(lane, Math.max(0, next - 20), next + 100);
    next += 100;
  }

  async function consumersMade(): Promise<string[]> {
    const consumers = Array.from({ length: PARTITIONS }, (_, partition) =>
      bed.manager.consumers.info(STREAM, `drain-${partition}`),
    );
    return (await Promise.all(consumers)).map(({ created }) => created);
  }

  test("one alone has them all", async () => {
    await publish();
    drains.push(await bed.drain());
    await bed.shared(4);
    await bed.emptied();
    bed.assertOnce();
  });

  test("a second gets half of them, given up in good order", async () => {
    drains.push(await bed.drain());
    await publish();
    await bed.shared(2, 2);
    await publish();
    await bed.emptied();
    bed.assertOnce();
  });

  test("one that is told to end gives its partitions up, and the other drains them", async () => {
    assert.deepEqual(await drains[0]!.stop(), { code: 0, signal: null }, drains[0]!.error);
    assert.ok((await bed.owners()).includes(""), "they are free at once, or taken already");
    await publish();
    await bed.shared(4);
    await bed.emptied();
    bed.assertOnce();
  });

  test("one that is killed is found out, and the other takes over", async () => {
    drains.push(await bed.drain());
    const owners = await bed.shared(2, 2);
    await publish();
    await bed.emptied();
    const before = await consumersMade();
    await drains[1]!.kill();
    await publish();
    const [heir] = await bed.shared(4);
    await bed.emptied();
    assert.match(drains[2]!.error, /takes a partition over/);
    for (const [partition, made] of (await consumersMade()).entries())
      if (owners[partition] !== heir)
        assert.notEqual(made, before[partition], "what the dead one had been given is not waited for");
  });

  test("and with the killed one back on its store, nothing is there twice", async () => {
    drains.push(await bed.drain({ data: drains[1]!.data }));
    await bed.shared(2, 2);
    await publish();
    await bed.emptied();
    bed.assertOnce();
    for (const drain of drains)
      assert.deepEqual((await drain.stop()).signal, drain === drains[1] ? "SIGKILL" : null);
    bed.assertOnce();
  });
});
