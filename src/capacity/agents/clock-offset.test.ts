import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { findClockOffset } from "./clock-offset.ts";

const way = fc.double({ min: 0, max: 100, noNaN: true });

describe("the offset of a clock", () => {
  test("is never farther from the truth than it says, however uneven the way", () => {
    const ways = fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), ways, (truth, list) => {
        const readings = list.map(([there, back], index) => {
          const askedMs = index * 1000;
          return { askedMs, theirMs: askedMs + there + truth, answeredMs: askedMs + there + back };
        });
        const { offsetMs, errorMs } = findClockOffset(readings)!;
        assert.ok(Math.abs(offsetMs - truth) <= errorMs + 1e-6);
        const quickest = Math.min(...list.map(([there, back]) => (there + back) / 2));
        assert.ok(Math.abs(errorMs - quickest) < 1e-6);
      }),
    );
  });

  test("is unknown where nothing was answered", () => {
    assert.equal(findClockOffset([]), null);
  });
});
