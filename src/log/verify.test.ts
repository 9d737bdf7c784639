import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileError } from "./faulty-files.ts";
import { type LogFiles, realFiles } from "./files.ts";
import { recoverLane } from "./recovery.ts";
import { segmentPath, segmentStem } from "./segment-name.ts";
import { verifyLane } from "./verify.ts";

let root: string;
let lane: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-verify-"));
  lane = join(root, "lane-0");
  mkdirSync(lane);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const lines = (count: number) =>
  Array.from({ length: count }, (_, at) => `{"ts":${at},"name":"m"}\n`).join("");
const index = () => join(lane, `${segmentStem(0)}.idx`);

function laySealed(count: number): string {
  writeFileSync(segmentPath(lane, 0), lines(count));
  recoverLane(realFiles, lane, () => {});
  return segmentPath(lane, 0);
}

function write(path: string, at: number, byte: number): void {
  const bytes = readFileSync(path);
  bytes[at] = byte;
  writeFileSync(path, bytes);
}

describe("verifyLane", () => {
  test("finds nothing in what is whole", () => {
    laySealed(1000);
    const [verdict, ...others] = verifyLane(realFiles, lane);
    assert.deepEqual(others, []);
    const bytes = lines(1000).length;
    assert.deepEqual(verdict, {
      firstSequence: 0,
      path: segmentPath(lane, 0),
      bytes,
      lines: 1000,
      isSealed: true,
      findings: [],
      damagedRecords: 0,
      damagedBytes: 0,
      damagedLines: 0,
      tornBytes: 0,
      index: "good",
    });
  });

  test("finds a flipped bit in a sealed segment, and what a sealed one lacks", () => {
    const path = laySealed(1000);
    write(path, 500, 0x31);
    const bytes = lines(1000).length;
    const finding = { offset: 0, bytes, records: 1, lines: 1000, isMissing: false };
    assert.deepEqual([...verifyLane(realFiles, lane)][0]!.findings, [finding]);
    writeFileSync(path, lines(600));
    assert.deepEqual([...verifyLane(realFiles, lane)][0]!.findings, [
      {
        offset: lines(600).length,
        bytes: bytes - lines(600).length,
        records: 1,
        lines: 400,
        isMissing: true,
      },
    ]);
  });

  test("without an index, or with a damaged one, reads the lines and says so", () => {
    const path = laySealed(1000);
    write(index(), 3, 0x55);
    assert.equal([...verifyLane(realFiles, lane)][0]!.index, "damaged");
    rmSync(index());
    write(path, 24, 0);
    const [verdict] = verifyLane(realFiles, lane);
    assert.equal(verdict!.index, "missing");
    assert.equal(verdict!.damagedRecords, 1);
    assert.equal(verdict!.lines, 999);
  });

  test("a torn end of an open segment is no damage", () => {
    writeFileSync(segmentPath(lane, 0), `${lines(5)}{"ts":`);
    const [verdict] = verifyLane(realFiles, lane);
    assert.deepEqual([verdict!.damagedRecords, verdict!.tornBytes, verdict!.lines], [0, 6, 5]);
  });

  test("a segment that is deleted before its turn is left out", () => {
    laySealed(5);
    const files: LogFiles = {
      ...realFiles,
      readdir: () => [`${segmentStem(0)}.jsonl`, `${segmentStem(9)}.jsonl`],
    };
    assert.equal([...verifyLane(files, lane)].length, 1);
  });

  test("pages that the disk cannot give are damage, and the rest is read", () => {
    writeFileSync(segmentPath(lane, 0), lines(2000));
    const isLost = (position: number, length: number) => position < 12_288 && position + length > 8192;
    const files: LogFiles = {
      ...realFiles,
      read(fd, buffer, offset, length, position) {
        if (length > 40 && isLost(position, length)) throw fileError("EIO");
        return realFiles.read(fd, buffer, offset, length, position);
      },
    };
    const [verdict] = verifyLane(files, lane);
    assert.equal(verdict!.findings.length, 1);
    assert.ok(verdict!.damagedBytes >= 4096 && verdict!.damagedBytes < 4096 + 60, `${verdict!.damagedBytes}`);
    const report = recoverLane(files, lane, () => {});
    assert.equal(report.bytes, lines(2000).length - verdict!.damagedBytes, "a start keeps the rest");
  });
});
