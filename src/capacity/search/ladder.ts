// The ladder: which levels a capacity run climbs, in which order, and how long each takes. Pure.
// The origin's five tests are run as they were: so many clients, so many requests each, one every 100 ms. Above them the
// same with more clients, and beside them clients that do not wait, which is what the scalability law is fitted to.
// The default ladder takes about 55 s, so that it and the search end within three minutes.

import { TidemarkError } from "../../errors.ts";
import type { LevelKind, LevelPart } from "../level.ts";
import type { Stop } from "../load/load-plan.ts";
import { ORIGIN_PACE_MS, ORIGIN_RESULTS } from "./origin-report.ts";

/** A level before it is run. */
export interface LevelSpec {
  /** Unique in the run. */
  readonly id: string;
  readonly kind: LevelKind;
  readonly part: LevelPart;
  readonly clients: number;
  /** Null where not paced. */
  readonly paceMs: number | null;
  /** Requests a second of an open level; null for the others. */
  readonly rate: number | null;
  readonly stop: Stop;
}

/** The origin's tests. */
export const ORIGIN_LADDER: readonly {
  readonly test: string;
  readonly clients: number;
  readonly requestsEach: number;
}[] = ORIGIN_RESULTS.map(({ test, clients, requestsEach }) => ({ test, clients, requestsEach }));

/** Paced clients above the origin's. */
export const FURTHER_CLIENTS: readonly number[] = [1_000, 2_000, 5_000, 10_000];
/** Clients that do not wait: doubling, so that the fit sees the climb, the bend and what is past it. */
export const UNPACED_CLIENTS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Twenty turns at the origin's pace. */
const PACED_SECONDS = 2;
/** At 1,000 requests/s a level's rate then rests on 1,500 requests. */
const UNPACED_SECONDS = 1.5;
/** A test of so many requests each is ended at this multiple of its planned time and a second more: a server that stops
 * answering would hold it for a timeout on every request. */
const SECONDS_MAX_FACTOR = 1.5;

/** A client is a local port, and an address has 65,535 of them, of which some are others'. */
const CLIENTS_CEILING = 60_000;
/** A level takes seconds: 32 of them are a minute or two. */
const LEVELS_MAX = 32;

export interface LadderOptions {
  /** Client counts as parseLadder gives them; null for the origin's and those above. */
  readonly ladder: readonly number[] | null;
  readonly paceMs: number;
}

/** Reads '20,50,100' into client counts in ascending order. Throws TidemarkError. */
export function parseLadder(text: string): number[] {
  const counts = text.split(",").map((part) => {
    const word = part.trim();
    const count = Number(word);
    if (!/^\d+$/.test(word) || count < 1)
      throw refusal(text, `'${word}' is no number of clients`, "whole numbers, as --ladder 20,50,100");
    if (count > CLIENTS_CEILING)
      throw refusal(
        text,
        `one address has no ports for ${count} clients`,
        `at most ${CLIENTS_CEILING}, or --rate`,
      );
    return count;
  });
  const repeated = counts.find((count, index) => counts.indexOf(count) !== index);
  if (repeated !== undefined) throw refusal(text, `it has ${repeated} twice`, "each number once");
  if (counts.length > LEVELS_MAX)
    throw refusal(text, `it has ${counts.length} levels`, `at most ${LEVELS_MAX}`);
  return counts.sort((a, b) => a - b);
}

/**
 * The levels in the order to be run: paced ones up to the origin's highest, then the unpaced ones, then the paced ones
 * that most servers will not bear, so that what they leave behind does not disturb the fit.
 */
export function ladderLevels(options: LadderOptions): LevelSpec[] {
  const origin = ORIGIN_LADDER.map(({ clients }) => clients);
  const counts = options.ladder ?? [...origin, ...FURTHER_CLIENTS];
  const originMost = Math.max(...origin);
  const most = Math.max(...counts);
  const pacedOf = (clients: number) => pacedLevel(clients, options.paceMs);
  return [
    ...counts.filter((clients) => clients <= originMost).map(pacedOf),
    ...UNPACED_CLIENTS.filter((clients) => clients <= most).map(unpacedLevel),
    ...counts.filter((clients) => clients > originMost).map(pacedOf),
  ];
}

/** Sum of what the levels are planned to take, seconds, without connecting and draining. */
export function plannedSeconds(specs: readonly LevelSpec[]): number {
  return specs.reduce((sum, { stop, paceMs }) => {
    if (stop.kind === "seconds") return sum + stop.seconds;
    return sum + (paceMs === null ? stop.secondsMax : (stop.requests * paceMs) / 1000);
  }, 0);
}

/** As the origin's test where it had one with so many clients at this pace, else for two seconds. */
function pacedLevel(clients: number, paceMs: number): LevelSpec {
  const test = ORIGIN_LADDER.find((candidate) => candidate.clients === clients);
  const stop: Stop =
    test === undefined || paceMs !== ORIGIN_PACE_MS
      ? { kind: "seconds", seconds: Math.max(PACED_SECONDS, (2 * paceMs) / 1000) }
      : {
          kind: "requests-each",
          requests: test.requestsEach,
          secondsMax: (test.requestsEach * paceMs * SECONDS_MAX_FACTOR) / 1000 + 1,
        };
  return { id: `paced-${clients}`, kind: "paced", part: "ladder", clients, paceMs, rate: null, stop };
}

function unpacedLevel(clients: number): LevelSpec {
  return {
    id: `unpaced-${clients}`,
    kind: "unpaced",
    part: "ladder",
    clients,
    paceMs: null,
    rate: null,
    stop: { kind: "seconds", seconds: UNPACED_SECONDS },
  };
}

function refusal(text: string, why: string, instead: string): TidemarkError {
  return new TidemarkError(`cannot read --ladder '${text}' because ${why}; try ${instead}`, 2);
}
