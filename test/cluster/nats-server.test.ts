// The tests' own NATS servers: what the tests of replication rest on.
// ONCE: it tries the servers, and how a test starts and ends them.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import {
  natsServerMissing,
  startNatsCluster,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";

after(stopNatsServers);

describe("NATS servers for tests", { skip: natsServerMissing }, () => {
  test("one takes what its configuration says, and keeps its disk and port through a kill", async () => {
    const node = await startNatsServer({ config: 'authorization { user: "u", password: "p" }' });
    await assert.rejects(connect({ servers: node.url }));
    const connection = await connect({ servers: node.url, user: "u", pass: "p" });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "kept", subjects: ["kept.>"] });
    await jetstream(connection).publish("kept.one", "1");
    await connection.close();
    await node.restart();
    const again = await connect({ servers: node.url, user: "u", pass: "p" });
    const { state } = await (await jetstreamManager(again)).streams.info("kept");
    assert.equal(state.messages, 1);
    await again.close();
  });

  test("three keep a stream thrice, take more while one is down, and are ready when it has caught up", async () => {
    const cluster = await startNatsCluster(3);
    const connection = await connect({ servers: [...cluster.urls] });
    const manager = await jetstreamManager(connection);
    const info = await manager.streams.add({ name: "kept", subjects: ["kept.>"], num_replicas: 3 });
    const follower = cluster.nodes.find(({ name }) => name !== info.cluster?.leader)!;
    await follower.kill();
    await jetstream(connection).publish("kept.one", "1", { timeout: 10_000, retries: 5 });
    await follower.restart();
    await cluster.waitReady();
    const { state, cluster: peers } = await manager.streams.info("kept");
    assert.equal(state.messages, 1);
    assert.deepEqual(
      peers?.replicas?.map(({ current, offline }) => current && offline !== true),
      [true, true],
    );
    await connection.close();
  });
});
