import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encodeBlock } from "../block-message.ts";
import { type DrainedBlock, readBlock } from "./drained-block.ts";
import { planGroup } from "./group.ts";
import type { Interval } from "./intervals.ts";

const ORIGINS = ["00000000000000aa", "00000000000000bb"];

function blockOf(origin: number, lane: number, first: number, end: number): DrainedBlock {
  let text = "";
  for (let at = first; at < end; at++) text += `{"ts":${at},"name":"${origin}.${lane}.${at}"}\n`;
  const bytes = Buffer.from(text);
  const { header, payload } = encodeBlock({
    origin: ORIGINS[origin]!,
    lane,
    from: first - 1,
    first,
    end,
    bytes,
  });
  const block = readBlock(header, payload);
  assert.ok(typeof block !== "string", String(block));
  return block;
}

const blocks = fc.array(
  fc
    .tuple(fc.nat(1), fc.nat(1), fc.integer({ min: 1, max: 30 }), fc.nat(8))
    .map(([origin, lane, first, length]) => blockOf(origin, lane, first, first + length)),
  { minLength: 1, maxLength: 8 },
);

describe("the plan of a group", () => {
  test("stores each line once over all groups, whatever overlaps in them and between them", () => {
    fc.assert(
      fc.property(fc.array(blocks, { maxLength: 6 }), (groups) => {
        let lanes: Readonly<Record<string, readonly Interval[]>> = {};
        const stored: string[] = [];
        let again = 0;
        for (const group of groups) {
          const plan = planGroup(group, lanes);
          const text = plan.pieces.map(({ bytes }) => bytes.toString()).join("");
          const lines = text.split("\n").slice(0, -1);
          assert.equal(lines.length, plan.lines);
          assert.equal(text.length, plan.bytes);
          stored.push(...lines);
          again += plan.linesAgain;
          lanes = plan.lanes;
        }
        const sent = groups.flat().flatMap(({ bytes }) => bytes.toString().split("\n").slice(0, -1));
        assert.deepEqual(stored.toSorted(), [...new Set(sent)].toSorted());
        assert.equal(again, sent.length - stored.length);
      }),
    );
  });

  test("of blocks without lines has nothing to store and covers nothing", () => {
    assert.deepEqual(planGroup([blockOf(0, 0, 5, 5)], {}), {
      pieces: [],
      lanes: {},
      lines: 0,
      bytes: 0,
      linesAgain: 0,
    });
  });
});
