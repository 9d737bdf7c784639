// Reads a lane's lines by their number, in blocks of whole lines, from any line on: what every follower of the log reads by.
// A line's number is its sequence: how many lines the lane had stored before it. It is the log's offset, and survives what a
// repair does to files, where a position in a file would not.
//
//     lane     ─┬──────── segment 0 ────────┬ gap ┬──── segment 130 ────┬─
//     lines     │ 0 1 2 …               119 │     │ 130 131 …       200 │
//                     └──── a block ────┘   └─────┘
//                     next             end    numbers that no line has: damage that was taken out, or what was refused
//
// A block covers [from, end): the lines [first, end), and before them numbers that nobody will ever see again; it may have no
// lines at all. So the blocks of a follower have no holes between them, and who stores them can count.
// The caller says how far it may read: what is behind that may yet be cut off again. Synchronous reads, mostly of the page
// cache; one buffer, which grows only for a longer line. Off the ingest threads.

import { LINE_BYTES_MAX } from "../limits.ts";
import type { FileError, LogFiles } from "../log/files.ts";
import { segmentPath, segmentsAmong } from "../log/segment-name.ts";
import { countLines, type LineCount } from "./line-count.ts";

const NOTHING = Buffer.alloc(0);

export interface LaneBlock {
  from: number;
  first: number;
  end: number;
  /** The lines with their line feeds; the reader's own memory, until the next read. */
  bytes: Uint8Array;
}

export class LaneReader {
  private readonly files: LogFiles;
  private readonly directory: string;
  private readonly bytesMax: number;
  /** Made when it is needed, and given up with close(). */
  private buffer = NOTHING;
  private next = 0;
  /** The segment that is open, or -1; `offset` is where its line `line` begins. */
  private segment = -1;
  private fd = -1;
  /** Where the segment behind the open one begins, as it was found last; Infinity where there is none yet. */
  private following = Number.POSITIVE_INFINITY;
  private line = 0;
  private offset = 0;

  constructor(files: LogFiles, directory: string, bytesMax: number) {
    this.files = files;
    this.directory = directory;
    this.bytesMax = bytesMax;
  }

  /** The next read begins with this line. */
  seek(sequence: number): void {
    if (sequence === this.next && this.segment >= 0) return;
    this.closeSegment();
    this.next = sequence;
  }

  /** Up to as many lines as the buffer holds, of those before `end`; null where there are none. Throws the file system's errors. */
  read(end: number): LaneBlock | null {
    while (this.next < end) {
      if (this.segment < 0 && !this.tryOpen(this.next)) return null;
      if (this.segment >= end) return this.skipTo(end);
      // A listing takes a millisecond where there are thousands of segments, as much as a block: one for each that is followed by another.
      if (this.following === Number.POSITIVE_INFINITY) this.following = this.findFollowing(this.segment);
      if (this.line < this.next) this.skipLines(this.next - this.line);
      const block = this.line < this.next ? null : this.readLines(Math.min(end, this.following));
      if (block !== null) return block;
      // Looked up again before it goes on: a repair can have made a segment of what was good behind damage in this one.
      const following = this.findFollowing(this.segment);
      if (following === Number.POSITIVE_INFINITY) return null;
      // All that the segment has is read, and it cannot grow any more: the lane has gone on behind it.
      if (following >= end) return this.skipTo(end);
      this.open(following);
    }
    return null;
  }

  close(): void {
    this.closeSegment();
    this.buffer = NOTHING;
  }

  private closeSegment(): void {
    if (this.segment >= 0) this.files.close(this.fd);
    this.segment = -1;
  }

  /** A block of no lines: numbers that nobody will see again. */
  private skipTo(end: number): LaneBlock {
    const from = this.next;
    this.next = end;
    return { from, first: end, end, bytes: this.buffer.subarray(0, 0) };
  }

  private readLines(end: number): LaneBlock | null {
    if (this.line >= end) return null;
    const counted = this.fillLines(end - this.line);
    if (counted.lines === 0) return null;
    const block = {
      from: this.next,
      first: this.line,
      end: this.line + counted.lines,
      bytes: this.buffer.subarray(0, counted.end),
    };
    this.pass(counted);
    this.next = block.end;
    return block;
  }

  private pass({ lines, end }: LineCount): void {
    this.line += lines;
    this.offset += end;
  }

  /** Of what lies at `offset`: at most `most` lines, and at least one where there is a whole one, however long it is. */
  private fillLines(most: number): LineCount {
    for (;;) {
      const had = this.fill();
      const counted = countLines(this.buffer, had, most);
      const isAll = had < this.buffer.length || this.buffer.length >= LINE_BYTES_MAX;
      if (counted.lines > 0 || isAll) return counted;
      this.buffer = Buffer.allocUnsafeSlow(Math.min(this.buffer.length * 2, LINE_BYTES_MAX));
    }
  }

  /** Reads from `offset` on until the buffer is full or the file ends. */
  private fill(): number {
    if (this.buffer.length === 0) this.buffer = Buffer.allocUnsafeSlow(this.bytesMax);
    let had = 0;
    while (had < this.buffer.length) {
      const count = this.files.read(this.fd, this.buffer, had, this.buffer.length - had, this.offset + had);
      if (count === 0) break;
      had += count;
    }
    return had;
  }

  /** The segment that holds the line, or the first one behind where it would be. */
  private tryOpen(sequence: number): boolean {
    const segments = segmentsAmong(this.files.readdir(this.directory));
    const holding = segments.findLast((first) => first <= sequence) ?? segments[0];
    if (holding === undefined) return false;
    this.open(holding);
    return true;
  }

  private open(segment: number): void {
    this.closeSegment();
    this.fd = this.files.openRead(segmentPath(this.directory, segment));
    this.segment = segment;
    this.following = Number.POSITIVE_INFINITY;
    this.line = segment;
    this.offset = 0;
  }

  private skipLines(count: number): void {
    let left = count;
    while (left > 0) {
      const counted = this.fillLines(left);
      if (counted.lines === 0) return;
      left -= counted.lines;
      this.pass(counted);
    }
  }

  /** Where the segment behind this one begins; Infinity where there is none yet. */
  private findFollowing(segment: number): number {
    try {
      const segments = segmentsAmong(this.files.readdir(this.directory));
      return segments.find((first) => first > segment) ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      if ((error as FileError).code === "ENOENT") return Number.POSITIVE_INFINITY;
      throw error;
    }
  }
}
