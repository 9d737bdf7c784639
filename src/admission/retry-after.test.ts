import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { drainWaitMs, RETRY_AFTER_S_MAX, retryAfterS } from "./retry-after.ts";

const waitMs = fc.double({ min: 0, max: RETRY_AFTER_S_MAX * 1000, noNaN: true });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("Retry-After is whole seconds, at least 1, and never sends a client back too early", () => {
  fc.assert(
    fc.property(waitMs, random, (wait, chance) => {
      const seconds = retryAfterS(wait, () => chance);
      assert.ok(Number.isInteger(seconds) && seconds >= 1);
      assert.ok(seconds * 1000 >= wait);
      assert.ok(seconds <= 1.5 * Math.ceil(wait / 1000) + 3, `${seconds} s for ${wait} ms is too late`);
    }),
  );
});

test("clients refused for the same wait are spread over at least three different seconds", () => {
  for (const wait of [1, 1000, 2500, 10_000, 60_000]) {
    const seconds = new Set<number>();
    for (let chance = 0; chance < 1; chance += 0.01) seconds.add(retryAfterS(wait, () => chance));
    assert.ok(seconds.size >= 3, `${wait} ms: ${[...seconds]}`);
  }
});

test("no wait, however long, sends a client away for more than a minute and half of one", () => {
  assert.equal(
    retryAfterS(Number.POSITIVE_INFINITY, () => 0),
    RETRY_AFTER_S_MAX,
  );
  assert.equal(
    retryAfterS(1e12, () => 0.999),
    RETRY_AFTER_S_MAX * 1.5,
  );
});

test("a queue's wait is what it holds over the rate it drains at", () => {
  assert.equal(drainWaitMs(10_000_000, 5_000_000), 2000);
  assert.equal(drainWaitMs(1, 5_000_000), 1);
  assert.equal(drainWaitMs(0, 5_000_000), 0);
  assert.equal(drainWaitMs(1e15, 1), RETRY_AFTER_S_MAX * 1000);
});

test("a queue that does not drain is worth another look in a second", () => {
  for (const rate of [0, -1, Number.NaN]) assert.equal(drainWaitMs(1_000_000, rate), 1000);
});
