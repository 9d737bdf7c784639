// The objective that a level must hold to count as sustained: 'success>=99%,p99<=50ms'. Pure.
// Apart from what it says, a level must really have sent what it planned: a generator that waits for a stalled server
// sends less, and what is not sent is neither slow nor failed.

import { TidemarkError } from "../../errors.ts";
import type { LoadResult } from "../load/load-result.ts";

export type Quantile = "mean" | "p50" | "p90" | "p99" | "p999" | "max";

export const QUANTILES: Readonly<Record<Exclude<Quantile, "mean" | "max">, number>> = {
  p50: 0.5,
  p90: 0.9,
  p99: 0.99,
  p999: 0.999,
};

export interface Objective {
  /** As it was written, normalised. */
  readonly text: string;
  /** 0 to 1; 0 where the objective does not speak of it. */
  readonly successMin: number;
  readonly latencyMsMax: readonly (readonly [quantile: Quantile, ms: number])[];
}

export interface ObjectiveOutcome {
  readonly met: boolean;
  /** "success 64.1 % < 99 %", "p99 120 ms > 50 ms"; empty where met. */
  readonly misses: readonly string[];
}

export const OBJECTIVE_DEFAULT = "success>=99%,p99<=50ms";
/** Share of a planned rate that must really have been sent for the level to count, apart from the objective. */
export const SENT_SHARE_MIN = 0.95;

const TERM = /^(success|mean|p50|p90|p99|p999|max)\s*(>=|<=)\s*(\d+(?:\.\d+)?)\s*(%|ms|s|us|µs)?$/;
const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, us: 0.001, µs: 0.001 };

/** Throws TidemarkError with what is wrong and how it is written. */
export function parseObjective(text: string): Objective {
  let successMin = 0;
  const latencyMsMax: [Quantile, number][] = [];
  for (const part of text.split(",")) {
    const term = TERM.exec(part.trim().toLowerCase());
    if (term === null) throw unreadable(part);
    const [, what, sign, figure, unit] = term;
    if (what === "success") {
      if (sign !== ">=" || (unit !== undefined && unit !== "%")) throw unreadable(part);
      successMin = exact(unit === "%" ? Number(figure) / 100 : Number(figure));
      if (successMin > 1) throw unreadable(part);
    } else {
      const scale = MS_OF_UNIT[unit ?? ""];
      if (sign !== "<=" || scale === undefined) throw unreadable(part);
      latencyMsMax.push([what as Quantile, exact(Number(figure) * scale)]);
    }
  }
  const terms = latencyMsMax.map(([quantile, ms]) => `${quantile}<=${ms}ms`);
  if (successMin > 0 || terms.length === 0) terms.unshift(`success>=${exact(successMin * 100)}%`);
  return { text: terms.join(","), successMin, latencyMsMax };
}

/** Holds the result to the objective, and to having sent what was planned. Latency is the corrected one. */
export function judge(result: LoadResult, objective: Objective): ObjectiveOutcome {
  const misses: string[] = [];
  const success = result.requests === 0 ? 0 : result.succeeded / result.requests;
  if (result.requests === 0) misses.push("nothing was sent");
  else if (success < objective.successMin)
    misses.push(`success ${percent(success)} < ${percent(objective.successMin)}`);
  for (const [quantile, msMax] of objective.latencyMsMax) {
    const ms = quantileMs(result, quantile);
    if (!(ms <= msMax))
      misses.push(`${quantile} ${Number.isNaN(ms) ? "unknown" : `${round(ms)} ms`} > ${msMax} ms`);
  }
  if (result.requests < result.planned * SENT_SHARE_MIN)
    misses.push(`sent ${percent(result.requests / result.planned)} of the planned requests`);
  return { met: misses.length === 0, misses };
}

function quantileMs(result: LoadResult, quantile: Quantile): number {
  const histogram = result.latency;
  if (quantile === "mean") return histogram.mean() / 1e6;
  if (quantile === "max") return histogram.max() / 1e6;
  return histogram.percentile(QUANTILES[quantile]) / 1e6;
}

function unreadable(part: string): TidemarkError {
  return new TidemarkError(
    `cannot read the objective's part '${part.trim()}'; write for example 'success>=99%,p99<=50ms' (mean, p50, p90, p99, p999, max; ms or s)`,
    2,
  );
}

/** As it was written: 99.9 ÷ 100 is 0.9990000000000001, which 999 of 1,000 would miss. */
function exact(figure: number): number {
  return Number(figure.toPrecision(12));
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function round(ms: number): number {
  return Number(ms.toPrecision(3));
}
