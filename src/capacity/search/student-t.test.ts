import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { studentT } from "./student-t.ts";

describe("Student's t", () => {
  // Two-sided 95 % and 99 %, as every printed table has them.
  const table: readonly [degrees: number, t95: number, t99: number][] = [
    [1, 12.706, 63.657],
    [2, 4.303, 9.925],
    [3, 3.182, 5.841],
    [4, 2.776, 4.604],
    [5, 2.571, 4.032],
    [7, 2.365, 3.499],
    [10, 2.228, 3.169],
    [29, 2.045, 2.756],
    [30, 2.042, 2.75],
    [120, 1.98, 2.617],
  ];
  for (const [degrees, t95, t99] of table)
    test(`with ${degrees} degrees of freedom is what the tables say`, () => {
      assert.ok(Math.abs(studentT(0.95, degrees) - t95) <= 5e-4, `${studentT(0.95, degrees)}`);
      assert.ok(Math.abs(studentT(0.99, degrees) - t99) <= 5e-4, `${studentT(0.99, degrees)}`);
    });

  test("with very many is the normal distribution's", () => {
    assert.ok(Math.abs(studentT(0.95, 1_000_000) - 1.96) < 0.004);
  });

  test("refuses what is no confidence and no degrees of freedom", () => {
    assert.throws(() => studentT(1, 3));
    assert.throws(() => studentT(0.95, 0));
    assert.throws(() => studentT(0.95, 1.5));
  });
});
