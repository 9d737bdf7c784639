// The records of a segment's `.idx` file: one a commit, and one more that seals the segment. All of one size, so that
// the last is found from the file's length. Integers are little-endian.
//
//     0        8        12    16      20             28            36     40
//     ┌────────┬────────┬─────┬───────┬──────────────┬─────────────┬───────┐
//     │ offset │ length │ crc │ lines │ earliest ms  │ latest ms   │ check │
//     │ u64    │ u32    │ u32 │ u32   │ i64          │ i64         │ u32   │
//     └────────┴────────┴─────┴───────┴──────────────┴─────────────┴───────┘
//
// A commit's record: its bytes are [offset, offset + length) of the segment and have that CRC. The seal: length 0,
// offset = the segment's bytes, lines = all its lines. `check` is the CRC of the 36 bytes before it, seeded with the
// segment's first sequence, so that neither zeros nor another segment's records pass.
//
// The CRC is zlib's (IEEE, the one of gzip), because both runtimes carry it in machine code: measured here, 9.7 GB/s
// on Bun and 3.3 GB/s on Node, against 1.1 and 0.65 GB/s for CRC-32C by tables in JavaScript.

import { crcOf } from "./crc.ts";

export const INDEX_RECORD_BYTES = 40;
const CHECK_AT = 36;
const WORD = 2 ** 32;

export interface IndexRecord {
  offset: number;
  /** 0 in a seal. */
  length: number;
  crc: number;
  lines: number;
  timestampMsEarliest: number;
  timestampMsLatest: number;
}

export function blankIndexRecord(): IndexRecord {
  return { offset: 0, length: 0, crc: 0, lines: 0, timestampMsEarliest: 0, timestampMsLatest: 0 };
}

/** Writes one record at `at`. `bytes` and `view` are over the same memory. */
export function encodeIndexRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  firstSequence: number,
  record: IndexRecord,
): void {
  putInteger(view, at, record.offset);
  view.setUint32(at + 8, record.length, true);
  view.setUint32(at + 12, record.crc, true);
  view.setUint32(at + 16, record.lines, true);
  putInteger(view, at + 20, record.timestampMsEarliest);
  putInteger(view, at + 28, record.timestampMsLatest);
  view.setUint32(at + CHECK_AT, checkOf(bytes, at, firstSequence), true);
}

/** Reads the record at `at` into `record`; false where its check does not hold (then `record` means nothing). */
export function tryDecodeIndexRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  firstSequence: number,
  record: IndexRecord,
): boolean {
  if (view.getUint32(at + CHECK_AT, true) !== checkOf(bytes, at, firstSequence)) return false;
  record.offset = getInteger(view, at);
  record.length = view.getUint32(at + 8, true);
  record.crc = view.getUint32(at + 12, true);
  record.lines = view.getUint32(at + 16, true);
  record.timestampMsEarliest = getInteger(view, at + 20);
  record.timestampMsLatest = getInteger(view, at + 28);
  return true;
}

function checkOf(bytes: Uint8Array, at: number, firstSequence: number): number {
  const seed = ((firstSequence % WORD) ^ Math.floor(firstSequence / WORD)) >>> 0;
  return crcOf(bytes, at, at + CHECK_AT, seed);
}

function putInteger(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / WORD);
  view.setUint32(at, value - high * WORD, true);
  view.setInt32(at + 4, high, true);
}

function getInteger(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * WORD + view.getUint32(at, true);
}
