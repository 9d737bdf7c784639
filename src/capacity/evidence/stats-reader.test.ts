import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { after, describe, test } from "node:test";
import { type ServerProcess, startServer, stopServers } from "../../../test/support/server-process.ts";
import { TidemarkError } from "../../errors.ts";
import { detectTarget, StatsReader } from "./stats-reader.ts";
import { reduceStats } from "./stats-sample.ts";

after(stopServers);

const servers = new Set<Server>();
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.add(server);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/stats`, server };
}

const distribution = (count: number, mean: number | null) => ({ count, mean, p99: mean === null ? null : 9 });

/** The parts of an answer that the reduction reads. */
const BODY = {
  version: "0.1.0",
  runtime: "bun 1.4.5",
  settings: { ack: 3, backlog: 512 },
  accounting: { received: 10, stored: 8, rejected: { rate_limit: 2, json: 0 }, in_flight: 1 },
  latency_ms: { sampled_one_in: 64, read: distribution(4, 0.5), queue: distribution(0, null) },
  commit: { commits: 5, write_ms: distribution(5, 2), batches: distribution(5, 1.6), write_failures: 0 },
  sync: { syncs: 0, sync_ms: distribution(0, null), sync_failures: 0 },
  connections: { open: 3, limit: "unlimited", refused: 0 },
  queue: { bytes: 150, bytes_limit: 400, oldest_wait_ms: 7 },
  headroom: { limits: [{ id: "queue", used: 140, limit: 200, thread: 1 }] },
  memory: { budget_used_bytes: 1, budget_bytes: 2, resident_bytes: 3, gc_pause_ms: null },
  threads: [{ event_loop_lag_ms: 1.5 }, { event_loop_lag_ms: 4 }, { event_loop_lag_ms: null }],
  disk: { state: "ok", free_bytes: 100, total_bytes: 200 },
};

describe("the reduction", () => {
  const stats = reduceStats(BODY)!;

  test("counts and sums of time are taken, and a sum of nothing is 0", () => {
    assert.equal(stats.received, 10);
    assert.equal(stats.stored, 8);
    assert.deepEqual(stats.rejected, { rate_limit: 2, json: 0 });
    assert.equal(stats.writeMsTotal, 10);
    assert.equal(stats.syncMsTotal, 0);
    assert.deepEqual(stats.stagesMs, { read: { count: 4, mean: 0.5 }, queue: { count: 0, mean: null } });
  });

  test("of what every lane has its own of, the lane nearest to its limit is taken", () => {
    assert.equal(stats.queueBytes, 140);
    assert.equal(stats.queueBytesLimit, 200);
    assert.equal(stats.memoryUsedBytes, 1);
    assert.equal(stats.eventLoopLagMs, 4);
    assert.equal(stats.threads, 3);
  });

  test("the acknowledgement has its name, and no limit is Infinity", () => {
    assert.equal(stats.ack, "synced");
    assert.equal(stats.connectionsLimit, Number.POSITIVE_INFINITY);
    assert.equal(reduceStats({ ...BODY, settings: { ack: "written" } })!.ack, "written");
  });

  test("what is not there is null, and what is no Tidemark's is null whole", () => {
    assert.equal(stats.descriptorsUsed, null);
    const bare = reduceStats({ version: "9", accounting: { received: 0, stored: 0 } })!;
    assert.equal(bare.writeMsTotal, null);
    assert.equal(bare.eventLoopLagMs, null);
    assert.deepEqual(bare.stagesMs, {});
    for (const other of [null, 7, "x", [], {}, { version: "1" }, { accounting: { received: 1, stored: 1 } }])
      assert.equal(reduceStats(other), null);
  });
});

describe("the reader", () => {
  test("asks again and again over one connection", async () => {
    let connections = 0;
    const { url, server } = await serve((_, response) => response.end(JSON.stringify(BODY)));
    server.on("connection", () => {
      connections += 1;
    });
    const reader = new StatsReader(url);
    for (let count = 0; count < 3; count++) assert.equal((await reader.read())?.received, 10);
    assert.equal(connections, 1);
    reader.close();
    assert.equal(await reader.read(), null);
  });

  test("an answer that comes late serves the next sample, and is asked for once", async () => {
    const held: (() => void)[] = [];
    const { url } = await serve((_, response) => {
      held.push(() => response.end(JSON.stringify(BODY)));
    });
    const reader = new StatsReader(url);
    assert.equal(await reader.read(), null);
    assert.equal(held.length, 1);
    held[0]!();
    assert.equal((await reader.read())?.received, 10);
    assert.equal(held.length, 1);
    reader.close();
  });

  test("a question that is never answered is given up, and the next one tries again", async () => {
    let isSilent = true;
    const { url } = await serve((_, response) => {
      if (!isSilent) response.end(JSON.stringify(BODY));
    });
    const reader = new StatsReader(url);
    assert.equal(await reader.read(), null);
    isSilent = false;
    let stats = await reader.read();
    for (let tries = 0; stats === null && tries < 50; tries++) stats = await reader.read();
    assert.equal(stats?.received, 10);
    reader.close();
  });

  test("a server that is gone, or answers something else, is null", async () => {
    const { url, server } = await serve((_, response) => response.end("<html>"));
    const reader = new StatsReader(url);
    assert.equal(await reader.read(), null);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    assert.equal(await reader.read(), null);
    assert.equal(await reader.read(), null);
    reader.close();
  });
});

describe("what a server is", () => {
  test("a Tidemark says so itself", async () => {
    const server: ServerProcess = await startServer();
    const said = await detectTarget(`http://127.0.0.1:${server.port}/metrics`);
    assert.equal(said.isTidemark, true);
    assert.match(said.software!, /^tidemark \d+\.\d+\.\d+ \((bun|node) /);
    assert.equal(said.settings?.backlog, 4096);
    const reader = new StatsReader(`http://127.0.0.1:${server.port}/stats`);
    const stats = (await reader.read())!;
    assert.equal(stats.ack, "written");
    assert.equal(stats.stored, 0);
    assert.ok(stats.threads >= 1);
    assert.ok(stats.queueBytesLimit! > 0);
    reader.close();
  });

  test("another server is known by its header, or not at all", async () => {
    const named = await serve((_, response) => response.writeHead(404, { server: "nginx/1.22.1" }).end("no"));
    assert.deepEqual(await detectTarget(named.url), {
      isTidemark: false,
      software: "nginx/1.22.1",
      settings: null,
    });
    const nameless = await serve((_, response) => response.end("{}"));
    assert.deepEqual(await detectTarget(nameless.url), { isTidemark: false, software: null, settings: null });
  });

  test("one that speaks no HTTP is there all the same", async () => {
    const server = createTcpServer((socket) => socket.on("error", () => {}).end("SSH-2.0\r\n")).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    assert.equal((await detectTarget(`http://127.0.0.1:${port}/`)).isTidemark, false);
    server.close();
  });

  test("where nothing listens, the error says what to do", async () => {
    const { url, server } = await serve(() => {});
    server.close();
    await once(server, "close");
    await assert.rejects(
      detectTarget(url),
      (error) => error instanceof TidemarkError && /^cannot reach .* because of .*; /.test(error.message),
    );
  });
});
