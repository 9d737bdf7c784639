// What a store may say of when to come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FORWARD_RETRY_AFTER_MS_MAX } from "../limits.ts";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.parse("2026-01-31T10:00:00Z");

test("seconds and dates of HTTP count from now, and neither for ever", () => {
  assert.equal(retryAfterMs("7", NOW), 7_000);
  assert.equal(retryAfterMs(" 0 ", NOW), 0);
  assert.equal(retryAfterMs("Sat, 31 Jan 2026 10:00:30 GMT", NOW), 30_000);
  assert.equal(retryAfterMs("Saturday, 31-Jan-26 10:00:30 GMT", NOW), 30_000);
  assert.equal(retryAfterMs("Sat, 31 Jan 2026 09:00:00 GMT", NOW), 0);
  assert.equal(retryAfterMs("99999999", NOW), FORWARD_RETRY_AFTER_MS_MAX);
});

test("what says nothing is nothing", () => {
  for (const field of [undefined, "", "soon", "-5", "1.5", "Tomorrow, maybe"])
    assert.equal(retryAfterMs(field, NOW), null);
});
