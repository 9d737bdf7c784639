import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { realFiles } from "../log/files.ts";
import { blankIndexRecord, encodeIndexRecord, INDEX_RECORD_BYTES } from "../log/index-record.ts";
import { indexPath, segmentPath } from "../log/segment-name.ts";
import { IndexedEnd } from "./indexed-end.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-end-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function newLane(): string {
  const directory = join(root, `${folders++}`);
  realFiles.mkdir(directory);
  return directory;
}

/** One commit's record, or the seal, which has no length. */
function recordOf(segment: number, lines: number, length = lines * 80): Buffer {
  const bytes = Buffer.alloc(INDEX_RECORD_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  encodeIndexRecord(bytes, view, 0, segment, { ...blankIndexRecord(), length, lines });
  return bytes;
}

function addSegment(directory: string, segment: number): void {
  writeFileSync(segmentPath(directory, segment), "");
}

describe("how far a lane is on the disk", () => {
  test("is where its newest segment begins, and the lines of its records", () => {
    const directory = newLane();
    const end = new IndexedEnd(realFiles, directory);
    assert.equal(end.read(), 0, "no segment yet");
    addSegment(directory, 0);
    assert.equal(end.read(), 0, "a segment without an index");
    appendFileSync(indexPath(directory, 0), recordOf(0, 5));
    assert.equal(end.read(), 5);
    assert.equal(end.read(), 5, "looking again counts nothing twice");
    appendFileSync(indexPath(directory, 0), Buffer.concat([recordOf(0, 1), recordOf(0, 2)]));
    assert.equal(end.read(), 8);
    addSegment(directory, 8);
    assert.equal(end.read(), 8);
    appendFileSync(indexPath(directory, 8), recordOf(8, 3));
    assert.equal(end.read(), 11);
  });

  test("does not grow by the record that seals a segment", () => {
    const directory = newLane();
    addSegment(directory, 10);
    writeFileSync(indexPath(directory, 10), Buffer.concat([recordOf(10, 4), recordOf(10, 4, 0)]));
    assert.equal(new IndexedEnd(realFiles, directory).read(), 14);
  });

  test("counts half a record when the rest of it has come", () => {
    const directory = newLane();
    addSegment(directory, 0);
    const record = recordOf(0, 4);
    const end = new IndexedEnd(realFiles, directory);
    writeFileSync(indexPath(directory, 0), Buffer.concat([recordOf(0, 2), record.subarray(0, 25)]));
    assert.equal(end.read(), 2);
    appendFileSync(indexPath(directory, 0), record.subarray(25));
    assert.equal(end.read(), 6);
  });

  test("ends before a record that does not check, such as another segment's, and goes on behind the next segment", () => {
    const directory = newLane();
    addSegment(directory, 0);
    const bytes = Buffer.concat([recordOf(0, 2), recordOf(7, 3), recordOf(0, 4)]);
    writeFileSync(indexPath(directory, 0), bytes);
    const end = new IndexedEnd(realFiles, directory);
    assert.equal(end.read(), 2);
    assert.equal(end.read(), 2);
    addSegment(directory, 9);
    assert.equal(end.read(), 9);
  });

  test("is the same for any number of records, however many fit one read", () => {
    const directory = newLane();
    addSegment(directory, 0);
    writeFileSync(
      indexPath(directory, 0),
      Buffer.concat(Array.from({ length: 2_500 }, () => recordOf(0, 3))),
    );
    assert.equal(new IndexedEnd(realFiles, directory).read(), 7_500);
  });

  test("fails as the file system does where the lane is not there", () => {
    assert.throws(() => new IndexedEnd(realFiles, join(root, "none")).read(), { code: "ENOENT" });
  });
});
