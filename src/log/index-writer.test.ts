import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { INDEX_FLUSH_BYTES } from "../limits.ts";
import { fileError } from "./faulty-files.ts";
import { type LogFiles, realFiles, type WriteDone } from "./files.ts";
import { blankIndexRecord, INDEX_RECORD_BYTES, tryDecodeIndexRecord } from "./index-record.ts";
import { readSeal } from "./index-seal.ts";
import { IndexWriter } from "./index-writer.ts";
import { until } from "./lane-bed.ts";
import { indexPath } from "./segment-name.ts";

let root: string;
let path: string;
/** Writes are held until let go, one at a time. */
let held: (() => void)[];
let writes: number;
let fate: { bytes?: number; code?: string };
let files: LogFiles;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-index-"));
  path = indexPath(root, 7);
  held = [];
  writes = 0;
  fate = {};
  files = {
    ...realFiles,
    write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number, done: WriteDone) {
      writes++;
      held.push(() => {
        if (fate.code !== undefined) setImmediate(done, fileError(fate.code), 0);
        else realFiles.write(fd, buffer, offset, fate.bytes ?? length, position, done);
      });
    },
  };
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const record = (at: number, length = 10) => ({
  offset: at * 10,
  length,
  crc: at,
  lines: 1,
  timestampMsEarliest: at,
  timestampMsLatest: at,
});
const open = () => new IndexWriter(files, realFiles.createOrTruncate(path), 7);
const size = () => readFileSync(path).length / INDEX_RECORD_BYTES;

/** Lets all writes go until `done` is called. */
async function finish(writer: IndexWriter): Promise<void> {
  let done = false;
  writer.seal(record(-1, 0), () => {
    done = true;
  });
  await until(() => {
    for (const run of held.splice(0)) run();
    return done;
  }, "the index is closed");
}

/** Of the commits' records, in tens. */
function offsets(): number[] {
  const bytes = new Uint8Array(readFileSync(path));
  const found: number[] = [];
  const seen = blankIndexRecord();
  for (let at = 0; at < bytes.length; at += INDEX_RECORD_BYTES) {
    assert.ok(tryDecodeIndexRecord(bytes, new DataView(bytes.buffer), at, 7, seen));
    if (seen.length > 0) found.push(seen.offset / 10);
  }
  return found;
}

test("records gather until they are flushed, and the seal comes last", async () => {
  const writer = open();
  for (let at = 0; at < 5; at++) writer.add(record(at));
  assert.equal(writes, 0);
  writer.flush();
  writer.add(record(5));
  writer.flush();
  assert.equal(writes, 1, "one write at a time");
  await finish(writer);
  assert.deepEqual(offsets(), [0, 1, 2, 3, 4, 5]);
  assert.equal(readSeal(realFiles, root, 7)!.length, 0);
});

test("it flushes by itself when it covers enough of the segment", async () => {
  const writer = open();
  writer.add(record(0, INDEX_FLUSH_BYTES - 1));
  assert.equal(writes, 0);
  writer.add(record(1, 1));
  assert.equal(writes, 1);
  await finish(writer);
});

test("short writes are continued", async () => {
  fate = { bytes: 20 };
  const writer = open();
  for (let at = 0; at < 3; at++) writer.add(record(at));
  writer.flush();
  await finish(writer);
  assert.deepEqual(offsets(), [0, 1, 2]);
  assert.equal(size(), 4);
});

test("with both blocks full it ends rather than grow, and keeps what it has", async () => {
  const writer = open();
  for (let at = 0; at < 3000; at++) writer.add(record(at));
  assert.equal(writes, 1);
  await finish(writer);
  assert.equal(size(), 1024);
});

test("a failed write ends it without an error", async () => {
  fate = { code: "EIO" };
  const writer = open();
  writer.add(record(0));
  writer.flush();
  await finish(writer);
  assert.equal(size(), 0);
});

test("abandoned, it is closed after the write under way, without a seal", async () => {
  const writer = open();
  writer.add(record(0));
  writer.flush();
  writer.abandon();
  for (const run of held.splice(0)) run();
  await until(() => size() === 1, "the write is through");
});
