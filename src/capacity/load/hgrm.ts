// A histogram as HdrHistogram's text of percentiles (".hgrm"), which its plotter and many tools read. Pure.
// The form: columns Value, Percentile, TotalCount, 1/(1-Percentile); five steps to every halving of the distance to 100 %;
// two lines of summary behind "#". Values are milliseconds.

import type { Histogram } from "../../base/histogram.ts";

/** Rows for every halving of what is left above. */
const STEPS_A_HALVING = 5;
/** Past 40 halvings a row would speak of less than one request in 10^12. */
const TICKS_MAX = 40 * STEPS_A_HALVING;

export function toHgrm(histogram: Histogram): string {
  const rows = [head()];
  const buckets = bucketsOf(histogram);
  const total = histogram.count();
  let index = 0;
  let seen = buckets[0]?.count ?? 0;
  for (let tick = 0; index < buckets.length && tick < TICKS_MAX; tick++) {
    const share = shareAt(tick);
    while (seen / total < share && index < buckets.length - 1) seen += buckets[++index]!.count;
    rows.push(row(buckets[index]!.ms, share, seen));
    if (seen === total) break;
  }
  if (total > 0) rows.push(row(buckets.at(-1)!.ms, 1, total));
  return `${[...rows, ...foot(histogram, buckets)].join("\n")}\n`;
}

/** Computed, not added up: 0.75 must be 0.75 for three of four values to be enough. */
function shareAt(tick: number): number {
  const halvings = Math.floor(tick / STEPS_A_HALVING);
  const step = tick % STEPS_A_HALVING;
  return 1 - (1 - step / (2 * STEPS_A_HALVING)) / 2 ** halvings;
}

interface Bucket {
  readonly ms: number;
  readonly count: number;
}

function bucketsOf(histogram: Histogram): Bucket[] {
  const buckets: Bucket[] = [];
  const max = histogram.max();
  histogram.forEachBucket((upTo, count) => buckets.push({ ms: Math.min(upTo, max) / 1e6, count }));
  return buckets;
}

function head(): string {
  return `${"Value".padStart(12)} ${"Percentile".padStart(14)} ${"TotalCount".padStart(10)} ${"1/(1-Percentile)".padStart(14)}\n`;
}

function row(ms: number, share: number, count: number): string {
  const cells = [ms.toFixed(6).padStart(12), share.toFixed(12).padStart(14), String(count).padStart(10)];
  if (share < 1) cells.push((1 / (1 - share)).toFixed(2).padStart(14));
  return cells.join(" ");
}

function foot(histogram: Histogram, buckets: readonly Bucket[]): string[] {
  const count = histogram.count();
  const mean = count === 0 ? 0 : histogram.mean() / 1e6;
  const variance =
    buckets.reduce((sum, bucket) => sum + bucket.count * (bucket.ms - mean) ** 2, 0) / Math.max(1, count);
  const max = count === 0 ? 0 : histogram.max() / 1e6;
  const pair = (left: string, leftValue: string, right: string, rightValue: string): string =>
    `#[${left} = ${leftValue.padStart(12)}, ${right} = ${rightValue.padStart(12)}]`;
  return [
    pair("Mean   ", mean.toFixed(6), "StdDeviation  ", Math.sqrt(variance).toFixed(6)),
    pair("Max    ", max.toFixed(6), "Total count   ", String(count)),
    pair("Buckets", String(buckets.length), "SubBuckets    ", "256"),
  ];
}
