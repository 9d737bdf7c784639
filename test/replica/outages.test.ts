// An outage of the stream refuses nothing that does not ask for it, and loses nothing. Each test has a stream of its own.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { segmentFiles, storedMetrics } from "../support/log-files.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { errorOf, readStats } from "../support/requests.ts";
import { eventually, startServer, stopServers } from "../support/server-process.ts";
import { closeBeds, StreamReader } from "./replica-bed.ts";
import {
  assertInStream,
  assertStored,
  many,
  put,
  REPLICATED,
  replicating,
  storedCursor,
  storeMany,
  timesTold,
} from "./replicating-server.ts";

let shaky: NatsNode;

before(async () => {
  if (natsServerMissing !== false) return;
  shaky = await startNatsServer();
});
after(async () => {
  await closeBeds();
  await stopServers();
  await stopNatsServers();
});

describe("an outage of the stream", { skip: natsServerMissing }, () => {
  test("at the start is told once, refuses only what asks for the stream, and what came meanwhile is caught up", async () => {
    await shaky.kill();
    const names: string[] = [];
    let server = await startServer(replicating(shaky.url, "start"));
    for (let at = 0; at < 5; at++) {
      names.push(`away.${at}`);
      await assertStored(server, `away.${at}`);
    }
    const refused = await put(server, "refused", REPLICATED);
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.match(errorOf(refused), /^cannot promise replicated because the stream cannot be reached/);
    await eventually("it is told", () => timesTold(server, "because nothing listens there") > 0);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.equal(timesTold(server, "cannot reach NATS"), 1);

    server = await startServer(replicating(shaky.url, "start"), { data: server.data });
    await shaky.restart();
    await eventually("it flows", async () => (await put(server, "flows", REPLICATED)).status === 200);
    names.push("flows");
    const own = await StreamReader.open({ servers: shaky.url });
    await assertInStream(own, "start", names);

    await shaky.kill();
    await eventually("the loss is told", () => timesTold(server, "because the connection was lost") === 1);
    for (let at = 0; at < 5; at++) {
      names.push(`gone.${at}`);
      await assertStored(server, `gone.${at}`);
    }
    const { fresh, origin } = storedCursor(server.data);
    await server.kill();
    assert.deepEqual(storedCursor(server.data).fresh, fresh);
    await shaky.restart();
    server = await startServer(replicating(shaky.url, "start"), { data: server.data });
    await assertInStream(own, "start", names);
    assert.equal(storedCursor(server.data).origin, origin, "the numbers go on as the same folder's");
    await own.close();
    await server.stop();
  });

  test("that outlasts --retention-size refuses batches and deletes nothing, and is over by itself", async () => {
    await shaky.kill();
    const limits = ["--segment-size", "64KiB", "--retention-size", "1MiB"];
    const server = await startServer([...replicating(shaky.url, "full"), ...limits]);
    const stored: string[] = [];
    const refused = await eventually("the log is full", async () => {
      const answer = await storeMany(server, stored.length / 500);
      if (answer.status === 200) stored.push(...many(stored.length / 500));
      return answer.status === 200 ? undefined : answer;
    });
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.match(errorOf(refused), /the log has reached --retention-size/);
    assert.ok((await readStats(server.port)).accounting.rejected.log_full! > 0);
    const full = "batches are refused with 503: the log has reached --retention-size";
    await eventually("it is told", () => timesTold(server, full) === 1);
    assert.equal(storedMetrics(server.data).length, stored.length);

    await shaky.restart();
    await eventually("it takes batches again", async () => (await put(server, "again")).status === 200);
    stored.push("again");
    const own = await StreamReader.open({ servers: shaky.url });
    await assertInStream(own, "full", stored);
    await eventually("the end is told", () => timesTold(server, "the log has room again") > 0);
    assert.ok(segmentFiles(server.data).length < 30);
    await own.close();
    await server.stop();
  });
});
