// What may not reach a terminal, and that JSON stays the JSON that it was.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { printable } from "./printable.ts";

const STEERING = [
  "\x00",
  "\x1b",
  "\x7f",
  "\x85",
  "\x9b",
  "\u061c",
  "\u200e",
  "\u2028",
  "\u202e",
  "\u2066",
  "\ufeff",
];

describe("text for a person", () => {
  test("holds no control character, line separator or change of direction", () => {
    assert.equal(printable("a\x1b[31mb"), "a\\u001b[31mb");
    for (const character of STEERING) {
      assert.match(printable(character), /^\\u[0-9a-f]{4}$/, JSON.stringify(character));
    }
  });

  test("keeps letters of every script, and what it is told to keep", () => {
    assert.equal(printable("Grüße, Ελλάδα, 日本, 🙂"), "Grüße, Ελλάδα, 日本, 🙂");
    assert.equal(printable("one\ntwo\t", "\n"), "one\ntwo\\u0009");
  });

  test("means the same where it is JSON", () => {
    const value = { name: STEERING.join("x"), "\u202e": "\x9b" };
    const text = printable(JSON.stringify(value));
    assert.doesNotMatch(text, /[\x7f-\x9f\u2028\u202e]/);
    assert.deepEqual(JSON.parse(text), value);
  });
});
