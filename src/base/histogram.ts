// HOT: record() runs for every sampled request and every commit.
// A log-linear histogram (the idea of HdrHistogram) over an array that comes from outside, so that the array may be
// shared memory: one thread records, any thread reads. Values are whole numbers, most often nanoseconds.
//
//   value   0 1 … 15 │ 16 17 … 31 │ 32–33 34–35 … 62–63 │ 64–67 …      16 buckets for every doubling
//   bucket  0 1 … 15 │ 16 17 … 31 │ 32    33    … 47    │ 48    …      up to VALUE_MAX, 2.4 hours in nanoseconds
//
// What is reported is a bucket's upper edge: never below the true value, and at most 1/16 above it.
// Invariant: the count is the sum of the buckets and is stored nowhere else, so the two cannot disagree.

import { assert } from "./assert.ts";

const SUB_BUCKETS = 16;
const SUB_BUCKETS_LOG2 = 4;
/** Bits of the largest value told apart; past it a value counts as this one. */
const VALUE_BITS = 43;
const BUCKETS = (VALUE_BITS - SUB_BUCKETS_LOG2 + 1) * SUB_BUCKETS;
const SUM = BUCKETS;
const MAX = BUCKETS + 1;

/** Length of the array that a histogram lives in. */
export const HISTOGRAM_WORDS = BUCKETS + 2;
/** Largest value told apart. */
export const HISTOGRAM_VALUE_MAX = 2 ** VALUE_BITS - 1;

export class Histogram {
  /** HISTOGRAM_WORDS numbers, zero at first. May be shared memory: then exactly one thread records into it. */
  private readonly words: Float64Array;

  constructor(words: Float64Array = new Float64Array(HISTOGRAM_WORDS)) {
    assert(words.length === HISTOGRAM_WORDS, "a histogram's array has HISTOGRAM_WORDS numbers");
    this.words = words;
  }

  /** Counts one value; fractions are dropped, what is negative or not a number counts as 0. */
  record(value: number): void {
    const words = this.words;
    let whole = 0;
    if (value >= HISTOGRAM_VALUE_MAX) whole = HISTOGRAM_VALUE_MAX;
    else if (value > 0) whole = Math.floor(value);
    words[bucketOf(whole)] += 1;
    words[SUM] += whole;
    if (whole > words[MAX]) words[MAX] = whole;
  }

  /** Adds what another has counted. */
  merge(other: Histogram): void {
    const words = this.words;
    for (let index = 0; index <= SUM; index++) words[index] += other.words[index];
    words[MAX] = Math.max(words[MAX], other.words[MAX]);
  }

  clear(): void {
    this.words.fill(0);
  }

  count(): number {
    let count = 0;
    for (let index = 0; index < BUCKETS; index++) count += this.words[index];
    return count;
  }

  sum(): number {
    return this.words[SUM];
  }

  /** NaN while nothing is counted, as are max and percentile. */
  mean(): number {
    return this.words[SUM] / this.count();
  }

  max(): number {
    return this.count() === 0 ? Number.NaN : this.words[MAX];
  }

  /** The value that a share `q` (0 to 1) of the values does not exceed; at most 1/16 above the true one. */
  percentile(q: number): number {
    const count = this.count();
    if (count === 0) return Number.NaN;
    const rank = percentileRank(q, count);
    let seen = 0;
    let index = 0;
    for (; index < BUCKETS - 1; index++) {
      seen += this.words[index];
      if (seen >= rank) break;
    }
    return Math.min(upperEdge(index), this.words[MAX]);
  }

  /** How many values are below 2 ** exponent: exact, for these are edges of buckets (cumulative buckets need that). */
  countBelowPowerOfTwo(exponent: number): number {
    if (exponent >= VALUE_BITS) return this.count();
    const end = bucketOf(2 ** exponent);
    let count = 0;
    for (let index = 0; index < end; index++) count += this.words[index];
    return count;
  }
}

/** Which of `count` sorted values is the percentile, from 1. The small step back undoes 0.07 × 100 = 7.000000000000001. */
export function percentileRank(q: number, count: number): number {
  return Math.min(count, Math.max(1, Math.ceil(q * count - 1e-6)));
}

function bucketOf(whole: number): number {
  if (whole < 0x8000_0000) {
    const value = whole | 0;
    if (value < SUB_BUCKETS) return value;
    const shift = 27 - Math.clz32(value);
    return (shift << SUB_BUCKETS_LOG2) + (value >>> shift);
  }
  // Past 31 bits shifts no longer hold the value; its upper 27 bits do, and only the first 5 of them matter.
  const high = (whole / 0x1_0000) | 0;
  const shift = 27 - Math.clz32(high);
  return ((shift + 16) << SUB_BUCKETS_LOG2) + (high >>> shift);
}

function upperEdge(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const shift = (bucket >> SUB_BUCKETS_LOG2) - 1;
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1)) + 1) * 2 ** shift - 1;
}
