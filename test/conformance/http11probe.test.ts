// Http11Probe's cases against a running server, each on a connection of its own, all at once; then the verdicts, one
// test a case. Where a case was answered like a good request, the framing must have been read right too: a GET that
// follows on the same connection gets its own answer and nothing else.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { RawConnection, StillWaiting } from "../support/raw-client.ts";
import { get } from "../support/requests.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { expectationFrom, isSuccess, type Outcome } from "./probe-verdict.ts";

interface ProbeCase {
  id: string;
  description: string;
  expected: string;
  scored: boolean;
  rawRequest: string;
}

interface Observed {
  outcome: Outcome;
  hasClosed: boolean;
  /** What came on the connection after a success, asked for by one more GET. */
  next: Outcome;
  /** Bytes beyond all of that. */
  leftOver: string;
}

const CORPUS = fileURLToPath(new URL("../../../shared/corpora/http11probe.json", import.meta.url));
const isHere = existsSync(CORPUS);
const cases: ProbeCase[] = isHere ? JSON.parse(readFileSync(CORPUS, "utf8")).cases : [];
/** Silence that counts as "timeout" where that passes; elsewhere an answer is waited for much longer. */
const SILENCE_MS = 700;

const observed = new Map<string, Observed>();
let server: ServerProcess;

after(stopServers);

// Bun says nothing of a skipped group that holds no test: the skip is a test of its own.
if (!isHere) test("Http11Probe", { skip: `${CORPUS} is not here` }, () => {});

describe("Http11Probe", { skip: isHere ? false : `${CORPUS} is not here` }, () => {
  before(
    async () => {
      server = await startServer(["--threads", "1"]);
      await Promise.all(
        cases.map(async (probe) => {
          observed.set(probe.id, await observe(probe));
        }),
      );
    },
    { timeout: 60_000 },
  );

  for (const probe of cases.filter(({ scored }) => scored)) {
    test(`${probe.id}: ${probe.description}`, () => {
      const seen = observed.get(probe.id)!;
      const expectation = expectationFrom(probe.expected);
      const what = JSON.stringify({ expected: probe.expected, ...seen });
      assert.ok(expectation.allows(seen.outcome), what);
      if (expectation.mustClose) assert.ok(seen.hasClosed, what);
      if (isSuccess(seen.outcome)) assert.ok(seen.next === 200 || seen.next === "close", what);
      assert.equal(seen.leftOver, "", what);
    });
  }

  test("the cases that are not scored are answered or closed too, each with at most one answer", () => {
    for (const probe of cases.filter(({ scored }) => !scored)) {
      const seen = observed.get(probe.id)!;
      assert.notEqual(seen.outcome, "timeout", probe.id);
      if (isSuccess(seen.outcome)) assert.ok(seen.next === 200 || seen.next === "close", probe.id);
      assert.equal(seen.leftOver, "", probe.id);
    }
  });

  test("the server is well afterwards", async () => {
    assert.equal(server.hasExited, false, server.error);
    const connection = await RawConnection.open(server.port);
    connection.send(get("/health"));
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  });
});

async function observe(probe: ProbeCase): Promise<Observed> {
  const connection = await RawConnection.open(server.port);
  const isHead = probe.rawRequest.startsWith("HEAD ");
  const mayBeSilent = !probe.scored || expectationFrom(probe.expected).allowsTimeout;
  connection.send(Buffer.from(probe.rawRequest, "latin1"));
  const outcome = await outcomeOf(connection, isHead, mayBeSilent ? SILENCE_MS : undefined);
  let next: Outcome = "close";
  if (isSuccess(outcome) && connection.ending === null) {
    connection.send(get("/health"));
    next = await outcomeOf(connection, false);
  }
  // A fault ends the connection; what is wrong only with the request, such as an expectation, need not.
  if (isFault(outcome)) await connection.ended();
  const seen = {
    outcome,
    hasClosed: connection.ending !== null,
    next,
    leftOver: connection.unread.toString("latin1"),
  };
  connection.close();
  return seen;
}

function isFault(outcome: Outcome): boolean {
  return outcome === 400 || outcome === 431 || outcome === 505;
}

async function outcomeOf(connection: RawConnection, isHead: boolean, msMax?: number): Promise<Outcome> {
  try {
    for (;;) {
      const answer = await connection.answerOrEnd(isHead, msMax);
      if (answer === null) return "close";
      if (answer.status !== 100) return answer.status;
    }
  } catch (error) {
    if (error instanceof StillWaiting) return "timeout";
    throw error;
  }
}
