// A drain against its own sudden deaths.

import assert from "node:assert/strict";
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { segmentFiles } from "../support/log-files.ts";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { eventually, newDataFolder, stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

describe("a drain that is killed stores each line once", { skip: natsServerMissing }, () => {
  let bed: DrainBed;
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), 3);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("though it was in the middle of blocks, again and again", { timeout: 120_000 }, async () => {
    const data = newDataFolder();
    let next = 10_000;
    for (let life = 0; life < 3; life++) {
      const before = bed.bytesStored;
      const drain = await bed.drain({ data });
      for (let block = 0; block < 30; block++, next += 50) await bed.publish(block % 6, next, next + 50);
      await eventually("something is stored", () => bed.bytesStored > before);
      await drain.kill();
    }
    const last = await bed.drain({ data });
    await bed.emptied();
    bed.assertOnce();
    await last.stop();
    bed.assertOnce();
  });

  test("and not what it had written and not committed when it was killed", { timeout: 60_000 }, async () => {
    const data = newDataFolder();
    const drain = await bed.drain({ data });
    await bed.publish(0, 50_000, 50_100);
    await bed.emptied();
    await drain.kill();
    const { file } = segmentFiles(data).findLast(({ lane }) => lane === 0)!;
    appendFileSync(
      file,
      `{"ts":1,"name":"written, not committed","value":1,"type":"gauge","tags":{},"client":"web"}\n`,
    );
    const again = await bed.drain({ data });
    bed.assertOnce();
    assert.match(again.error, /lines that were not committed were cut off and put aside/);
    assert.equal(readdirSync(join(data, "lane-0", "quarantine")).length, 1);
    await again.stop();
  });
});
