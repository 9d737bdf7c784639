import assert from "node:assert/strict";
import { test } from "node:test";
import { copyBytes } from "./bytes.ts";

test("a copy of a buffer's bytes does not change with the buffer", () => {
  const buffer = Buffer.from("abcdef");
  const copy = copyBytes(buffer, 1, 4);
  buffer.fill(0x7a);
  assert.equal(Buffer.from(copy).toString(), "bcd");
});
