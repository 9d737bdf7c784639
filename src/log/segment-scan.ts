// Reads a segment from its start to its end and says of every byte what it is: good, damaged, or the torn end.
//
//     ┌── commit ──┬── commit ──┬── no record ──┬── commit ──┬── lines ──┬ torn ┐
//     │ CRC fits   │ CRC differs│ line by line  │ CRC fits   │ one by one│ no LF│
//     └── good ────┴── damaged ─┴───────────────┴── good ────┴───────────┴──────┘
//
// Where the index has a record the commit is one piece, good or damaged by its CRC. Where it has none, or none that can be
// read, the bytes are lines, each good or damaged by itself; behind damage the next good line counts again, even one that
// has lost the line feed before it. What no line feed ends is torn where the file ends with it.
//
// A generator: it yields the reads that it wants and is given how many bytes came, so that recovery can run it with
// synchronous reads and the scrub with others. Memory is the block, which grows only for a line that is longer.

import { isUtf8 } from "node:buffer";
import { LINE_BYTES_MAX } from "../limits.ts";
import { crcOf } from "./crc.ts";
import {
  blankIndexRecord,
  INDEX_RECORD_BYTES,
  type IndexRecord,
  tryDecodeIndexRecord,
} from "./index-record.ts";
import { checkLines, LINE_PREFIX } from "./line-check.ts";

const LF = 0x0a;
const INDEX_BLOCK_RECORDS = 1024;

/** A read that the scan waits for: up to `length` bytes at `position` into `bytes` from `at` on. Answer: bytes read. */
export interface ScanRead {
  file: "segment" | "index";
  bytes: Uint8Array;
  at: number;
  length: number;
  position: number;
}

export interface ScanPieces {
  /** A commit or whole lines in a row. The record is the scan's and changes with the next one. */
  good(record: IndexRecord): void;
  /** `lines` is -1 where the index does not know: one line, as far as can be seen. */
  damaged(offset: number, bytes: number, lines: number): void;
  /** The last piece, where the file ends inside a line. */
  torn(offset: number, bytes: number): void;
}

export class SegmentScan {
  private readonly firstSequence: number;
  private readonly pieces: ScanPieces;
  private block: Buffer;
  /** Bytes of the segment; less than was said where it turns out to end before. */
  private size: number;
  /** Everything before it has been told of, but for what `badFrom` began. */
  private position = 0;
  /** Where bytes began of which it is not yet known whether they are damaged or torn; -1 for none. */
  private badFrom = -1;
  /** block[0, windowBytes) is the segment from windowStart on. */
  private windowStart = 0;
  private windowBytes = 0;
  private windowIsUtf8: boolean | null = null;
  private readonly record = blankIndexRecord();

  private readonly indexBytes: number;
  private readonly index = new Uint8Array(INDEX_BLOCK_RECORDS * INDEX_RECORD_BYTES);
  private readonly indexView = new DataView(this.index.buffer);
  private indexPosition = 0;
  private indexAt = 0;
  private indexEnd = 0;

  /** The seal, where the index has one. */
  seal: IndexRecord | null = null;
  /** From here on bytes had to be read as lines, because no record covered them; -1 where all were covered. */
  linesFrom = -1;
  /** Records of the index that cannot be read, and commits of which the segment lacks bytes. */
  recordsBad = 0;
  recordsBeyond = 0;

  /** `indexBytes` is -1 where there is no index, and `size` what is to be read. `block` is the scan's until its end. */
  constructor(firstSequence: number, size: number, indexBytes: number, block: Buffer, pieces: ScanPieces) {
    this.firstSequence = firstSequence;
    this.size = size;
    this.indexBytes = indexBytes;
    this.block = block;
    this.pieces = pieces;
  }

  *run(): Generator<ScanRead, void, number> {
    const { record } = this;
    while (this.seal === null) {
      if (this.indexAt + INDEX_RECORD_BYTES > this.indexEnd && !(yield* this.fillIndex())) break;
      if (!this.tryNextRecord()) continue;
      if (record.offset + record.length > this.size) {
        this.recordsBeyond++;
        continue;
      }
      if (this.recordsBeyond > 0 || record.offset < this.position) {
        this.recordsBad++;
        continue;
      }
      if (record.offset > this.position) yield* this.readLines(record.offset);
      const from = record.offset - this.windowStart;
      if (from >= 0 && from + record.length <= this.windowBytes)
        this.tellCommit(crcOf(this.block, from, from + record.length, 0));
      else yield* this.readCommit();
    }
    yield* this.readLines(this.size);
  }

  /** One that is not whole in the block. */
  private *readCommit(): Generator<ScanRead, void, number> {
    const { offset, length } = this.record;
    let at = offset;
    let found = 0;
    while (at < offset + length) {
      if (!this.isInWindow(at)) yield* this.fill(at);
      const count = Math.min(offset + length, this.windowStart + this.windowBytes) - at;
      if (count <= 0) return; // the file has become shorter: what is left of it is lines
      const from = at - this.windowStart;
      found = crcOf(this.block, from, from + count, found);
      at += count;
    }
    this.tellCommit(found);
  }

  private tellCommit(found: number): void {
    const { offset, length, crc, lines } = this.record;
    if (found === crc) this.pieces.good(this.record);
    else this.pieces.damaged(offset, length, lines);
    this.position = offset + length;
  }

  /** Up to `end`, where a commit begins or the file ends. */
  private *readLines(end: number): Generator<ScanRead, void, number> {
    if (this.linesFrom < 0 && this.position < Math.min(end, this.size)) this.linesFrom = this.position;
    while (this.position < Math.min(end, this.size)) {
      if (!this.isInWindow(this.position)) yield* this.fill(this.position);
      const from = this.position - this.windowStart;
      const to = Math.min(Math.min(end, this.size) - this.windowStart, this.windowBytes);
      this.windowIsUtf8 ??= this.areLinesUtf8(from);
      const checked = checkLines(this.block, from, to, this.windowIsUtf8);
      if (checked.end > from) {
        this.tellDamage(this.position);
        this.tellLines(from, checked);
      }
      if (checked.badEnd >= 0) this.skipLine(checked.end, checked.badEnd);
      else if (checked.end < to) yield* this.continueLine(checked.end, to, end);
    }
    if (this.badFrom < 0) return;
    if (end < this.size) this.tellDamage(this.position);
    else this.pieces.torn(this.badFrom, this.position - this.badFrom);
    this.badFrom = -1;
  }

  private tellLines(
    from: number,
    { end, lines, timestampMsEarliest, timestampMsLatest }: ReturnType<typeof checkLines>,
  ): void {
    const record = blankIndexRecord();
    record.offset = this.position;
    record.length = end - from;
    record.crc = crcOf(this.block, from, end, 0);
    record.lines = lines;
    record.timestampMsEarliest = timestampMsEarliest;
    record.timestampMsLatest = timestampMsLatest;
    this.pieces.good(record);
    this.position += record.length;
  }

  /** block[from, to) is a bad line; what it may end with is a good one that has lost the line feed before it. */
  private skipLine(from: number, to: number): void {
    const inner = this.innerLine(from, to);
    const isInner = inner > from && checkLines(this.block, inner, to, false).lines === 1;
    if (this.badFrom < 0) this.badFrom = this.position;
    this.position += (isInner ? inner : to) - from;
    this.tellDamage(this.position);
  }

  /** block[from, to) has no line feed: what follows has to be seen, unless nothing does. */
  private *continueLine(from: number, to: number, end: number): Generator<ScanRead, void, number> {
    const isLast = this.windowStart + to >= Math.min(end, this.size);
    if (!isLast && from > 0) {
      yield* this.fill(this.position);
      return;
    }
    const isOurs = this.block.subarray(from, from + LINE_PREFIX.length).equals(LINE_PREFIX);
    if (!isLast && isOurs && this.tryGrowBlock()) return;
    if (this.badFrom < 0) this.badFrom = this.position;
    const inner = this.innerLine(from, to);
    if (isLast) this.position += to - from;
    else if (inner > from) this.position += inner - from;
    else this.position += to - from - (LINE_PREFIX.length - 1);
  }

  /** Where in block[from, to) a line may begin, the last such place; -1 for none. */
  private innerLine(from: number, to: number): number {
    return to - from < LINE_PREFIX.length ? -1 : this.block.lastIndexOf(LINE_PREFIX, to - LINE_PREFIX.length);
  }

  private areLinesUtf8(from: number): boolean {
    return isUtf8(this.block.subarray(from, this.block.lastIndexOf(LF, this.windowBytes - 1) + 1));
  }

  /** For a line longer than the block. */
  private tryGrowBlock(): boolean {
    if (this.block.length >= LINE_BYTES_MAX) return false;
    this.block = Buffer.allocUnsafeSlow(Math.min(this.block.length * 2, LINE_BYTES_MAX));
    this.windowBytes = 0;
    return true;
  }

  /** What began at `badFrom` ends at `end`, with something behind it. */
  private tellDamage(end: number): void {
    if (this.badFrom >= 0) this.pieces.damaged(this.badFrom, end - this.badFrom, -1);
    this.badFrom = -1;
  }

  private isInWindow(at: number): boolean {
    return at >= this.windowStart && at < this.windowStart + this.windowBytes;
  }

  private *fill(at: number): Generator<ScanRead, void, number> {
    const { block } = this;
    const wanted = Math.min(block.length, this.size - at);
    let had = 0;
    while (had < wanted) {
      const count = yield {
        file: "segment",
        bytes: block,
        at: had,
        length: wanted - had,
        position: at + had,
      };
      if (count === 0) this.size = at + had;
      if (count === 0) break;
      had += count;
    }
    this.windowStart = at;
    this.windowBytes = had;
    this.windowIsUtf8 = null;
  }

  /** The next record, in `record`; false where it cannot be read, or is the seal. */
  private tryNextRecord(): boolean {
    const at = this.indexAt;
    this.indexAt += INDEX_RECORD_BYTES;
    if (!tryDecodeIndexRecord(this.index, this.indexView, at, this.firstSequence, this.record)) {
      this.recordsBad++;
      return false;
    }
    if (this.record.length > 0) return true;
    this.seal = { ...this.record };
    return false;
  }

  private *fillIndex(): Generator<ScanRead, boolean, number> {
    const left = this.indexBytes - this.indexPosition;
    const length = Math.min(left - (left % INDEX_RECORD_BYTES), this.index.length);
    this.indexAt = 0;
    this.indexEnd = 0;
    while (this.indexEnd < length) {
      const count = yield {
        file: "index",
        bytes: this.index,
        at: this.indexEnd,
        length: length - this.indexEnd,
        position: this.indexPosition + this.indexEnd,
      };
      if (count === 0) return false;
      this.indexEnd += count;
    }
    this.indexPosition += this.indexEnd;
    return this.indexEnd > 0;
  }
}
