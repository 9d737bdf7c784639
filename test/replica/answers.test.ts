// What level `replicated` promises a client, beside the other levels and where there is no stream.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { storedMetrics } from "../support/log-files.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { exchange, RawConnection } from "../support/raw-client.ts";
import { batch, get, post, readStats } from "../support/requests.ts";
import { eventually, type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { closeBeds, StreamReader } from "./replica-bed.ts";
import {
  assertStored,
  put,
  REPLICATED,
  replicating,
  storedCursor,
  storeMany,
  timesTold,
} from "./replicating-server.ts";

let steady: NatsNode;
let reader: StreamReader;

before(async () => {
  if (natsServerMissing !== false) return;
  steady = await startNatsServer();
  reader = await StreamReader.open({ servers: steady.url });
});
after(async () => {
  await closeBeds();
  await stopServers();
  await stopNatsServers();
});

const SECRET = "hunter2hunter2";

describe("a server that replicates", { skip: natsServerMissing }, () => {
  let server: ServerProcess;
  before(async () => {
    if (natsServerMissing !== false) return;
    const flags = [...replicating(steady.url, "answers"), "--nats-user", "ann"];
    server = await startServer(flags, { environment: { TIDEMARK_NATS_PASSWORD: SECRET } });
    await eventually("it flows", async () => (await put(server, "first", REPLICATED)).status === 200);
  });

  test("answers replicated when the stream has the batch, and says so", async () => {
    const answer = await put(server, "second", REPLICATED);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("preference-applied"), "ack=replicated");
    assert.ok((await reader.metrics("answers")).has("second"));
  });

  test("answers requests of any levels on one connection in their order", async () => {
    const levels = ["replicated", "written", "synced", "replicated", "written"];
    const connection = await RawConnection.open(server.port);
    const requests = levels.map((level, at) => {
      const metrics = Array.from({ length: at + 1 }, () => ({ name: `pipelined.${at}`, value: at }));
      return post(batch(metrics), { Prefer: `ack=${level}` });
    });
    connection.send(Buffer.concat(requests));
    for (const [at, level] of levels.entries()) {
      const answer = await connection.answer();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("preference-applied"), `ack=${level}`);
      assert.match(answer.body, new RegExp(`\\b${at + 1}\\b`), "as many as that request brought");
    }
    connection.close();
  });

  test("shows its password to nobody", async () => {
    const stats = await exchange(server.port, get("/stats"));
    assert.match(stats.body, /"replicate"/);
    for (const text of [stats.body, server.out, server.error]) assert.doesNotMatch(text, /hunter2/);
  });

  test("told to end, it brings the last lines into the stream and stores how far it is", async () => {
    await assertStored(server, "last");
    const exit = await server.stop();
    assert.deepEqual(exit, { code: 0, signal: null });
    const lines = storedMetrics(server.data);
    const { fresh, late } = storedCursor(server.data);
    assert.deepEqual([fresh, late], [lines.length, []]);
    const metrics = await reader.metrics("answers");
    assert.deepEqual(
      lines.filter(({ name }) => !metrics.has(name)),
      [],
    );
  });
});

describe("a server that does not replicate", () => {
  test("answers who asks for it that synced is what there is, and warns of a follower of before", {
    skip: natsServerMissing,
  }, async () => {
    const before = await startServer(replicating(steady.url, "before"));
    await assertStored(before, "one");
    await before.stop();
    const server = await startServer(["--threads", "1"], { data: before.data });
    const answer = await put(server, "two", REPLICATED);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("preference-applied"), "ack=synced");
    const warning = "a follower of the log is not running in this server";
    await eventually("it is warned of", () => timesTold(server, warning) === 1);
    await server.stop();
  });

  test("keeps to its retention as ever", async () => {
    const flags = [
      "--threads",
      "1",
      "--rate-limit",
      "0",
      "--segment-size",
      "64KiB",
      "--retention-size",
      "1MiB",
    ];
    const server = await startServer(flags);
    for (let at = 0; at < 40; at++) await storeMany(server, at);
    await eventually("the oldest is deleted", async () => {
      const { log } = await readStats(server.port);
      return log.bytes < 1.3 * 1024 ** 2 && timesTold(server, "segments past their retention deleted") > 0;
    });
    assert.equal((await readStats(server.port)).accounting.rejected.log_full, 0);
    await server.stop();
  });
});
