// What a follower reads of a lane, whatever its files look like: every line once, in order, and covers without holes.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { type LogFiles, realFiles } from "../log/files.ts";
import { segmentPath } from "../log/segment-name.ts";
import { type LaneBlock, LaneReader } from "./lane-reader.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-reader-"));
after(() => rmSync(root, { recursive: true, force: true }));

const BLOCK_BYTES = 256;
let folders = 0;
let filesOpen = 0;
const files: LogFiles = {
  ...realFiles,
  openRead(path) {
    filesOpen++;
    return realFiles.openRead(path);
  },
  close(fd) {
    filesOpen--;
    realFiles.close(fd);
  },
};

/** A segment: the numbers that nothing has before it, and the length of each of its lines. */
interface Piece {
  gap: number;
  lines: readonly number[];
  /** What a crash left behind its last whole line. */
  torn: boolean;
}

interface Lane {
  directory: string;
  /** By number. */
  lines: Map<number, string>;
  segments: number[];
  end: number;
}

function lineOf(number: number, length: number): string {
  const start = `{"n":${number},"pad":"`;
  return `${start}${"x".repeat(Math.max(0, length - start.length - 3))}"}\n`;
}

function layLane(pieces: readonly Piece[]): Lane {
  const directory = join(root, `${folders++}`);
  realFiles.mkdir(directory);
  const lane: Lane = { directory, lines: new Map(), segments: [], end: 0 };
  for (const { gap, lines, torn } of pieces) {
    lane.end += gap;
    lane.segments.push(lane.end);
    const path = segmentPath(directory, lane.end);
    let text = "";
    for (const length of lines) {
      const line = lineOf(lane.end, length);
      lane.lines.set(lane.end++, line);
      text += line;
    }
    writeFileSync(path, torn ? `${text}{"n":` : text);
  }
  return lane;
}

function readAll(reader: LaneReader, end: number): (LaneBlock & { text: string })[] {
  const blocks: (LaneBlock & { text: string })[] = [];
  for (let block = reader.read(end); block !== null; block = reader.read(end))
    blocks.push({ ...block, text: Buffer.from(block.bytes).toString() });
  return blocks;
}

/** The lines of [from, end) as they lie in the lane. */
function linesIn(lane: Lane, from: number, end: number): string {
  return [...lane.lines]
    .filter(([number]) => number >= from && number < end)
    .map(([, line]) => line)
    .join("");
}

/** No holes between covers, and each block has the lines that it says it has. */
function assertBlocks(lane: Lane, from: number, blocks: readonly (LaneBlock & { text: string })[]): number {
  let next = from;
  for (const block of blocks) {
    assert.equal(block.from, next, "a block begins where the one before it ended");
    assert.ok(block.from <= block.first && block.first <= block.end && block.from < block.end);
    assert.equal(block.text, linesIn(lane, block.from, block.end));
    assert.equal(block.text.split("\n").length - 1, block.end - block.first);
    next = block.end;
  }
  return next;
}

const piece = fc.record({
  gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 9 })),
  lines: fc.array(fc.oneof(fc.integer({ min: 64, max: 200 }), fc.integer({ min: 200, max: 1_500 })), {
    minLength: 1,
    maxLength: 8,
  }),
  torn: fc.boolean(),
});

describe("the blocks of a lane", () => {
  test("from any line to any line they hold exactly those lines, and cover every number between", () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.nat(60), fc.nat(60), (pieces, a, b) => {
        const lane = layLane(pieces);
        const [from, end] = [a % (lane.end + 1), b % (lane.end + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        const openBefore = filesOpen;
        const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
        reader.seek(from);
        assert.equal(assertBlocks(lane, from, readAll(reader, end)), end);
        reader.close();
        assert.equal(filesOpen, openBefore);
      }),
    );
  });

  test("a reader that is sent to and fro reads each time what is there", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 6 }),
        (pieces, jumps) => {
          const lane = layLane(pieces);
          const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
          for (const [a, b] of jumps) {
            const from = a % lane.end;
            reader.seek(from);
            const block = reader.read(Math.min(lane.end, from + 1 + b));
            assert.ok(block !== null);
            assertBlocks(lane, from, [{ ...block, text: Buffer.from(block.bytes).toString() }]);
          }
          reader.close();
        },
      ),
    );
  });

  test("what is not whole yet is read when it is", () => {
    const lane = layLane([{ gap: 0, lines: [80, 80], torn: false }]);
    const path = segmentPath(lane.directory, 0);
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    const third = lineOf(2, 90);
    appendFileSync(path, third.slice(0, 30));
    assert.equal(readAll(reader, 3).at(-1)?.end, 2);
    assert.equal(reader.read(3), null);
    appendFileSync(path, third.slice(30));
    assert.equal(Buffer.from(reader.read(3)!.bytes).toString(), third);
    reader.close();
  });

  test("nothing is read at or behind the end that is given, though it is in the file", () => {
    const lane = layLane([{ gap: 0, lines: [80, 80, 80], torn: false }]);
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    assert.equal(reader.read(0), null);
    assert.equal(reader.read(2)?.end, 2);
    assert.equal(reader.read(2), null);
    assert.equal(reader.read(3)?.first, 2);
    reader.close();
  });

  test("a lane without a folder or without a segment has nothing, and is looked at again", () => {
    const directory = join(root, "later");
    const reader = new LaneReader(files, directory, BLOCK_BYTES);
    assert.throws(() => reader.read(1), { code: "ENOENT" });
    realFiles.mkdir(directory);
    assert.equal(reader.read(1), null);
    writeFileSync(segmentPath(directory, 0), lineOf(0, 80));
    assert.equal(reader.read(1)?.end, 1);
    reader.close();
  });
});

describe("retention under a reader", () => {
  const pieces = [0, 1, 2].map(() => ({ gap: 0, lines: [120, 120, 120, 120], torn: false }));

  test("the segment that is being read is read to its end though it is deleted", () => {
    const lane = layLane(pieces);
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    const first = reader.read(12)!;
    unlinkSync(segmentPath(lane.directory, 0));
    const blocks = readAll(reader, 12);
    assert.equal(assertBlocks(lane, first.end, blocks), 12);
    reader.close();
  });

  test("numbers whose segment is gone are covered by the first block behind them", () => {
    const lane = layLane(pieces);
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    for (const segment of [0, 4]) unlinkSync(segmentPath(lane.directory, segment));
    const block = reader.read(12)!;
    assert.deepEqual([block.from, block.first], [0, 8]);
    reader.close();
  });

  test("where the segments behind the open one are gone too, what they held is covered", () => {
    const lane = layLane(pieces);
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    reader.read(12);
    unlinkSync(segmentPath(lane.directory, 4));
    const blocks = readAll(reader, 12);
    assert.deepEqual(
      blocks.map(({ from, first, end }) => [from, first, end]),
      [
        [2, 2, 4],
        [4, 8, 10],
        [10, 10, 12],
      ],
    );
    reader.close();
  });

  test("an end that lies in what is gone is reached by a block without lines", () => {
    const lane = layLane(pieces);
    for (const segment of [0, 4]) unlinkSync(segmentPath(lane.directory, segment));
    const reader = new LaneReader(files, lane.directory, BLOCK_BYTES);
    const block = reader.read(6)!;
    assert.deepEqual([block.from, block.first, block.end, block.bytes.length], [0, 6, 6, 0]);
    assert.equal(reader.read(9)?.first, 8);
    reader.close();
  });
});
