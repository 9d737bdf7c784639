// The cursor against the plainest model of it: the set of numbers that are done.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FOLLOW_LATE_MAX } from "../limits.ts";
import { LaneCursor } from "./lane-cursor.ts";

const NUMBERS = 400;

type Step = { kind: "fresh" | "jump" | "late" | "again" | "cut"; by: number };
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("fresh", "jump", "late", "again", "cut"),
  by: fc.integer({ min: 1, max: 20 }),
});

function doneBy(cursor: LaneCursor): Set<number> {
  const done = new Set<number>();
  for (let number = 0; number < cursor.fresh; number++)
    if (!cursor.late.some(({ from, to }) => number >= from && number < to)) done.add(number);
  return done;
}

/** Takes the step on both; false where the cursor has no room for it. */
function take(cursor: LaneCursor, done: Set<number>, { kind, by }: Step): void {
  const oldest = cursor.late[0];
  if (kind === "fresh") {
    for (let number = cursor.fresh; number < cursor.fresh + by; number++) done.add(number);
    cursor.fresh += by;
  } else if (kind === "jump") {
    cursor.tryJump(cursor.fresh + by);
  } else if (kind === "late" && oldest !== undefined) {
    const to = Math.min(oldest.from + by, oldest.to);
    for (let number = oldest.from; number < to; number++) done.add(number);
    cursor.doneLate(to);
  } else if (kind === "again") {
    // the last lines of what is done without a gap, all of them or but for the middle one
    const to = cursor.needed;
    const from = Math.max(0, to - by);
    const middle = (from + to) >> 1;
    const ranges =
      by % 2 === 0
        ? [[from, to]]
        : [
            [from, middle],
            [middle + 1, to],
          ];
    const lost = ranges
      .filter(([first, end]) => first! < end!)
      .map(([first, end]) => ({ from: first!, to: end! }));
    if (cursor.late.length + lost.length > FOLLOW_LATE_MAX / 2) return;
    for (const range of lost) for (let number = range.from; number < range.to; number++) done.delete(number);
    assert.deepEqual(cursor.again(lost), lost);
    if (lost.length > 0) assert.deepEqual(cursor.again([{ from: 0, to: 1 }]), [], "one after the other");
    assert.equal(cursor.needed, lost[0]?.from ?? to);
    cursor.takeAgain();
  } else if (kind === "cut") {
    const end = Math.max(0, cursor.fresh - by);
    for (const number of done) if (number >= end) done.delete(number);
    cursor.cutTo(end);
  }
}

function assertShape({ late, fresh, needed, freshFrom, lateLines }: LaneCursor): void {
  let before = -1;
  for (const { from, to } of late) {
    assert.ok(from > before && to > from, "ranges ascend, apart from each other, none empty");
    before = to;
  }
  assert.ok(before <= fresh);
  assert.ok(needed <= fresh && freshFrom <= fresh);
  assert.equal(
    lateLines,
    late.reduce((lines, { from, to }) => lines + to - from, 0),
  );
}

describe("a lane's cursor", () => {
  test("knows after any steps exactly which lines are done", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const cursor = new LaneCursor();
        const done = new Set<number>();
        for (const one of steps) {
          take(cursor, done, one);
          assertShape(cursor);
          assert.deepEqual(
            [...doneBy(cursor)],
            [...done].sort((a, b) => a - b),
          );
          const needed = Array.from({ length: NUMBERS + 1 }, (_, number) => number).find(
            (number) => !done.has(number),
          );
          assert.equal(cursor.needed, needed);
          for (let number = cursor.freshFrom; number < cursor.fresh; number++) assert.ok(done.has(number));
        }
      }),
    );
  });

  test("never takes back that a line is done, unless the lane has lost it or it is to be done again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const cursor = new LaneCursor();
        for (const one of steps) {
          const before = doneBy(cursor);
          take(cursor, new Set(), one);
          if (one.kind === "again") continue;
          const now = doneBy(cursor);
          for (const number of before)
            assert.ok(now.has(number) || (one.kind === "cut" && number >= cursor.fresh));
        }
      }),
    );
  });

  test("leaves no more than so many ranges for later, and is then as it was", () => {
    const cursor = new LaneCursor();
    for (let range = 0; range < FOLLOW_LATE_MAX; range++) {
      assert.ok(cursor.tryJump(cursor.fresh + 10));
      cursor.fresh += 1;
    }
    const { fresh } = cursor;
    assert.equal(cursor.tryJump(fresh + 10), false);
    assert.deepEqual([cursor.fresh, cursor.late.length], [fresh, FOLLOW_LATE_MAX]);
    cursor.doneLate(10);
    assert.ok(cursor.tryJump(fresh + 10));
  });

  test("two jumps with nothing done between them leave one range", () => {
    const cursor = new LaneCursor(5);
    cursor.tryJump(10);
    cursor.tryJump(30);
    assert.deepEqual(cursor.late, [{ from: 5, to: 30 }]);
  });

  test("takes again no more than it has room for", () => {
    const cursor = new LaneCursor(1_000);
    for (let range = 0; range < FOLLOW_LATE_MAX / 2 - 1; range++) {
      cursor.tryJump(cursor.fresh + 10);
      cursor.fresh += 1;
    }
    const ranges = [
      { from: 10, to: 20 },
      { from: 30, to: 40 },
    ];
    assert.deepEqual(cursor.again(ranges), ranges.slice(0, 1));
    assert.deepEqual(cursor.left[0], ranges[0]);
    cursor.takeAgain();
    assert.deepEqual([cursor.late.length, cursor.late[0]], [FOLLOW_LATE_MAX / 2, ranges[0]]);
    assert.deepEqual(cursor.again([{ from: 5, to: 7 }]), []);
    assert.equal(cursor.needed, 10);
    assert.ok(cursor.tryJump(cursor.fresh + 10), "an outage has room beside it");
  });

  test("does not keep the ranges that it was given", () => {
    const ranges = [{ from: 0, to: 10 }];
    const cursor = new LaneCursor(20, ranges);
    cursor.doneLate(5);
    assert.deepEqual(ranges, [{ from: 0, to: 10 }]);
  });
});
