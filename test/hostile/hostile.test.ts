// Hostile clients that show what they can do at once: floods, bombs, caps. What takes the server's patience, 10 to 30 s,
// is in src/http/connection.test.ts on a clock of its own, and for real in `npm run attack -- hostile`. Good clients are
// there throughout and must not notice.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RawConnection } from "../support/raw-client.ts";
import { errorOf, get, metric, post, readStats, request } from "../support/requests.ts";
import { eventually, type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { makeBombs } from "./bombs.ts";
import { GoodClients } from "./good-clients.ts";
import { openSilent } from "./slow-clients.ts";

const BODY_BYTES_MAX = 1024 * 1024;
/** Compressed, a body may be this long: all of a bomb is undone then. */
const CODED_BYTES_MAX = BODY_BYTES_MAX / 4;
const FLOOD = 10_000;
const FLAGS = ["--threads", "1", "--rate-limit", "0", "--memory-max", "16MiB"];

let server: ServerProcess;
let good: GoodClients;
let kept: GoodClients | null = null;

before(async () => {
  server = await startServer(FLAGS);
  good = new GoodClients(server.port, 4, "good");
});
after(() => {
  good.end();
  kept?.end();
  return stopServers();
});

describe("a hostile client is answered for what it is, and nobody else notices", () => {
  test("10,000 requests for pages in one write share the thread", { timeout: 60_000 }, async () => {
    for (const target of ["/stats", "/metrics"]) {
      const flooder = await RawConnection.open(server.port);
      flooder.socket.removeAllListeners("data");
      flooder.socket.resume();
      const sentBefore = good.sent;
      flooder.send(Buffer.concat(Array.from({ length: FLOOD }, () => get(target))));
      await eventually("the good clients have gone on", () => good.sent >= sentBefore + 8);
      const { requests } = await readStats(server.port);
      assert.ok(requests < FLOOD, `the flood of ${target} was over before anybody else was served`);
      assert.equal(server.error.includes("spins"), false, server.error);
      flooder.close();
    }
  });

  test("3,000 requests of all kinds in one write are answered in order", { timeout: 60_000 }, async () => {
    const requests = [
      { bytes: post(metric("flood")), status: 200 },
      { bytes: get("/health"), status: 200 },
      { bytes: post("{"), status: 400 },
      { bytes: get("/nowhere"), status: 404 },
      { bytes: request("HEAD", "/nowhere"), status: 404 },
      { bytes: request("DELETE", "/metrics"), status: 405 },
    ];
    const flooder = await RawConnection.open(server.port);
    flooder.socket.removeAllListeners("data");
    let text = "";
    flooder.socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    const sequence = Array.from({ length: 3_000 }, (_, at) => requests[at % requests.length]!);
    flooder.send(Buffer.concat(sequence.map(({ bytes }) => bytes)));
    flooder.finish();
    await eventually("the server has ended the connection", () => flooder.ending !== null);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
    assert.deepEqual(
      statuses,
      sequence.map(({ status }) => status),
    );
    flooder.close();
  });

  test("POSTs whose answers nobody reads are held, not collected", { timeout: 60_000 }, async () => {
    const flooder = await RawConnection.open(server.port);
    flooder.socket.removeAllListeners("data");
    flooder.socket.pause();
    const crowd = Buffer.concat(Array.from({ length: FLOOD }, () => post(metric("unread"))));
    for (let write = 0; write < 20; write++) flooder.send(crowd);
    await eventually("nothing of them moves any more", async () => {
      const earlier = await readStats(server.port);
      const later = await readStats(server.port);
      return later.accounting.in_flight < 16 && later.requests - earlier.requests < 16;
    });
    const { memory } = await readStats(server.port);
    assert.ok(memory.budget_used_bytes <= 16 * 1024 * 1024);
    flooder.close();
  });

  test("heads without an end are 431, trailers and chunk extensions 400", { timeout: 60_000 }, async () => {
    const chunked = "POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const bombs: readonly (readonly [begin: string, more: string, status: number])[] = [
      ["GET / HTTP/1.1\r\nHost: a\r\nX: ", "x".repeat(1_000), 431],
      ["GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 431],
      [`${chunked}1;`, "a".repeat(100), 400],
      [`${chunked}1`, ";a=b".repeat(100), 400],
      [`${chunked}0\r\n`, "a: b\r\n", 400],
    ];
    for (const [begin, more, status] of bombs) {
      const bomber = await RawConnection.open(server.port);
      bomber.send(begin);
      for (let line = 0; line < 1_000; line++) bomber.send(more);
      assert.equal((await bomber.answer()).status, status, begin);
      bomber.close();
    }
  });

  test("a body of one-byte chunks, and one in segments of one byte, are stored", {
    timeout: 60_000,
  }, async () => {
    const body = metric("in_pieces");
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join("");
    const whole = await RawConnection.open(server.port);
    whole.send(`POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    assert.equal((await whole.answer()).status, 200);
    for (const byte of post(body)) {
      whole.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await whole.answer()).status, 200);
    whole.close();
  });

  test("no compressed bomb is taken for a batch or gets out of its bounds", { timeout: 60_000 }, async () => {
    for (const { name, coding, bytes } of makeBombs(CODED_BYTES_MAX)) {
      const bomber = await RawConnection.open(server.port);
      bomber.send(post(bytes, { "Content-Encoding": coding }));
      const answer = await bomber.answer();
      assert.ok([400, 413].includes(answer.status), `${coding}, ${name}: ${answer.status} ${answer.body}`);
      bomber.close();
    }
  });

  test("promised bodies beyond --memory-max are 503 memory, and then there is room again", {
    timeout: 60_000,
  }, async () => {
    const part = Buffer.alloc((BODY_BYTES_MAX / 4) * 3, " ");
    const promise = `POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES_MAX}\r\n\r\n`;
    const clients = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = await RawConnection.open(server.port);
        client.send(promise);
        client.send(part);
        return client;
      }),
    );
    const refused = await eventually("all but those that fit are refused", () => {
      const answered = clients.filter(({ unread }) => unread.length > 0);
      return answered.length >= 24 && answered;
    });
    for (const client of refused) {
      const answer = await client.answer();
      assert.equal(answer.status, 503);
      assert.match(errorOf(answer), /--memory-max/);
      assert.ok(answer.headers.has("retry-after"));
    }
    for (const client of clients) client.close();
    await eventually(
      "there is room again",
      async () => (await readStats(server.port)).memory.budget_used_bytes < BODY_BYTES_MAX,
    );
  });

  test("clients that end at once, in the middle, or with a reset leave nothing behind", {
    timeout: 60_000,
  }, async () => {
    const begins = ["", "\r\n", "POST /metrics", `${post(metric("half"))}`.slice(0, -5)];
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const client = await RawConnection.open(server.port);
        if (begins[at % 4] !== "") client.send(begins[at % 4]!);
        if (at % 8 < 4) {
          client.finish();
          assert.equal(await client.ended(), "fin");
        } else {
          client.socket.resetAndDestroy();
        }
      }),
    );
    await eventually("only the good ones are left", async () => {
      const { connections, memory } = await readStats(server.port);
      return connections.open <= 6 && memory.budget_used_bytes < 4_096;
    });
  });

  test("and the good clients were answered 200 throughout, and stored once", {
    timeout: 60_000,
  }, async () => {
    await good.stop();
    assert.deepEqual(good.failures, []);
    assert.ok(good.sent > 20);
    assert.equal((await server.stop()).code, 0);
    const { answered, lost, twice } = good.compare(server.data);
    assert.deepEqual({ answered, lost, twice }, { answered: good.sent, lost: 0, twice: 0 });
  });
});

test("a flood of connects at the descriptor limit costs no descriptor that the log needs", {
  timeout: 60_000,
}, async () => {
  const small = await startServer(["--threads", "2"], { wrapper: ["prlimit", "--nofile=256:256"] });
  const clients = new GoodClients(small.port, 1, "kept");
  kept = clients;
  await eventually("it is served", () => clients.sent > 1);
  const silent = await openSilent(small.port, 300);
  const sentBefore = clients.sent;
  await eventually("it is served on", () => clients.sent > sentBefore + 3);
  await clients.stop();
  assert.deepEqual(clients.failures, []);
  for (const socket of silent) socket.destroy();
  assert.equal((await readAfterFlood(small.port)).disk.state, "ok");
});

function readAfterFlood(port: number) {
  return eventually("there is a place again", () => readStats(port).catch(() => undefined));
}
