// What a drain says where it cannot begin, and what it waits for where it can.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { streamConfig } from "../../src/replica/stream-settings.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually, newDataFolder, stopServers } from "../support/server-process.ts";
import { type DrainOptions, spawnDrain } from "./drain-bed.ts";

const USERS = `accounts {
  MAIN { jetstream: enabled, users: [
    { user: "drain", password: "s3cret-pass" },
    { user: "nobody", password: "x", permissions: { publish: "nothing", subscribe: ">" } }
  ] }
  BARE { users: [ { user: "bare", password: "x" } ] }
  SYS { users: [ { user: "sys", password: "x" } ] }
}
system_account: SYS`;

describe("a drain that cannot begin", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let node: NatsNode;
  before(async () => {
    node = await startNatsServer({ config: USERS });
  });
  after(async () => {
    await stopServers();
    await stopNatsServers();
  });

  /** As the drain's user, or another. */
  const url = (user = "drain:s3cret-pass") => `nats://${user}@${node.url.slice("nats://".length)}`;

  async function refused(
    servers: string,
    code: number,
    message: RegExp,
    options: DrainOptions = {},
  ): Promise<void> {
    const drain = spawnDrain(servers, options);
    assert.deepEqual(await drain.exited, { code, signal: null }, drain.error);
    assert.match(drain.error, message);
    assert.equal(drain.error.trim().split("\n").at(-1)!.startsWith("cannot "), true, drain.error);
    assert.doesNotMatch(drain.error, /s3cret|\n\s+at /);
    assert.equal(drain.out, "");
  }

  test("for its address says so", () => refused("nats://127.0.0.1:1", 1, /nothing listens there/));

  test("for its credentials says which flags give them", () =>
    refused(url("drain:s3cret-no"), 1, /does not take our credentials; try --nats-user/));

  test("for its permissions names the subjects", () =>
    refused(url("nobody:x"), 1, /our user may not; see its permissions for \$JS\.API/));

  test("for its flags exits with 2", async () => {
    await refused("http://a", 2, /cannot use --from .* because it is no address of NATS/);
    await refused(url(), 2, /cannot use --retention-size/, {
      flags: ["--retention-size", "1MiB", "--segment-size", "2MiB"],
    });
    await refused(url(), 2, /cannot use --segment-age/, { flags: ["--segment-age", "1"] });
  });

  test("for a folder that is a server's leaves it alone", async () => {
    const data = newDataFolder();
    mkdirSync(join(data, "lane-0"), { recursive: true });
    await refused(url(), 2, /holds a log that no drain has written; try an empty folder/, { data });
  });

  test("for a stream that is not of ours, or has other settings, says what to change", async () => {
    const connection = await connect({ servers: node.url, user: "drain", pass: "s3cret-pass" });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "foreign", subjects: ["orders.>"] });
    const config = streamConfig({ stream: "limits", replicas: 1, partitions: 2, bytesMax: 0, ageMsMax: 0 });
    await manager.streams.add({ ...config, retention: "limits" });
    await refused(
      url(),
      1,
      /its subjects \(orders\.>\) are not those of tidemark serve --replicate; try another --stream/,
      { stream: "foreign" },
    );
    await refused(url(), 1, /its retention is limits instead of workqueue/, { stream: "limits" });
    await connection.close();
  });

  test("as there is no stream yet waits for it, says so once, and begins when it is made", async () => {
    const drain = spawnDrain(url(), { stream: "later" });
    await eventually("it says what it waits for", () => drain.error.includes("waits for the stream later"));
    const connection = await connect({ servers: node.url, user: "drain", pass: "s3cret-pass" });
    const manager = await jetstreamManager(connection);
    await manager.streams.add(
      streamConfig({ stream: "later", replicas: 1, partitions: 2, bytesMax: 0, ageMsMax: 0 }),
    );
    await eventually("it drains", () => drain.out.includes("tidemark drains later into "));
    await connection.close();
    assert.equal(drain.error.split("waits for the stream").length, 2);
    assert.equal((await drain.stop()).code, 0);
  });

  test("and is told to end ends with 0", async () => {
    const drain = spawnDrain(url(), { stream: "never" });
    await eventually("it waits", () => drain.error.includes("waits for the stream never"));
    assert.deepEqual(await drain.stop(), { code: 0, signal: null });
  });

  test("as its account has no JetStream says that", () =>
    refused(url("bare:x"), 1, /JetStream is not enabled for our account/));

  test("for a folder that another drain holds says who", async () => {
    const data = newDataFolder();
    const drain = spawnDrain(url(), { stream: "never", data });
    await eventually("it waits", () => drain.error.includes("waits for the stream never"));
    await refused(url(), 1, /a server holds it|process \d+ holds it/, { data });
    await drain.stop();
  });
});
