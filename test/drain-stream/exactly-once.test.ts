// A drain against blocks that come again, overlap and come out of order.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { randomFrom, wholeBetween } from "../crash/random.ts";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

describe("a drain stores each line once", { skip: natsServerMissing }, () => {
  let bed: DrainBed;
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), 3);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("whatever comes again, with the same boundaries or others, and in whatever order", {
    timeout: 60_000,
  }, async () => {
    const random = randomFrom(7);
    const lanes = 6;
    const blocks: [lane: number, from: number, end: number][] = [];
    for (let lane = 0; lane < lanes; lane++)
      for (let from = 0; from < 600; ) {
        const end = from + 1 + wholeBetween(random, 0, 40);
        blocks.push([lane, from, end]);
        // again as it is, or from the middle of what came to the middle of what comes
        if (wholeBetween(random, 0, 2) === 0) blocks.push([lane, from, end]);
        if (wholeBetween(random, 0, 2) === 0)
          blocks.push([
            lane,
            Math.max(0, from - wholeBetween(random, 0, 50)),
            end + wholeBetween(random, 0, 20),
          ]);
        from = end;
      }
    for (let at = blocks.length - 1; at > 0; at--) {
      const other = Math.max(0, at - wholeBetween(random, 0, 12));
      [blocks[at], blocks[other]] = [blocks[other]!, blocks[at]!];
    }
    const half = blocks.length >> 1;
    for (const block of blocks.slice(0, half)) await bed.publish(...block);
    const drain = await bed.drain();
    for (const block of blocks.slice(half)) await bed.publish(...block);
    await bed.emptied();
    bed.assertOnce();
    assert.deepEqual(await drain.stop(), { code: 0, signal: null }, drain.error);
    bed.assertOnce();
  });
});
