import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encodeBlock } from "../block-message.ts";
import { cutBlock, readBlock } from "./drained-block.ts";
import { type Interval, uncovered } from "./intervals.ts";

const ORIGIN = "0123456789abcdef";
const line = (number: number): string => `{"ts":${1000 + number},"name":"n${number}"}\n`;
const linesOf = (first: number, end: number): string =>
  Array.from({ length: end - first }, (_, at) => line(first + at)).join("");

function read(
  from: number,
  first: number,
  end: number,
  text = linesOf(first, end),
): ReturnType<typeof readBlock> {
  const { header, payload } = encodeBlock({
    origin: ORIGIN,
    lane: 3,
    from,
    first,
    end,
    bytes: Buffer.from(text),
  });
  return readBlock(header, payload);
}

describe("a drained block", () => {
  test("comes out of its message with its source, its numbers and the bounds of its times", () => {
    const block = read(5, 7, 10);
    assert.ok(typeof block !== "string");
    assert.equal(block.source, `${ORIGIN}.3`);
    assert.deepEqual([block.first, block.end], [7, 10]);
    assert.deepEqual([block.timestampMsEarliest, block.timestampMsLatest], [1007, 1009]);
  });

  test("is cut to exactly the lines that are left", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 5 })), { maxLength: 6 }),
        (stretches) => {
          const covered = stretches
            .map(([from, length]): Interval => [from, from + length])
            .sort(([a], [b]) => a - b);
          const block = read(4, 4, 24);
          assert.ok(typeof block !== "string");
          const left = uncovered(covered, 4, 24);
          const pieces = cutBlock(block, left);
          assert.equal(
            pieces.map(({ bytes }) => bytes.toString()).join(""),
            left.map(([from, to]) => linesOf(from, to)).join(""),
          );
          assert.equal(
            pieces.reduce((sum, { lines }) => sum + lines, 0),
            left.reduce((sum, [from, to]) => sum + to - from, 0),
          );
        },
      ),
    );
  });

  test("with a line that recovery would take for damage is refused", () => {
    assert.match(String(read(0, 0, 2, `${line(0)}no line\n`)), /holds a line that is none/);
  });

  test("with bytes that are no UTF-8 is refused", () => {
    const bytes = Buffer.from([...Buffer.from('{"ts":1,"name":"'), 0xff, ...Buffer.from('"}\n')]);
    const { header, payload } = encodeBlock({ origin: ORIGIN, lane: 0, from: 0, first: 0, end: 1, bytes });
    assert.match(String(readBlock(header, payload)), /none of a log/);
  });

  test("of no lines has no pieces", () => {
    const block = read(4, 9, 9, "");
    assert.ok(typeof block !== "string");
    assert.deepEqual(cutBlock(block, uncovered([], block.first, block.end)), []);
  });
});
