// How far another machine's clock is from ours, from questions and answers that take a while: the answer was given at some
// moment between the question and its arrival, so the middle is wrong by half of that at most. The quickest pair is the best
// (D. L. Mills, RFC 5905, has the same in its clock filter). Pure.

export interface ClockReading {
  /** Ours as we asked, theirs as they answered, ours as the answer came; milliseconds, monotonic. */
  readonly askedMs: number;
  readonly theirMs: number;
  readonly answeredMs: number;
}

export interface ClockOffset {
  /** To be added to our clock for theirs. */
  readonly offsetMs: number;
  /** At most this far from the truth. */
  readonly errorMs: number;
}

/** Null of no reading. */
export function findClockOffset(readings: readonly ClockReading[]): ClockOffset | null {
  let best: ClockOffset | null = null;
  for (const { askedMs, theirMs, answeredMs } of readings) {
    const errorMs = (answeredMs - askedMs) / 2;
    if (best === null || errorMs < best.errorMs) best = { offsetMs: theirMs - askedMs - errorMs, errorMs };
  }
  return best;
}
