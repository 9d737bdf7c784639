// Http11Probe's cases against a running server, each on a connection of its own, all at once, and what is wrong with the
// outcome of each. Where a case was answered like a good request, the framing must have been read right too: a GET that
// follows on the same connection gets its own answer and nothing else.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RawConnection, StillWaiting } from "../support/raw-client.ts";
import { get } from "../support/requests.ts";
import { expectationFrom, isSuccess, type Outcome } from "./probe-verdict.ts";

export interface ProbeCase {
  id: string;
  description: string;
  expected: string;
  scored: boolean;
  rawRequest: string;
}

export interface Observed {
  outcome: Outcome;
  hasClosed: boolean;
  /** What came on the connection after a success, asked for by one more GET. */
  next: Outcome;
  /** Bytes beyond all of that. */
  leftOver: string;
}

export const PROBE_CORPUS = fileURLToPath(
  new URL("../../../shared/corpora/http11probe.json", import.meta.url),
);
/** Silence that counts as "timeout" where that passes; elsewhere an answer is waited for much longer. */
const SILENCE_MS = 700;

/** The published cases; none where the corpus is absent. */
export function readProbeCases(): ProbeCase[] {
  return existsSync(PROBE_CORPUS) ? JSON.parse(readFileSync(PROBE_CORPUS, "utf8")).cases : [];
}

/** What became of each case, by its id. */
export async function observeProbes(
  cases: readonly ProbeCase[],
  port: number,
): Promise<Map<string, Observed>> {
  const observed = new Map<string, Observed>();
  await Promise.all(
    cases.map(async (probe) => {
      observed.set(probe.id, await observe(probe, port));
    }),
  );
  return observed;
}

/** What is wrong with a scored case's outcome, or "". */
export function probeFault(probe: ProbeCase, seen: Observed): string {
  const expectation = expectationFrom(probe.expected);
  const isAllowed =
    expectation.allows(seen.outcome) &&
    (!expectation.mustClose || seen.hasClosed) &&
    (!isSuccess(seen.outcome) || seen.next === 200 || seen.next === "close") &&
    seen.leftOver === "";
  return isAllowed ? "" : JSON.stringify({ expected: probe.expected, ...seen });
}

async function observe(probe: ProbeCase, port: number): Promise<Observed> {
  const connection = await RawConnection.open(port);
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
