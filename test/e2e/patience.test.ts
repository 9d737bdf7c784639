// What only time brings: idle connections that end, heads that never come, old segments that go. All of it is started
// at once and then waited for, so that the whole takes as long as the longest.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { logLines, segmentFiles } from "../support/log-files.ts";
import { type Ending, RawConnection } from "../support/raw-client.ts";
import { batch, get, metric, post, readStats } from "../support/requests.ts";
import {
  eventually,
  pause,
  type ServerProcess,
  startServer,
  stopServers,
} from "../support/server-process.ts";

const MIB = 1024 * 1024;
const SEGMENT_BYTES = 64 * 1024;
/** Longer than HEAD_TIMEOUT_MS and RETENTION_INTERVAL_MS, with room for a busy machine. */
const WAIT_MS_MAX = 40_000;

let server: ServerProcess;
let idle: Promise<Ending>;
let neverUsed: Promise<Ending>;
let busyAnswers: Promise<number[]>;
let slowHead: Promise<{ answers: Answer[]; ending: Ending | null }>;
let drippedHead: Promise<{ answers: Answer[]; ending: Ending | null }>;

after(stopServers);

describe("in time", () => {
  before(
    async () => {
      server = await startServer([
        ...[
          "--threads",
          "1",
          "--keep-alive-timeout",
          "1s",
          "--segment-size",
          "64KiB",
          "--retention-size",
          "1MiB",
        ],
      ]);
      idle = idleAfterOne();
      neverUsed = RawConnection.open(server.port).then((connection) => connection.ended(WAIT_MS_MAX));
      slowHead = waitOn("POST /metrics HTTP/1.1\r\nHost: a\r\n");
      drippedHead = waitOn("POST /metrics HTTP/1.1\r\nHost: a\r\nX-Drip: ", "x");
      busyAnswers = stayBusy();
      await fillLog();
    },
    { timeout: 60_000 },
  );

  test("a connection that is idle for --keep-alive-timeout is ended with a FIN", {
    timeout: WAIT_MS_MAX,
  }, async () => {
    assert.equal(await idle, "fin");
    assert.equal(await neverUsed, "fin");
  });

  test("a connection that is used more often than that is not", { timeout: WAIT_MS_MAX }, async () => {
    assert.deepEqual(
      await busyAnswers,
      Array.from({ length: 8 }, () => 200),
    );
  });

  test("a head that does not end in time is 408, however it drips in", { timeout: WAIT_MS_MAX }, async () => {
    for (const { answers, ending } of [await slowHead, await drippedHead]) {
      assert.deepEqual(
        answers.map(({ status }) => status),
        [408],
      );
      assert.equal(answers[0]!.headers.get("connection"), "close");
      assert.equal(ending, "fin");
    }
  });

  test("the oldest segments beyond --retention-size go, whole, with their indexes", {
    timeout: WAIT_MS_MAX,
  }, async () => {
    const bytes = await eventually(
      "the log is within its size",
      async () => {
        const { log } = await readStats(server.port);
        // The size is that of closed segments; the open one comes on top.
        return log.bytes <= MIB + SEGMENT_BYTES ? log.bytes : undefined;
      },
      WAIT_MS_MAX,
    );
    const values = [...logLines(server.data)].map(({ text }) => JSON.parse(text).value as number);
    const last = values.at(-1)!;
    assert.deepEqual(
      values,
      Array.from(values, (_, at) => last - values.length + 1 + at),
      "what is left is the newest part, without a gap",
    );
    assert.equal(segmentFiles(server.data).length, (await readStats(server.port)).log.segments);
    assert.ok(bytes > MIB / 2, `${bytes} bytes are left`);
    assert.match(server.error, /retention/);
  });
});

async function idleAfterOne(): Promise<Ending> {
  const connection = await RawConnection.open(server.port);
  connection.send(post(metric("idle", 0)));
  await connection.answer();
  return connection.ended(WAIT_MS_MAX);
}

async function stayBusy(): Promise<number[]> {
  const connection = await RawConnection.open(server.port);
  const statuses: number[] = [];
  for (let round = 0; round < 8; round++) {
    connection.send(get("/health"));
    const answer = await connection.answerOrEnd();
    if (answer === null) break;
    statuses.push(answer.status);
    await pause(300);
  }
  connection.close();
  return statuses;
}

/** Sends the bytes, then one of `drip` at a time, until the server has had enough. */
async function waitOn(bytes: string, drip = "") {
  const connection = await RawConnection.open(server.port);
  connection.send(bytes);
  const dripping = setInterval(() => connection.ending === null && connection.send(drip), 200);
  const answer = await connection.answerOrEnd(false, WAIT_MS_MAX);
  clearInterval(dripping);
  const answers = answer === null ? [] : [answer, ...(await connection.answersToTheEnd())];
  connection.close();
  return { answers, ending: connection.ending };
}

/** Some 3 MiB of lines with rising values. */
async function fillLog(): Promise<void> {
  const connection = await RawConnection.open(server.port);
  let value = 1;
  for (let round = 0; round < 60; round++) {
    const metrics = Array.from({ length: 500 }, () => ({
      name: "old",
      value: value++,
      tags: { host: "web1" },
    }));
    connection.send(post(batch(metrics)));
    assert.equal((await connection.answer()).status, 200);
  }
  connection.close();
}
