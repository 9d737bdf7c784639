// What a lane's folder held before it was damaged, read with nothing of the server's: which bytes of which segment are
// one commit by the index, and which are lines that no index knows of yet. And a maker of such folders, of any shape.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Random, wholeBetween } from "../crash/random.ts";

const RECORD_BYTES = 40;
const LF = 0x0a;
const SEALED = 2;
const COMMITS = { least: 3, most: 30 };
const COMMIT_LINES_MAX = 12;
const PAD_BYTES_MAX = 300;

/** One commit, or one line that no index covers. */
export interface ModelRecord {
  readonly from: number;
  readonly to: number;
  readonly isCovered: boolean;
}

export interface ModelSegment {
  readonly stem: string;
  readonly bytes: Buffer;
  readonly index: Buffer;
  readonly records: readonly ModelRecord[];
  readonly isSealed: boolean;
}

/** The segments of a lane whose files are good. */
export function readLane(directory: string): ModelSegment[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .map((name) => {
      const stem = name.slice(0, -".jsonl".length);
      const bytes = readFileSync(join(directory, name));
      const index = readFileSync(join(directory, `${stem}.idx`));
      return { stem, bytes, index, ...recordsOf(bytes, index) };
    });
}

function recordsOf(bytes: Buffer, index: Buffer): Pick<ModelSegment, "records" | "isSealed"> {
  const records: ModelRecord[] = [];
  let isSealed = false;
  let end = 0;
  for (let at = 0; at + RECORD_BYTES <= index.length; at += RECORD_BYTES) {
    const [from, length] = [Number(index.readBigUInt64LE(at)), index.readUInt32LE(at + 8)];
    if (length === 0) isSealed = true;
    // a killed server's index may know of a commit of which its segment lacks the end
    if (length === 0 || from + length > bytes.length) break;
    end = from + length;
    records.push({ from, to: end, isCovered: true });
  }
  for (let to = 0; end < bytes.length; end = to) {
    to = bytes.indexOf(LF, end) + 1;
    if (to === 0) break;
    records.push({ from: end, to, isCovered: false });
  }
  return { records, isSealed };
}

export function linesOf(bytes: Buffer): string[] {
  return bytes.toString("latin1").split("\n").slice(0, -1);
}

/** Two sealed segments and an open one, whose index covers all, a part or none of it. Every line is another. */
export function makeLane(directory: string, random: Random): void {
  mkdirSync(directory, { recursive: true });
  let sequence = 0;
  for (let at = 0; at <= SEALED; at++) {
    const firstSequence = sequence;
    const commits = Array.from({ length: wholeBetween(random, COMMITS.least, COMMITS.most) }, () => {
      const first = sequence;
      sequence += wholeBetween(random, 1, COMMIT_LINES_MAX);
      return Buffer.from(
        Array.from({ length: sequence - first }, (_, line) => lineOf(first + line, random)).join(""),
      );
    });
    const covered = at < SEALED ? commits.length : wholeBetween(random, 0, commits.length);
    const stem = join(directory, firstSequence.toString(16).padStart(16, "0"));
    writeFileSync(`${stem}.jsonl`, Buffer.concat(commits));
    writeFileSync(`${stem}.idx`, indexOf(commits.slice(0, covered), firstSequence, at < SEALED));
  }
}

function lineOf(number: number, random: Random): string {
  const pad = "é-#".repeat(wholeBetween(random, 0, PAD_BYTES_MAX) / 4);
  return `{"ts":${1_763_890_000_000 + number},"name":"damage","value":${number},"type":"gauge","tags":{"pad":"${pad}"},"client":"c"}\n`;
}

/** As the index file is specified: 40 bytes a record, the last of a sealed segment's of length 0. */
function indexOf(commits: readonly Buffer[], firstSequence: number, isSealed: boolean): Buffer {
  let [offset, lines] = [0, 0];
  const records = commits.map((commit) => {
    const count = linesOf(commit).length;
    const record = recordOf(offset, commit.length, crc32(commit), count, firstSequence);
    offset += commit.length;
    lines += count;
    return record;
  });
  if (isSealed) records.push(recordOf(offset, 0, 0, lines, firstSequence));
  return Buffer.concat(records);
}

function recordOf(offset: number, length: number, crc: number, lines: number, firstSequence: number): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  record.writeBigUInt64LE(BigInt(offset), 0);
  record.writeUInt32LE(length, 8);
  record.writeUInt32LE(crc, 12);
  record.writeUInt32LE(lines, 16);
  record.writeBigInt64LE(1_763_890_000_000n, 20);
  record.writeBigInt64LE(1_763_890_000_999n, 28);
  record.writeUInt32LE(crc32(record.subarray(0, 36), firstSequence), 36);
  return record;
}
