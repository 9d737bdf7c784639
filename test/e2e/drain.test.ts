// SIGTERM under load: every request that was sent is answered, nobody is reset in the middle of one, what was
// acknowledged is stored, and the process exits 0. The server itself gives up after 4.8 s with another exit code, so
// exit code 0 also says that it was in time.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { get, type Headers, metric, post, readStats } from "../support/requests.ts";
import {
  eventually,
  pause,
  type ServerProcess,
  startServer,
  stopServers,
} from "../support/server-process.ts";

interface Seen {
  acknowledged: number[];
  refused: number;
  /** Requests that were sent whole and never answered. */
  cut: string[];
}

const LOAD_MS_MAX = 30_000;

after(stopServers);

describe("SIGTERM", () => {
  for (const flags of [
    ["--threads", "1"],
    ["--threads", "3"],
    ["--threads", "1", "--ack", "synced"],
    ["--threads", "2", "--keep-alive", "off"],
  ]) {
    test(`under load, ${flags.join(" ")}: all are answered, nothing acknowledged is lost, exit 0`, {
      timeout: 60_000,
    }, async () => {
      const server = await startServer([...flags, "--rate-limit", "0"]);
      const seen: Seen = { acknowledged: [], refused: 0, cut: [] };
      let next = 0;
      const number = () => next++;
      const clients = [
        ...Array.from({ length: 24 }, () => keepAlive(server, seen, number)),
        ...Array.from({ length: 8 }, () => reconnect(server, seen, number)),
        ...Array.from({ length: 4 }, () => slowly(server, seen, number)),
      ];
      await eventually("there is load", () => seen.acknowledged.length > 300);
      const exit = await server.stop();
      await Promise.all(clients);
      assert.deepEqual(exit, { code: 0, signal: null }, server.error);
      assert.deepEqual(seen.cut, []);
      const stored = new Set(storedAs(server.data, "drained").map(({ value }) => value));
      assert.equal(stored.size, storedAs(server.data, "drained").length, "no metric is there twice");
      assert.deepEqual(
        seen.acknowledged.filter((value) => !stored.has(value)),
        [],
        "acknowledged, and not in the log",
      );
      assert.equal(stored.size, seen.acknowledged.length, "and nothing that was refused");
    });
  }

  test("finishes a request that has begun, says that it is the last, and is not ready meanwhile", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1"]);
    const idle = await RawConnection.open(server.port);
    const busy = await RawConnection.open(server.port);
    idle.send(get("/ready"));
    assert.equal((await idle.answer()).status, 200);
    // Half a head is here when the signal comes, and the rest, with one more batch, a while later.
    const whole = post(metric("drained", 1));
    busy.send(whole.subarray(0, 30));
    await eventually(
      "the half has arrived",
      async () => (await readStats(server.port)).connections.open === 3,
    );
    server.signal("SIGTERM");
    const unready = await eventually("it is not ready", async () => {
      idle.send(get("/ready"));
      const answer = await idle.answer();
      return answer.status === 503 ? answer : undefined;
    });
    assert.equal(unready.headers.get("connection"), "close");
    busy.send(Buffer.concat([whole.subarray(30), whole]));
    const answers = await busy.answersToTheEnd();
    assert.deepEqual(
      answers.map((answer) => [answer.status, answer.headers.get("connection")]),
      [[200, "close"]],
      "the second one is not read, and its sender is told so",
    );
    assert.equal((await server.exited).code, 0, server.error);
  });

  test("does not wait for those that never finish, and SIGINT is the same", { timeout: 60_000 }, async () => {
    const drains = (["SIGTERM", "SIGINT"] as const).map(async (signal) => {
      const server = await startServer(["--threads", "1"]);
      const stuck = await RawConnection.open(server.port);
      stuck.send("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
      const silent = await RawConnection.open(server.port);
      silent.send(get("/health"));
      await silent.answer();
      server.signal(signal);
      assert.deepEqual(await server.exited, { code: 0, signal: null }, server.error);
      await silent.ended();
      await stuck.ended();
      stuck.close();
      silent.close();
    });
    await Promise.all(drains);
  });
});

/** Sends on one connection until it is told to close, then on another, until none can be had. */
async function keepAlive(server: ServerProcess, seen: Seen, number: () => number): Promise<void> {
  const beganMs = Date.now();
  for (let connection = await tryOpen(server); connection !== null; connection = await tryOpen(server)) {
    while (Date.now() - beganMs < LOAD_MS_MAX && (await askOnce(connection, seen, number()))) {}
    connection.close();
  }
}

/** A new connection for each request. */
async function reconnect(server: ServerProcess, seen: Seen, number: () => number): Promise<void> {
  for (let connection = await tryOpen(server); connection !== null; connection = await tryOpen(server)) {
    await askOnce(connection, seen, number(), { Connection: "close" });
    connection.close();
  }
}

/** A keep-alive connection that sends its requests in two pieces, so that the signal comes between them. */
async function slowly(server: ServerProcess, seen: Seen, number: () => number): Promise<void> {
  for (let connection = await tryOpen(server); connection !== null; connection = await tryOpen(server)) {
    let isOpen = true;
    while (isOpen) {
      const value = number();
      const bytes = post(metric("drained", value));
      connection.send(bytes.subarray(0, 60));
      await pause(15);
      connection.send(bytes.subarray(60));
      isOpen = await readOne(connection, seen, value);
    }
    connection.close();
  }
}

function askOnce(
  connection: RawConnection,
  seen: Seen,
  value: number,
  headers: Headers = {},
): Promise<boolean> {
  connection.send(post(metric("drained", value), headers));
  return readOne(connection, seen, value);
}

/** True where the connection takes another request. */
async function readOne(connection: RawConnection, seen: Seen, value: number): Promise<boolean> {
  const answer = await connection.answerOrEnd();
  if (answer === null) {
    seen.cut.push(`request ${value} was ended by ${connection.ending}`);
    return false;
  }
  if (answer.status === 200) seen.acknowledged.push(value);
  else {
    assert.equal(answer.status, 503, answer.head);
    seen.refused++;
  }
  return answer.headers.get("connection") !== "close";
}

function tryOpen(server: ServerProcess): Promise<RawConnection | null> {
  return RawConnection.open(server.port).catch((error) => {
    // Reset before it was open: no request was on it.
    assert.ok(["ECONNREFUSED", "ECONNRESET"].includes(error.code), error.code);
    return null;
  });
}
