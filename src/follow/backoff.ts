// How long to wait before a thing is tried again: twice as long each time, up to a bound, and somewhere in the upper half of
// that, so that many who failed together do not come back together. Pure.

/** Milliseconds, after `failures` (0 for the first) in a row. `random` gives [0, 1). */
export function retryMs(failures: number, msMin: number, msMax: number, random: () => number): number {
  const whole = Math.min(msMax, msMin * 2 ** Math.min(failures, 30));
  return whole / 2 + (whole / 2) * random();
}
