// The servers lose what a drain has committed: the record of a partition is an older one again, or none.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { natsServerMissing, startNatsServer, stopNatsServers } from "../support/nats-server.ts";
import { eventually, type ServerProcess, stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

const LANE = 0;

describe("a drain whose record has gone back", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let bed: DrainBed;
  let drain: ServerProcess;
  beforeEach(async () => {
    bed = await DrainBed.open(await startNatsServer(), 1);
    drain = await bed.drain();
    await bed.shared(1);
  });
  afterEach(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  /** It has the lines 0 to 200, and the record those to 100. */
  const commitsTwiceAndGoesBack = async () => {
    await bed.publish(LANE, 0, 100);
    await bed.emptied();
    const record = await bed.record(0);
    await bed.publish(LANE, 100, 200);
    await bed.emptied();
    await bed.rollBack(0, record);
  };
  const tellsIt = () =>
    eventually(
      "it tells that the record has gone back",
      () => drain.error.includes("the record of a partition has gone back"),
      60_000,
    );
  const stops = async () => assert.equal((await drain.stop()).code, 0, drain.error);

  test("to one of its own commits it again, and keeps what it has", async () => {
    await commitsTwiceAndGoesBack();
    await tellsIt();
    await eventually("it is committed again", async () => (await bed.record(0)).includes("[[0,200]]"));
    // as a node that had looked meanwhile sends it
    await bed.publish(LANE, 100, 250);
    await bed.emptied();
    await stops();
    bed.assertOnce();
  });

  test("to one of its own while it stores commits with the next block", async () => {
    await commitsTwiceAndGoesBack();
    await bed.publish(LANE, 200, 300);
    await bed.emptied();
    assert.ok((await bed.record(0)).includes("[[0,300]]"));
    await stops();
    bed.assertOnce();
  });

  test("to none at all makes it anew", async () => {
    await bed.publish(LANE, 0, 100);
    await bed.emptied();
    await bed.rollBack(0, null);
    await tellsIt();
    await eventually("it is there again", async () => (await bed.record(0)).includes("[[0,100]]"));
    await stops();
    bed.assertOnce();
  });

  test("to another's cuts its store back, and what comes again is there once", async () => {
    const record = JSON.stringify({
      version: 1,
      owner: "somebody",
      epoch: 0,
      commit: "before",
      lanes: {},
      stores: {},
    });
    await bed.publish(LANE, 0, 100);
    await bed.emptied();
    await bed.rollBack(0, record);
    await tellsIt();
    await eventually(
      "it has taken the partition anew",
      async () => !(await bed.record(0)).includes("somebody"),
      30_000,
    );
    await bed.publish(LANE, 0, 100);
    await bed.emptied();
    assert.ok((await bed.record(0)).includes("[[0,100]]"));
    await stops();
    bed.assertOnce();
  });
});
