// Little's law as a check on a level's own figures: the mean number of requests in flight is their rate times the mean
// time that each was in flight (L = λW), whatever the server and whatever the order of its answers. The generator
// measures L by watching its connections and W by its histogram; where the two disagree, one of them is wrong. Pure.

import type { LoadResult } from "../load/load-result.ts";

export interface LittleCheck {
  /** Requests in flight, averaged over the run as it was watched. */
  readonly measured: number;
  /** λW; null where nothing was timed. */
  readonly expected: number | null;
  /** Null where the law cannot be held to these figures. */
  readonly agrees: boolean | null;
}

/** Between the two roads to one figure: rounding of the clock, and requests in flight at either end of the run. */
const TOLERANCE_RATIO = 0.1;
/** In flight; below it both figures are the clock's grain. */
const TOLERANCE_REQUESTS = 0.05;
/** Failures leave no latency behind (quick refusals would flatter it) but were in flight; with more of them W is unknown. */
const UNTIMED_SHARE_MAX = 0.05;

/**
 * Latency is the uncorrected one: a request that waits for its turn is not in flight yet. Pipelined requests count each
 * on its own on both sides, so a pipeline changes nothing. What is answered in the drain is counted with its whole
 * latency while L ends with the sending: up to W out of the run's length, which the tolerance is widened by.
 */
export function checkLittle(result: LoadResult): LittleCheck {
  const measured = result.inFlightMean;
  const timed = result.latencyUncorrected.count();
  if (timed === 0 || !(result.seconds > 0)) return { measured, expected: null, agrees: null };
  const secondsMean = result.latencyUncorrected.mean() / 1e9;
  const expected = (timed / result.seconds) * secondsMean;
  const untimedShare = 1 - timed / Math.max(timed, sentOf(result));
  if (untimedShare > UNTIMED_SHARE_MAX) return { measured, expected, agrees: null };
  const ratio = TOLERANCE_RATIO + untimedShare + secondsMean / result.seconds;
  const agrees = Math.abs(measured - expected) <= Math.max(measured, expected) * ratio + TOLERANCE_REQUESTS;
  return { measured, expected, agrees };
}

/** Requests that were really sent: those that found no connection were never in flight. */
function sentOf(result: LoadResult): number {
  const { refused, connect_timeout, no_port, no_descriptor } = result.errors;
  return result.requests - refused - connect_timeout - no_port - no_descriptor;
}
