import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { countLines } from "./line-count.ts";

/** A line of the log has at least its keys. */
const line = fc.integer({ min: 68, max: 300 }).map((length) => `${"x".repeat(length - 1)}\n`);

describe("counting lines", () => {
  test("counts as a plain search for line feeds does, up to a bound, never behind the end that is given", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.nat(14), fc.nat(4_000), (lines, most, cut) => {
        const bytes = Buffer.from(lines.join(""));
        const to = Math.min(cut, bytes.length);
        const ends: number[] = [];
        for (let at = 0; at < to && ends.length < most; at++) if (bytes[at] === 10) ends.push(at + 1);
        assert.deepEqual(countLines(bytes, to, most), { lines: ends.length, end: ends.at(-1) ?? 0 });
      }),
    );
  });

  test("what lies in the buffer behind the end, from a read before, is not counted", () => {
    const bytes = Buffer.from(`${"x".repeat(99)}\n`.repeat(3));
    assert.deepEqual(countLines(bytes, 199, 9), { lines: 1, end: 100 });
    assert.deepEqual(countLines(bytes, 200, 9), { lines: 2, end: 200 });
  });

  test("the shortest line that the log can have is found", () => {
    const shortest = '{"ts":0,"name":"a","value":0,"type":"gauge","tags":{},"client":"a"}\n';
    assert.equal(countLines(Buffer.from(shortest.repeat(100)), shortest.length * 100, 1_000).lines, 100);
  });
});
