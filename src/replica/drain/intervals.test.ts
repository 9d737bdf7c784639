import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { areIntervals, type Interval, uncovered, withCovered } from "./intervals.ts";

/** Blocks as they may come: any order, overlapping, again. */
const blocks = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 12 }))
    .map(([from, length]): Interval => [from, from + length]),
  { maxLength: 30 },
);

function numbersOf(intervals: readonly Interval[]): number[] {
  return intervals.flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at));
}

describe("intervals", () => {
  test("cover what the blocks covered, whatever their order", () => {
    fc.assert(
      fc.property(blocks, (list) => {
        const covered = list.reduce<Interval[]>((sum, [from, to]) => withCovered(sum, from, to), []);
        const wanted = [...new Set(numbersOf(list))].sort((a, b) => a - b);
        assert.deepEqual(numbersOf(covered), wanted);
        assert.ok(areIntervals(covered), JSON.stringify(covered));
      }),
    );
  });

  test("let each number through once, however often blocks with it come", () => {
    fc.assert(
      fc.property(blocks, (list) => {
        let covered: Interval[] = [];
        const through: number[] = [];
        for (const [from, to] of list) {
          through.push(...numbersOf(uncovered(covered, from, to)));
          covered = withCovered(covered, from, to);
        }
        assert.equal(new Set(through).size, through.length);
        assert.deepEqual(
          through.toSorted((a, b) => a - b),
          numbersOf(covered),
        );
      }),
    );
  });

  test("give what is not covered in order, within what was asked for", () => {
    assert.deepEqual(
      uncovered(
        [
          [3, 5],
          [8, 10],
        ],
        0,
        12,
      ),
      [
        [0, 3],
        [5, 8],
        [10, 12],
      ],
    );
    assert.deepEqual(
      uncovered(
        [
          [3, 5],
          [8, 10],
        ],
        4,
        9,
      ),
      [[5, 8]],
    );
    assert.deepEqual(uncovered([[3, 5]], 3, 5), []);
    assert.deepEqual(uncovered([], 1, 2), [[1, 2]]);
  });

  test("grow together where they touch", () => {
    assert.deepEqual(
      withCovered(
        [
          [0, 3],
          [5, 8],
        ],
        3,
        5,
      ),
      [[0, 8]],
    );
    assert.deepEqual(withCovered([[0, 3]], 4, 5), [
      [0, 3],
      [4, 5],
    ]);
  });

  test("are told from what is none", () => {
    for (const value of [
      null,
      {},
      [[1]],
      [[2, 1]],
      [
        [0, 3],
        [3, 4],
      ],
      [[0, 1.5]],
      [["0", 1]],
      [[-2, 1]],
    ])
      assert.equal(areIntervals(value), false, JSON.stringify(value));
    assert.equal(areIntervals([]), true);
  });
});
