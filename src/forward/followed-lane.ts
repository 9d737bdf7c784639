// One lane on its way to the store: how far it is read, taken and kept, and the blocks in between.
//
//     ├────── kept ──────┼───── taken, maybe only in ────┼──── blocks on their way ────┼──── not read ────┤
//     0            cursor on disk   the store's memory  done                          read               end
//
// `kept` follows `done` at once where the store answers only for what it has stored, and by StoreState.resendMs otherwise. When
// the store may have lost its memory, or this process dies, the lane goes on at `kept`.

import type { LaneCursor } from "../follow/lane-cursor.ts";
import { LaneReader } from "../follow/lane-reader.ts";
import type { LogFiles } from "../log/files.ts";
import { timestampMsAt } from "./line-parts.ts";
import type { LogBlock } from "./log-block.ts";

export class FollowedLane {
  /** Being made into samples: blocks' last, or null. */
  head: LogBlock | null = null;
  /** Behind the last line that may be read, when it was asked last. */
  end = 0;
  done: number;
  private readonly cursor: LaneCursor;
  private readonly reader: LaneReader;
  private readonly readEnd: () => number;
  private read: number;
  private readonly blocks: LogBlock[] = [];
  /** How far it was done at some moments, oldest first: those that may not be kept yet. */
  private readonly marks: { ms: number; done: number }[] = [];

  constructor(
    files: LogFiles,
    directory: string,
    cursor: LaneCursor,
    blockBytes: number,
    readEnd: () => number,
  ) {
    this.cursor = cursor;
    this.reader = new LaneReader(files, directory, blockBytes);
    this.readEnd = readEnd;
    this.read = cursor.fresh;
    this.done = cursor.fresh;
  }

  get kept(): number {
    return this.cursor.fresh;
  }

  get blocksUnderWay(): number {
    return this.blocks.length;
  }

  /** Lines that are there and not taken. */
  get lagLines(): number {
    return Math.max(0, this.end - this.done);
  }

  /** Asks again how far the lane is. Throws the file system's errors. */
  look(): void {
    this.end = this.readEnd();
  }

  /** The lane is shorter than it was (a power cut, a backup put back): what it lost cannot be followed. True where it was. */
  cutToEnd(): boolean {
    if (this.end >= this.cursor.fresh) return false;
    this.cursor.cutTo(this.end);
    this.read = this.end;
    this.done = this.end;
    return true;
  }

  /** Reads a block into `head`, of memory that `take` gives; false where there is nothing to read. Throws the file system's errors. */
  tryRead(take: () => LogBlock): boolean {
    if (this.read >= this.end) this.look();
    if (this.read >= this.end) {
      this.reader.close();
      return false;
    }
    this.reader.seek(this.read);
    const found = this.reader.read(this.end);
    if (found === null) return false;
    const block = take();
    block.fill(found);
    this.read = found.end;
    this.blocks.push(block);
    this.head = block.isRead ? null : block;
    return true;
  }

  /** The timestamp of the line that is next. */
  get headMs(): number {
    const { head } = this;
    return head === null ? Number.POSITIVE_INFINITY : timestampMsAt(head.bytes, head.at);
  }

  /** Of the oldest line that is read and not taken; null where there is none. */
  get oldestMs(): number | null {
    const oldest = this.blocks.find((block) => block.bytes.length > 0);
    return oldest === undefined ? null : timestampMsAt(oldest.bytes, 0);
  }

  /** Lets go of the blocks that are done, the oldest first. */
  settle(release: (block: LogBlock) => void): void {
    for (let first = this.blocks[0]; first?.isDone === true; first = this.blocks[0]) {
      this.blocks.shift();
      this.done = first.end;
      release(first);
    }
  }

  /** What was done at `untilMs` or before, of the marks, is kept now. */
  keep(untilMs: number): void {
    for (let mark = this.marks[0]; mark !== undefined && mark.ms <= untilMs; mark = this.marks[0]) {
      this.cursor.fresh = mark.done;
      this.marks.shift();
    }
  }

  /** All that is done is kept. */
  keepAll(): void {
    this.marks.length = 0;
    this.cursor.fresh = this.done;
  }

  mark(ms: number): void {
    if (this.done > (this.marks.at(-1)?.done ?? this.kept)) this.marks.push({ ms, done: this.done });
  }

  /** Goes on at `kept`. Whoever has samples of its blocks forgets them. */
  rewind(release: (block: LogBlock) => void): void {
    for (const block of this.blocks.splice(0)) release(block);
    this.head = null;
    this.marks.length = 0;
    this.read = this.kept;
    this.done = this.kept;
  }

  close(): void {
    this.reader.close();
  }
}
