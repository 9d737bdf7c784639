import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isJson } from "./json-check.ts";
import { checkLines } from "./line-check.ts";

const agrees = (text: string) => {
  let expected = true;
  try {
    JSON.parse(text);
  } catch {
    expected = false;
  }
  const bytes = Buffer.from(text);
  assert.equal(isJson(bytes, 0, bytes.length), expected, text);
};
const shallow = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value));
const texts = fc.oneof(
  shallow,
  shallow.map((text) => JSON.stringify(JSON.parse(text), null, 1)),
);

describe("isJson", () => {
  test("takes what JSON.parse takes", () => {
    fc.assert(fc.property(texts, agrees), { numRuns: 300 });
  });

  test("agrees with JSON.parse on texts with something taken out, put in or changed", () => {
    const piece = fc.constantFrom(
      ...'{}[]",:\\/u019afE+-.e \n\t\0ntrul',
      "\\u00e9",
      "null",
      "00",
      "1e5",
      "-",
    );
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat({ max: 3 }), piece, (text, where, taken, put) => {
        const at = where % (text.length + 1);
        agrees(text.slice(0, at) + put + text.slice(at + taken));
        agrees(text.slice(0, at));
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with JSON.parse on numbers and words", () => {
    const character = fc.constantFrom(..."0123456789-+.eE", "true", "null", "fals", "e");
    fc.assert(
      fc.property(fc.array(character, { maxLength: 8 }), (list) => agrees(list.join(""))),
      { numRuns: 2000 },
    );
  });

  test("ends where its range ends, and at a depth", () => {
    assert.equal(isJson(Buffer.from("[1]2"), 0, 3), true);
    assert.equal(isJson(Buffer.from("[1]2"), 0, 4), false);
    assert.equal(isJson(Buffer.from('"abc"'), 0, 4), false);
    assert.equal(isJson(Buffer.from(`${"[".repeat(100_000)}`), 0, 100_000), false);
  });
});

describe("checkLines", () => {
  test("counts lines and finds the earliest and the latest time", () => {
    const text = '{"ts":5,"a":1}\n{"ts":-3}\n{"ts":9007199254740991,"b":{}}\n{"ts":1';
    assert.deepEqual(checkLines(Buffer.from(text), 0, text.length, true), {
      end: text.length - 7,
      lines: 3,
      timestampMsEarliest: -3,
      timestampMsLatest: 9007199254740991,
      badEnd: -1,
    });
  });

  const bad = [
    '{"ts":1.5}',
    '{"ts":"1"}',
    '{"ts":1e3}',
    '{"ts":}',
    '{"ts":-}',
    '{"ts":99999999999999999}',
    "",
  ];
  for (const line of [
    ...bad,
    '{"ts":01}',
    ' {"ts":1}',
    '{"ts":1} ',
    '{"ts":1',
    '{"ts":1,}',
    '{"ts":9007199254740993}',
  ]) {
    test(`stops before ${JSON.stringify(line)}`, () => {
      const text = `{"ts":1}\n${line}\n{"ts":2}\n`;
      const checked = checkLines(Buffer.from(text), 0, text.length, true);
      assert.equal(checked.lines, 1);
      assert.equal(checked.badEnd, `{"ts":1}\n${line}\n`.length);
    });
  }
});
