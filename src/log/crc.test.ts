import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { crcOf } from "./crc.ts";

test("it is zlib's, for any part, length and seed", () => {
  const bytes = fc.uint8Array({ maxLength: 1500, size: "max" });
  const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(bytes, fc.nat(), seed, (part, skip, value) => {
      const from = part.length === 0 ? 0 : skip % part.length;
      assert.equal(crcOf(part, from, part.length, value), crc32(part.subarray(from), value));
    }),
    { numRuns: 200 },
  );
});
