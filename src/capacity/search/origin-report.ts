// The figures of the report this project started from: its results, phases and latency budget, as its authors wrote
// them, so that ours can be printed beside them. Nothing in here was measured by us, and two things in it are known to
// be wrong: its rates are the pace that its clients were set to (clients ÷ 100 ms) and not what the server could do,
// and its budget is an estimate, which adds up to 0.53 ms because that was the mean latency to be explained.

import type { Level } from "../level.ts";
import type { BudgetRowJson, OriginRowJson } from "../report/report-json.ts";

export interface OriginResult {
  /** "light", "medium", "high", "max", "stress". */
  readonly test: string;
  readonly clients: number;
  readonly requestsEach: number;
  /** 0 to 1. */
  readonly success: number;
  /** Requests a second. */
  readonly rate: number;
  readonly latencyMsMean: number;
}

/** Each client sent a batch, waited for the answer, and sent the next one at the next multiple of this. */
export const ORIGIN_PACE_MS = 100;

/** Results of the origin's phase 7: 16 threads, keep-alive. */
export const ORIGIN_RESULTS: readonly OriginResult[] = [
  { test: "light", clients: 20, requestsEach: 50, success: 1, rate: 200, latencyMsMean: 0.01 },
  { test: "medium", clients: 50, requestsEach: 100, success: 1, rate: 500, latencyMsMean: 0.13 },
  { test: "high", clients: 100, requestsEach: 100, success: 1, rate: 1_000, latencyMsMean: 0.41 },
  { test: "max", clients: 200, requestsEach: 50, success: 0.9951, rate: 2_000, latencyMsMean: 0.53 },
  { test: "stress", clients: 500, requestsEach: 20, success: 0.6408, rate: 3_333, latencyMsMean: 37.41 },
];

/** Which of the origin's levels it called so. */
export const ORIGIN_SWEET_SPOT_CLIENTS = 200;
export const ORIGIN_BREAKING_POINT_CLIENTS = 500;

/** The goal that its authors set for their next phase. */
export const ORIGIN_GOAL = { rate: 10_000, success: 0.99 } as const;

/** Its latency budget "at 0.53 ms total latency (estimated)", milliseconds, in the order of a request's life. */
export const ORIGIN_BUDGET: readonly { readonly stage: string; readonly ms: number }[] = [
  { stage: "network", ms: 0.01 },
  { stage: "accept and read", ms: 0.1 },
  { stage: "rate limiting", ms: 0.05 },
  { stage: "JSON parsing", ms: 0.15 },
  { stage: "queue write", ms: 0.1 },
  { stage: "HTTP response", ms: 0.12 },
];

/** What the origin estimated for one of its stages; null where it named none of that name. */
export function originBudgetMs(stage: string): BudgetRowJson["origin_ms"] {
  return ORIGIN_BUDGET.find((row) => row.stage === stage)?.ms ?? null;
}

/** The origin's table with ours beside it: of the levels those that were run as its tests were. */
export function originRows(levels: readonly Level[]): OriginRowJson[] {
  return ORIGIN_RESULTS.map((result) => {
    const level = levels.find((candidate) => isTest(candidate, result));
    return {
      test: result.test,
      clients: result.clients,
      requests_each: result.requestsEach,
      origin: { success: result.success, rate: result.rate, latency_ms: result.latencyMsMean },
      measured: level === undefined ? null : measuredOf(level),
    };
  });
}

function isTest(level: Level, result: OriginResult): boolean {
  const { stop } = level.load.plan;
  return (
    level.part === "ladder" &&
    level.paceMs === ORIGIN_PACE_MS &&
    level.clients === result.clients &&
    stop.kind === "requests-each" &&
    stop.requests === result.requestsEach
  );
}

function measuredOf(level: Level): OriginRowJson["measured"] {
  const { requests, succeeded, rate, latency } = level.load;
  return {
    success: requests === 0 ? 0 : succeeded / requests,
    rate,
    latency_ms: toMs(latency.mean()),
    p99_ms: toMs(latency.percentile(0.99)),
  };
}

function toMs(nanoseconds: number): number | null {
  return Number.isNaN(nanoseconds) ? null : nanoseconds / 1e6;
}
