// A histogram as HdrHistogram's text of percentiles (".hgrm"), which its plotter and many tools read. Pure.
// The form: columns Value, Percentile, TotalCount, 1/(1-Percentile); five steps to every halving of the distance to 100 %;
// two lines of summary behind "#". Values are milliseconds.

import type { Histogram } from "../../base/histogram.ts";

/** Rows for every halving of what is left above. */
const STEPS_A_HALVING = 5;
/** Past this many halvings a row would speak of less than one request in 10^12. */
const HALVINGS_MAX = 40;

export function toHgrm(histogram: Histogram): string {
  const rows = [head()];
  const buckets = bucketsOf(histogram);
  const total = histogram.count();
  let share = 0;
  let index = 0;
  let seen = buckets[0]?.count ?? 0;
  while (index < buckets.length && share < 1) {
    while (seen / total < share && index < buckets.length - 1) seen += buckets[++index]!.count;
    rows.push(row(buckets[index]!.ms, share, seen));
    if (seen === total) break;
    share = nextShare(share);
  }
  if (total > 0) rows.push(row(buckets.at(-1)!.ms, 1, total));
  return `${[...rows, ...foot(histogram, buckets)].join("\n")}\n`;
}

/** The next row's share: a fifth of the way to the next halving of the distance to 1. */
function nextShare(share: number): number {
  const halvings = Math.floor(Math.log2(1 / (1 - share)) + 1e-9) + 1;
  if (halvings > HALVINGS_MAX) return 1;
  return share + 1 / (2 ** halvings * STEPS_A_HALVING);
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
