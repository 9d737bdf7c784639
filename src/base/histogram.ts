// HOT: record() runs for every sampled request and every commit.
// A log-linear histogram (the idea of HdrHistogram) over an array that comes from outside, so that the array may be
// shared memory: one thread records, any thread reads. Values are whole numbers, most often nanoseconds.
//
//   value   0 1 … 15 │ 16 17 … 31 │ 32–33 34–35 … 62–63 │ 64–67 …      16 buckets for every doubling
//   bucket  0 1 … 15 │ 16 17 … 31 │ 32    33    … 47    │ 48    …      up to VALUE_MAX, 2.4 hours in nanoseconds
//
// What is reported is a bucket's upper edge: never below the true value, and at most 1/16 above it; with 256 buckets for
// every doubling (FINE), as the load generator has them, at most 1/256.
// Invariant: the count is the sum of the buckets and is stored nowhere else, so the two cannot disagree.

import { assert } from "./assert.ts";

/** Buckets for every doubling, as a power of two: what the server's stages and commits are counted in. */
const COARSE = 4;
/** As COARSE, for the load generator: percentiles that others are compared by. */
export const FINE = 8;
/** Bits of the largest value told apart; past it a value counts as this one. */
const VALUE_BITS = 43;

/** Length of the array that a histogram lives in. */
export const HISTOGRAM_WORDS = wordsOf(COARSE);
export const HISTOGRAM_WORDS_FINE = wordsOf(FINE);
/** Largest value told apart. */
export const HISTOGRAM_VALUE_MAX = 2 ** VALUE_BITS - 1;

export class Histogram {
  /** HISTOGRAM_WORDS numbers (or HISTOGRAM_WORDS_FINE), zero at first. May be shared memory: then exactly one thread records into it. */
  readonly words: Float64Array;
  private readonly precision: number;
  private readonly buckets: number;

  constructor(words: Float64Array = new Float64Array(HISTOGRAM_WORDS)) {
    assert(
      words.length === HISTOGRAM_WORDS || words.length === HISTOGRAM_WORDS_FINE,
      "a histogram's array has HISTOGRAM_WORDS numbers, or HISTOGRAM_WORDS_FINE",
    );
    this.words = words;
    this.precision = words.length === HISTOGRAM_WORDS ? COARSE : FINE;
    this.buckets = words.length - 2;
  }

  /** One of 256 buckets for every doubling: 73 KB. */
  static fine(): Histogram {
    return new Histogram(new Float64Array(HISTOGRAM_WORDS_FINE));
  }

  /** Counts one value; fractions are dropped, what is negative or not a number counts as 0. */
  record(value: number): void {
    const words = this.words;
    let whole = 0;
    if (value >= HISTOGRAM_VALUE_MAX) whole = HISTOGRAM_VALUE_MAX;
    else if (value > 0) whole = Math.floor(value);
    words[bucketOf(whole, this.precision)] += 1;
    words[this.buckets] += whole;
    if (whole > words[this.buckets + 1]) words[this.buckets + 1] = whole;
  }

  /** Counts one value many times; 0 times is nothing. */
  recordMany(value: number, count: number): void {
    if (count <= 0) return;
    const words = this.words;
    const whole = Math.floor(Math.min(HISTOGRAM_VALUE_MAX, Math.max(0, value)));
    words[bucketOf(whole, this.precision)] += count;
    words[this.buckets] += whole * count;
    if (whole > words[this.buckets + 1]) words[this.buckets + 1] = whole;
  }

  /** Adds what another of the same precision has counted. */
  merge(other: Histogram): void {
    const words = this.words;
    assert(words.length === other.words.length, "histograms of two precisions do not add");
    const max = this.buckets + 1;
    for (let index = 0; index < max; index++) words[index] += other.words[index];
    words[max] = Math.max(words[max], other.words[max]);
  }

  clear(): void {
    this.words.fill(0);
  }

  count(): number {
    let count = 0;
    for (let index = 0; index < this.buckets; index++) count += this.words[index];
    return count;
  }

  sum(): number {
    return this.words[this.buckets];
  }

  /** NaN while nothing is counted, as are max and percentile. */
  mean(): number {
    return this.words[this.buckets] / this.count();
  }

  max(): number {
    return this.count() === 0 ? Number.NaN : this.words[this.buckets + 1];
  }

  /** The value that a share `q` (0 to 1) of the values does not exceed; at most 1/16 above the true one. */
  percentile(q: number): number {
    const count = this.count();
    if (count === 0) return Number.NaN;
    const rank = percentileRank(q, count);
    let seen = 0;
    let index = 0;
    for (; index < this.buckets - 1; index++) {
      seen += this.words[index];
      if (seen >= rank) break;
    }
    return Math.min(upperEdge(index, this.precision), this.words[this.buckets + 1]);
  }

  /** Calls back for each bucket that holds something, in order: its upper edge, and how many values it holds. */
  forEachBucket(callback: (upTo: number, count: number) => void): void {
    for (let index = 0; index < this.buckets; index++) {
      const count = this.words[index];
      if (count > 0) callback(upperEdge(index, this.precision), count);
    }
  }

  /** How many values are below 2 ** exponent: exact, for these are edges of buckets (cumulative buckets need that). */
  countBelowPowerOfTwo(exponent: number): number {
    if (exponent >= VALUE_BITS) return this.count();
    const end = bucketOf(2 ** exponent, this.precision);
    let count = 0;
    for (let index = 0; index < end; index++) count += this.words[index];
    return count;
  }
}

/** Which of `count` sorted values is the percentile, from 1. The small step back undoes 0.07 × 100 = 7.000000000000001. */
export function percentileRank(q: number, count: number): number {
  return Math.min(count, Math.max(1, Math.ceil(q * count - 1e-6)));
}

function wordsOf(precision: number): number {
  return (VALUE_BITS - precision + 1) * 2 ** precision + 2;
}

function bucketOf(whole: number, precision: number): number {
  if (whole < 0x8000_0000) {
    const value = whole | 0;
    if (value >>> precision === 0) return value;
    const shift = 31 - precision - Math.clz32(value);
    return (shift << precision) + (value >>> shift);
  }
  // Past 31 bits shifts no longer hold the value; its upper 27 bits do, and only the first precision + 1 of them matter.
  const high = (whole / 0x1_0000) | 0;
  const shift = 31 - precision - Math.clz32(high);
  return ((shift + 16) << precision) + (high >>> shift);
}

function upperEdge(bucket: number, precision: number): number {
  const subBuckets = 1 << precision;
  if (bucket < 2 * subBuckets) return bucket;
  const shift = (bucket >> precision) - 1;
  return (subBuckets + (bucket & (subBuckets - 1)) + 1) * 2 ** shift - 1;
}
