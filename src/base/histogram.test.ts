import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  HISTOGRAM_VALUE_MAX,
  HISTOGRAM_WORDS,
  HISTOGRAM_WORDS_FINE,
  Histogram,
  percentileRank,
} from "./histogram.ts";

const values = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 64 }),
    fc.integer({ min: 0, max: 2_000_000 }),
    fc.maxSafeInteger().map((whole) => Math.abs(whole) % (HISTOGRAM_VALUE_MAX + 1)),
    fc.integer({ min: 0, max: 42 }).map((exponent) => 2 ** exponent),
    fc.integer({ min: 1, max: 43 }).map((exponent) => 2 ** exponent - 1),
  ),
  { minLength: 1, maxLength: 200 },
);

function histogramOf(list: number[], histogram = new Histogram()): Histogram {
  for (const value of list) histogram.record(value);
  return histogram;
}

describe("a histogram", () => {
  test("reports a percentile that is never below the true one and at most a sixteenth above", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[percentileRank(q, list.length) - 1]!;
        const reported = histogramOf(list).percentile(q);
        assert.ok(reported >= exact, `${reported} is below ${exact}`);
        assert.ok(reported <= exact * (1 + 1 / 16), `${reported} is too far above ${exact}`);
      }),
    );
  });

  test("knows count, mean and max exactly", () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = histogramOf(list);
        const sum = list.reduce((a, b) => a + b, 0);
        assert.equal(histogram.count(), list.length);
        assert.equal(histogram.max(), Math.max(...list));
        assert.ok(Math.abs(histogram.sum() - sum) <= sum * 1e-12);
        assert.ok(Math.abs(histogram.mean() - sum / list.length) <= sum * 1e-12);
      }),
    );
  });

  test("merged with another is the histogram of both lists", () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const words = new Float64Array(HISTOGRAM_WORDS);
        const merged = new Histogram(words);
        merged.merge(histogramOf(left));
        merged.merge(histogramOf(right));
        const wanted = histogramOf([...left, ...right]);
        for (const q of [0, 0.5, 0.9, 0.99, 1]) assert.equal(merged.percentile(q), wanted.percentile(q));
        assert.equal(merged.count(), wanted.count());
        assert.equal(merged.max(), wanted.max());
        assert.ok(Math.abs(merged.sum() - wanted.sum()) <= wanted.sum() * 1e-12);
      }),
    );
  });

  test("counts exactly what lies below a power of two", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 50 }), (list, exponent) => {
        const below = list.filter((value) => value < 2 ** exponent).length;
        assert.equal(histogramOf(list).countBelowPowerOfTwo(exponent), below);
      }),
    );
  });

  test("counts what is no proper value at its ends instead of losing it", () => {
    const histogram = histogramOf([Number.NaN, -5, 0.75, Number.POSITIVE_INFINITY, 2 ** 60]);
    assert.equal(histogram.count(), 5);
    assert.equal(histogram.percentile(0.6), 0);
    assert.equal(histogram.max(), HISTOGRAM_VALUE_MAX);
    assert.equal(histogram.percentile(1), HISTOGRAM_VALUE_MAX);
  });

  test("that is empty says NaN, not 0", () => {
    const histogram = new Histogram();
    assert.equal(histogram.count(), 0);
    assert.ok(Number.isNaN(histogram.mean()));
    assert.ok(Number.isNaN(histogram.max()));
    assert.ok(Number.isNaN(histogram.percentile(0.99)));
  });
});

describe("a fine histogram", () => {
  test("reports a percentile that is never below the true one and at most 1/256 above", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[percentileRank(q, list.length) - 1]!;
        const reported = histogramOf(list, Histogram.fine()).percentile(q);
        assert.ok(reported >= exact, `${reported} is below ${exact}`);
        assert.ok(reported <= exact * (1 + 1 / 256), `${reported} is too far above ${exact}`);
      }),
    );
  });

  test("has count, sum, max, powers of two and buckets as a coarse one has", () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 50 }), (list, exponent) => {
        const fine = histogramOf(list, Histogram.fine());
        const coarse = histogramOf(list);
        assert.equal(fine.count(), coarse.count());
        assert.equal(fine.sum(), coarse.sum());
        assert.equal(fine.max(), coarse.max());
        assert.equal(fine.countBelowPowerOfTwo(exponent), coarse.countBelowPowerOfTwo(exponent));
        let [seen, before] = [0, -1];
        fine.forEachBucket((upTo, count) => {
          assert.ok(upTo > before, `${upTo} after ${before}`);
          before = upTo;
          seen += count;
          assert.equal(list.filter((value) => value <= upTo).length, seen);
        });
        assert.equal(seen, list.length);
      }),
    );
  });

  test("merged with another is the histogram of both lists, word for word", () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const merged = histogramOf(left, Histogram.fine());
        merged.merge(histogramOf(right, Histogram.fine()));
        const wanted = histogramOf([...left, ...right], Histogram.fine());
        const buckets = HISTOGRAM_WORDS_FINE - 2;
        assert.deepEqual(merged.words.subarray(0, buckets), wanted.words.subarray(0, buckets));
        assert.equal(merged.max(), wanted.max());
      }),
    );
  });

  test("is emptied by clear", () => {
    const histogram = histogramOf([1, 2, 3], Histogram.fine());
    histogram.clear();
    assert.equal(histogram.count(), 0);
    assert.equal(histogram.sum(), 0);
  });

  test("does not add to a coarse one", () => {
    assert.throws(() => Histogram.fine().merge(new Histogram()), /two precisions/);
    assert.throws(() => new Histogram(new Float64Array(100)), /HISTOGRAM_WORDS/);
  });
});

describe("a value counted many times at once", () => {
  test("counts as often as one by one, and zero times not at all", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(-3, 0, 7.9, 1e6, 2 ** 50),
        fc.integer({ min: 0, max: 20 }),
        (value, count) => {
          const many = new Histogram();
          many.recordMany(value, count);
          const single = histogramOf(Array.from({ length: count }, () => value));
          assert.deepEqual(many.words, single.words);
        },
      ),
    );
  });
});
