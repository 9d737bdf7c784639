import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBudget } from "./memory-budget.ts";

test("a budget gives until it is used up, to the byte, and no further", () => {
  const budget = new MemoryBudget(100);
  assert.ok(budget.tryTake(60));
  assert.ok(!budget.tryTake(41));
  assert.equal(budget.bytesUsed, 60, "a refusal takes nothing");
  assert.ok(budget.tryTake(40));
  assert.ok(!budget.tryTake(1));
  assert.ok(budget.tryTake(0));
  budget.give(40);
  assert.ok(budget.tryTake(1));
  assert.equal(budget.bytesUsed, 61);
  assert.equal(budget.bytesMax, 100);
});

test("more than the whole budget is never had, and no size overflows it", () => {
  const budget = new MemoryBudget(100);
  assert.ok(!budget.tryTake(101));
  assert.ok(!budget.tryTake(Number.MAX_SAFE_INTEGER));
  assert.ok(!budget.tryTake(Number.POSITIVE_INFINITY));
  assert.equal(budget.bytesUsed, 0);
});

test("giving back more than was taken, or a negative or unknown amount either way, is our bug", () => {
  const budget = new MemoryBudget(100);
  budget.tryTake(10);
  assert.throws(() => budget.give(11), /no more memory/);
  assert.throws(() => budget.give(-1), /no more memory/);
  assert.throws(() => budget.give(Number.NaN), /no more memory/);
  assert.throws(() => budget.tryTake(-1), /tryTake/);
  assert.throws(() => budget.tryTake(Number.NaN), /tryTake/);
  assert.equal(budget.bytesUsed, 10);
  assert.throws(() => new MemoryBudget(0), /above 0/);
  assert.throws(() => new MemoryBudget(1.5), /whole number/);
});
