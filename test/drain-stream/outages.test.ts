// A NATS server that goes away: the drain waits, says so once, and loses nothing.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually, type ServerProcess, stopServers } from "../support/server-process.ts";
import { DrainBed } from "./drain-bed.ts";

function times(drain: ServerProcess, text: string): number {
  return drain.error.split(text).length - 1;
}

describe("a drain waits", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let node: NatsNode;
  let bed: DrainBed;
  before(async () => {
    node = await startNatsServer();
    bed = await DrainBed.open(node, 2);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  test("while NATS is away, and goes on where it was", async () => {
    const drain = await bed.drain();
    await bed.publish(0, 0, 100);
    await bed.emptied();
    await node.restart();
    await eventually("it is back", () => times(drain, "NATS is back") === 1);
    await bed.publish(0, 50, 200);
    await bed.emptied();
    bed.assertOnce();
    assert.equal(times(drain, "because the connection was lost; blocks stay in the stream"), 1, drain.error);
    assert.equal((await drain.stop()).code, 0);
  });

  test("to end no longer than it may, though NATS is away", async () => {
    const drain = await bed.drain();
    await bed.shared(2);
    await node.kill();
    await eventually("it knows", () => drain.error.includes("the connection was lost"));
    assert.deepEqual(await drain.stop(), { code: 0, signal: null }, drain.error);
    await node.restart();
  });
});
