// What one record() costs, beside the cost of the same loop without it.

import { HISTOGRAM_WORDS, Histogram } from "./histogram.ts";

const VALUES = 4096;

export function run(small: boolean): void {
  const rounds = small ? 2 : 5;
  const records = small ? 10_000 : 20_000_000;
  const histogram = new Histogram(new Float64Array(HISTOGRAM_WORDS));
  const values = new Float64Array(VALUES);
  for (let index = 0; index < VALUES; index++) values[index] = 500 * 1.004 ** index * (1 + (index % 7) / 10);

  let record = Number.POSITIVE_INFINITY;
  let empty = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    record = Math.min(record, nanosecondsEach(records, values, histogram));
    empty = Math.min(empty, nanosecondsEach(records, values, null));
  }
  console.error(`histogram.record: ${record.toFixed(2)} ns, of which ${empty.toFixed(2)} ns is the loop`);
}

function nanosecondsEach(records: number, values: Float64Array, histogram: Histogram | null): number {
  const start = performance.now();
  let sum = 0;
  if (histogram === null) for (let index = 0; index < records; index++) sum += values[index & (VALUES - 1)];
  else for (let index = 0; index < records; index++) histogram.record(values[index & (VALUES - 1)]);
  if (sum < 0) throw new Error("the loop was not run");
  return ((performance.now() - start) * 1e6) / records;
}

if (import.meta.main) run(false);
