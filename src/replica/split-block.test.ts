import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Block } from "./block-message.ts";
import { splitBlock } from "./split-block.ts";

function blockOf(lengths: readonly number[], gap: number): Block {
  const bytes = Buffer.from(lengths.map((length) => `${"x".repeat(length)}\n`).join(""));
  return {
    origin: "00000000000000aa",
    lane: 0,
    from: 7,
    first: 7 + gap,
    end: 7 + gap + lengths.length,
    bytes,
  };
}

const lengths = fc.array(fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2_000 })), {
  minLength: 2,
  maxLength: 12,
});

describe("halves of a block", () => {
  test("cover what it covered and hold its lines, each at least one", () => {
    fc.assert(
      fc.property(lengths, fc.nat(5), (sizes, gap) => {
        const block = blockOf(sizes, gap);
        const [one, other] = splitBlock(block)!;
        assert.deepEqual([one.from, one.first], [block.from, block.first]);
        assert.deepEqual([other.from, other.first, other.end], [one.end, one.end, block.end]);
        for (const half of [one, other]) {
          const text = Buffer.from(half.bytes).toString();
          assert.equal(text.split("\n").length - 1, half.end - half.first);
          assert.ok(half.end > half.first && text.endsWith("\n"));
        }
        assert.deepEqual(Buffer.concat([one.bytes, other.bytes]), block.bytes);
      }),
    );
  });

  test("are as near to halves as its lines allow", () => {
    const [one, other] = splitBlock(blockOf(Array(100).fill(99), 0))!;
    assert.deepEqual([one.bytes.length, other.bytes.length], [5_100, 4_900]);
    const [small, large] = splitBlock(blockOf([10, 5_000], 0))!;
    assert.deepEqual([small.end - small.first, large.end - large.first], [1, 1]);
  });

  test("there are none of a single line, nor of no line", () => {
    assert.equal(splitBlock(blockOf([50], 3)), null);
    assert.equal(splitBlock(blockOf([], 3)), null);
  });
});
