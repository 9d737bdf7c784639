// A server whose stream goes away and comes back, with nobody to help it.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { exchange } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import { eventually, type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

after(async () => {
  await stopServers();
  await stopNatsServers();
});

async function statusOf(server: ServerProcess): Promise<number> {
  return (await exchange(server.port, post(metric("away")))).status;
}

function start(nats: NatsNode): Promise<ServerProcess> {
  return startServer(["--ack", "replicated", "--replicate", nats.url, "--replicas", "1", "--node", "away"]);
}

describe("a server that promises replicated to everybody", { skip: natsServerMissing }, () => {
  test("refuses while the stream is away, and takes batches again when it is back, though none was waiting", async () => {
    const nats = await startNatsServer();
    const server = await start(nats);
    await eventually("it replicates", async () => (await statusOf(server)) === 200);
    await nats.kill();
    await eventually("it knows that the stream is away", async () => (await statusOf(server)) === 503);
    await nats.restart();
    await eventually("it replicates again", async () => (await statusOf(server)) === 200, 60_000);
  });

  test("comes to take batches where it was started before the cluster", async () => {
    const nats = await startNatsServer();
    await nats.kill();
    const server = await start(nats);
    assert.equal(await statusOf(server), 503);
    await nats.restart();
    await eventually("it replicates", async () => (await statusOf(server)) === 200, 60_000);
  });
});
