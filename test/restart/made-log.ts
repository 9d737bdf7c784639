// A log of many GiB, quickly: one segment of lines as the lane writes them, written again and again under the names that a
// lane would have given, each with its index. Two lanes, for each lane has its own last segment to be read at a start.

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { realFiles } from "../../src/log/files.ts";
import { IndexRebuild } from "../../src/log/index-rebuild.ts";
import { INDEX_RECORD_BYTES, type IndexRecord } from "../../src/log/index-record.ts";
import { indexPath, segmentPath } from "../../src/log/segment-name.ts";

export const LANES = 2;
/** As --segment-size has it by default. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
export const SMALL_COMMIT_LINES = 3;
const LARGE_COMMIT_LINES = 1000;
const OURS = '"client":"made"}\n';
const TORN = '{"ts":1763890000000,"name":"cpu_usage","val';

/** How a run before this start has ended. */
export const ENDS = {
  "a clean stop": "all segments sealed",
  SIGKILL: "each lane's last segment full, not sealed, small commits, its end torn",
  "SIGKILL, and no index": "the same, and the last segments have no .idx",
  "SIGKILL, and damage": "the same with its .idx, and a flipped bit in the middle of each last segment",
} as const;
export type End = keyof typeof ENDS;

export interface MadeLog {
  readonly data: string;
  readonly bytes: number;
  /** In each lane: where its last segment begins, and what that holds. */
  readonly lastSequence: number;
  readonly lastBytes: number;
  readonly lastLines: number;
}

interface Content {
  readonly bytes: Buffer;
  readonly lines: number;
}

/** Whole segments of `segmentBytes` in two lanes, all sealed, until they hold `bytes`. */
export function makeLog(data: string, bytes: number, segmentBytes = SEGMENT_BYTES): MadeLog {
  const content = makeContent(segmentBytes);
  const sealed = commitsOf(content, LARGE_COMMIT_LINES);
  const last = commitsOf(content, SMALL_COMMIT_LINES);
  const count = Math.max(2, Math.ceil(bytes / LANES / content.bytes.length));
  for (let lane = 0; lane < LANES; lane++) {
    const directory = join(data, `lane-${lane}`);
    mkdirSync(directory, { recursive: true });
    for (let at = 0; at < count; at++) {
      const first = at * content.lines;
      writeFileSync(segmentPath(directory, first), content.bytes);
      const index = new IndexRebuild(realFiles, directory, first);
      for (const record of at === count - 1 ? last : sealed) index.add(record);
      index.finish();
    }
  }
  return {
    data,
    bytes: count * LANES * content.bytes.length,
    lastSequence: (count - 1) * content.lines,
    lastBytes: content.bytes.length,
    lastLines: content.lines,
  };
}

function makeContent(segmentBytes: number): Content {
  const lines: string[] = [];
  let bytes = 0;
  while (bytes < segmentBytes) {
    const at = lines.length;
    const line = `{"ts":${1_763_890_000_000 + at},"name":"cpu_usage","value":${at % 100}.5,"type":"gauge","tags":{"host":"web${at % 50}"},"client":"made"}\n`;
    lines.push(line);
    bytes += line.length;
  }
  return { bytes: Buffer.from(lines.join("")), lines: lines.length };
}

function commitsOf({ bytes, lines }: Content, linesEach: number): IndexRecord[] {
  const records: IndexRecord[] = [];
  for (let line = 0, offset = 0; line < lines; line += linesEach) {
    const count = Math.min(linesEach, lines - line);
    let end = offset;
    for (let at = 0; at < count; at++) end = bytes.indexOf(0x0a, end) + 1;
    records.push({
      offset,
      length: end - offset,
      crc: crc32(bytes.subarray(offset, end)),
      lines: count,
      timestampMsEarliest: 1_763_890_000_000 + line,
      timestampMsLatest: 1_763_890_000_000 + line + count - 1,
    });
    offset = end;
  }
  return records;
}

/** What a start finds after a run that ended so; relayLast takes it back. */
export function endRun(log: MadeLog, end: End): void {
  if (end === "a clean stop") return;
  for (const directory of laneFolders(log)) {
    const path = segmentPath(directory, log.lastSequence);
    appendFileSync(path, TORN);
    const index = indexPath(directory, log.lastSequence);
    if (end === "SIGKILL, and no index") rmSync(index);
    else truncateSync(index, statSync(index).size - INDEX_RECORD_BYTES);
    if (end === "SIGKILL, and damage") flipBit(path, Math.floor(log.lastBytes / 2));
  }
}

function flipBit(path: string, at: number): void {
  const fd = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, at);
  closeSync(fd);
}

/** Takes back what starts, repairs and batches have made of the last segments. */
export function relayLast(log: MadeLog): void {
  const content = makeContent(log.lastBytes);
  for (const directory of laneFolders(log)) {
    rmSync(join(directory, "quarantine"), { recursive: true, force: true });
    for (const name of readdirSync(directory))
      if (Number.parseInt(name, 16) >= log.lastSequence) rmSync(join(directory, name));
    writeFileSync(segmentPath(directory, log.lastSequence), content.bytes);
    const index = new IndexRebuild(realFiles, directory, log.lastSequence);
    for (const record of commitsOf(content, SMALL_COMMIT_LINES)) index.add(record);
    index.finish();
  }
}

/** Lines of the last segments, or of what a start has made of them; of our own, not of what it has taken since. */
export function countLastLines(log: MadeLog): number {
  let lines = 0;
  for (const directory of laneFolders(log))
    for (const name of readdirSync(directory)) {
      if (!name.endsWith(".jsonl") || Number.parseInt(name, 16) < log.lastSequence) continue;
      const bytes = readFileSync(join(directory, name));
      for (let at = bytes.indexOf(OURS); at >= 0; at = bytes.indexOf(OURS, at + 1)) lines++;
    }
  return lines;
}

/** Writes back and drops all of the log's pages from the page cache, as far as the system lets a user do that. */
export function dropCaches(log: MadeLog): void {
  for (const directory of laneFolders(log))
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (statSync(path).isFile())
        spawnSync("dd", [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], {
          stdio: "ignore",
        });
    }
}

function laneFolders({ data }: MadeLog): string[] {
  return Array.from({ length: LANES }, (_, lane) => join(data, `lane-${lane}`));
}
