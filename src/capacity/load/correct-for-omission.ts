// The correction for a loop that waits for its answers and so never asks while the target stalls: behind an answer that took
// longer than the usual gap the requests that it kept from being sent are filled in, as if they had been due one gap apart.
// It is the correction that HdrHistogram describes for recordValueWithExpectedInterval, with the median as the gap. Pure.

import { Histogram } from "../../base/histogram.ts";

/** Values that one bucket's correction walks at most; a stall of an hour at 10 µs would have 360 million. */
const STEPS_MAX = 200_000;

/** A new histogram; the given one stays as it is. */
export function correctForOmission(uncorrected: Histogram): Histogram {
  const corrected = Histogram.fine();
  corrected.merge(uncorrected);
  if (uncorrected.count() === 0) return corrected;
  const max = uncorrected.max();
  const median = Math.max(1, uncorrected.percentile(0.5));
  uncorrected.forEachBucket((upTo, count) => {
    const value = Math.min(upTo, max);
    const steps = Math.floor(value / median) - 1;
    // Past STEPS_MAX several missing requests are filled in by one of their number's weight.
    const stride = Math.max(1, Math.ceil(steps / STEPS_MAX));
    for (let step = 1; step <= steps; step += stride) {
      corrected.recordMany(value - step * median, count * Math.min(stride, steps - step + 1));
    }
  });
  return corrected;
}
