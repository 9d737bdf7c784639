// From each thread's silences to the target's stalls: a stall is where all threads heard nothing and at least one of them
// was waiting for an answer. Pure.

import { STALL_MS_MIN, STALLS_MAX, type Stall } from "./load-result.ts";

/** A time without a sign of life on one thread, of STALL_MS_MIN or more; since the run's start. */
export interface Silence {
  readonly fromMs: number;
  /** From when on something was in flight; Infinity where nothing was. */
  readonly waitingFromMs: number;
  readonly toMs: number;
}

/** Each thread's silences in the order of time. */
export function findStalls(threads: readonly (readonly Silence[])[]): Stall[] {
  const [first, ...others] = threads;
  if (first === undefined) return [];
  let common: readonly Silence[] = first;
  for (const silences of others) common = intersect(common, silences);
  const stalls: Stall[] = [];
  for (const silence of common) {
    const atMs = Math.max(silence.fromMs, silence.waitingFromMs);
    const lastedMs = silence.toMs - atMs;
    if (lastedMs >= STALL_MS_MIN && stalls.length < STALLS_MAX) stalls.push({ atMs, lastedMs });
  }
  return stalls;
}

function intersect(left: readonly Silence[], right: readonly Silence[]): Silence[] {
  const common: Silence[] = [];
  let other = 0;
  for (const silence of left) {
    while (other < right.length && right[other]!.toMs <= silence.fromMs) other++;
    for (let index = other; index < right.length && right[index]!.fromMs < silence.toMs; index++) {
      const opposite = right[index]!;
      const fromMs = Math.max(silence.fromMs, opposite.fromMs);
      const toMs = Math.min(silence.toMs, opposite.toMs);
      if (toMs - fromMs < STALL_MS_MIN) continue;
      common.push({
        fromMs,
        waitingFromMs: Math.min(silence.waitingFromMs, opposite.waitingFromMs),
        toMs,
      });
    }
  }
  return common;
}
