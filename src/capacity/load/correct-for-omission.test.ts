import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram } from "../../base/histogram.ts";
import { correctForOmission } from "./correct-for-omission.ts";

function histogramOf(values: readonly (readonly [value: number, count: number])[]): Histogram {
  const histogram = Histogram.fine();
  for (const [value, count] of values) histogram.recordMany(value, count);
  return histogram;
}

function countsOf(histogram: Histogram): [number, number][] {
  const counts: [number, number][] = [];
  histogram.forEachBucket((upTo, count) => counts.push([upTo, count]));
  return counts;
}

describe("the correction for requests that a slow answer kept back", () => {
  test("fills them in one median apart, the least being one median", () => {
    const corrected = correctForOmission(
      histogramOf([
        [10, 3],
        [45, 1],
      ]),
    );
    assert.deepEqual(countsOf(corrected), [
      [10, 3],
      [15, 1],
      [25, 1],
      [35, 1],
      [45, 1],
    ]);
  });

  test("fills in as often as the slow value occurred, and leaves values below two medians alone", () => {
    const corrected = correctForOmission(
      histogramOf([
        [10, 9],
        [19, 4],
        [30, 2],
      ]),
    );
    assert.deepEqual(countsOf(corrected), [
      [10, 11],
      [19, 4],
      [20, 2],
      [30, 2],
    ]);
  });

  test("leaves the histogram it is given as it is, and an empty one empty", () => {
    const given = histogramOf([
      [10, 3],
      [45, 1],
    ]);
    correctForOmission(given);
    assert.equal(given.count(), 4);
    assert.equal(correctForOmission(Histogram.fine()).count(), 0);
  });

  // 100 s at 1 ms each, then one answer that took 100 s: half of all that should have been sent in 200 s met the stall.
  test("shows a stall of half the time in half the percentiles", () => {
    const corrected = correctForOmission(
      histogramOf([
        [1_000_000, 100_000],
        [100_000_000_000, 1],
      ]),
    );
    assert.ok(Math.abs(corrected.count() - 200_000) <= 400, `${corrected.count()}`);
    const p75 = corrected.percentile(0.75);
    assert.ok(Math.abs(p75 - 50e9) <= 0.01 * 50e9, `${p75}`);
    assert.equal(corrected.max(), 100_000_000_000);
  });

  test("weighs instead of walks where millions are missing", () => {
    const corrected = correctForOmission(
      histogramOf([
        [1_000, 10],
        [3_600_000_000_000, 1],
      ]),
    );
    assert.ok(Math.abs(corrected.count() - 3_600_000_000) <= 36_000_000, `${corrected.count()}`);
    const p50 = corrected.percentile(0.5);
    assert.ok(Math.abs(p50 - 1.8e12) <= 0.01 * 1.8e12, `${p50}`);
  });
});
