import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { retryMs } from "./backoff.ts";

test("waits double from the least to the most, and stay there", () => {
  const longest = () => 1;
  assert.deepEqual(
    [0, 1, 2, 3, 6, 7, 1_000].map((failures) => retryMs(failures, 100, 5_000, longest)),
    [100, 200, 400, 800, 5_000, 5_000, 5_000],
  );
});

test("any wait is in the upper half of what its failures ask for", () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, random) => {
        const ms = retryMs(failures, 100, 5_000, () => random);
        const whole = Math.min(5_000, 100 * 2 ** failures);
        assert.ok(ms >= whole / 2 && ms <= whole, `${ms}`);
      },
    ),
  );
});
