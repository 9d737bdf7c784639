// A disk that is full: the drain waits, says so once, and stores each line once when there is room.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { SmallDisk } from "../disk/small-disk.ts";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { eventually, type ServerProcess, stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

const MIB = 1024 * 1024;
const canMount = spawnSync("unshare", ["-m", "true"]).status === 0;

function times(drain: ServerProcess, text: string): number {
  return drain.error.split(text).length - 1;
}

describe("a drain waits", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let bed: DrainBed;
  before(async () => {
    bed = await DrainBed.open(await startNatsServer(), 2);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("while its disk is full, tells it once, and stores all when there is room", {
    skip: canMount ? false : "mounting a file system is not allowed here",
  }, async () => {
    const disk = await SmallDisk.make(16 * MIB, "memory");
    const options = { data: disk.data, dataFromHere: disk.dataFromHere, wrapper: disk.wrapper };
    const drain = await bed.drain(options);
    await bed.publish(0, 1_000, 1_100);
    await bed.emptied();
    disk.fill();
    for (let from = 1_100; from < 3_000; from += 100) await bed.publish(from % 2, from, from + 100);
    await eventually("it says that the disk is full", () => times(drain, "the disk takes no more") > 0);
    disk.free();
    await bed.emptied();
    bed.assertOnce();
    const told = times(drain, "the disk takes no more");
    assert.ok(told <= 2, `once for each partition: ${drain.error}`);
    await eventually("it says that it is over", () => times(drain, "the disk takes blocks again") === told);
    disk.fill();
    for (let from = 3_000; from < 4_000; from += 100) await bed.publish(from % 2, from, from + 100);
    await eventually("it is full again", () => times(drain, "the disk takes no more") > told);
    assert.deepEqual(await drain.stop(), { code: 0, signal: null }, drain.error);
    disk.free();
    const again = await bed.drain(options);
    await bed.emptied();
    bed.assertOnce();
    assert.equal((await again.stop()).code, 0, again.error);
    await disk.remove();
  });
});
