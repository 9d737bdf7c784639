// Brings one commit's bytes to its segment, by as many writes as it takes: short ones are continued, and a large commit
// goes mostly past the page cache, straight from the lane's buffer.
//
//     file     ···────────┬────────────┬────────────┬────────────┬──────···
//     commit        ▐█████│████████████│████████████│████████████│███▌
//                    head │                middle                │ tail
//                buffered │                direct                │ buffered
//
// Why: a virtual machine backs its memory lazily, and each fresh page of page cache cost about 14 us here, some 255 MB/s
// whatever the program does; a direct write of 1 MiB costs 0.5 us a page. Small direct writes are slow (12 us a page at
// 8 KiB), hence DIRECT_BYTES_MIN. Each page of the file is written either through the cache or past it, never both ways,
// but for a commit that was cut back.
// The middle needs memory that is aligned as the file is. So a commit's first byte lies in its buffer where its file
// offset lies in a page; the lane arranges that when the buffers change places, and where the guess was wrong (rotation,
// a failure) that one commit is written through the cache. An EINVAL ends direct writes for good.
// HOT: one call a write; nothing is made. One commit at a time.

import { assert } from "../base/assert.ts";
import { DIRECT_ALIGNMENT } from "./direct-memory.ts";
import type { FileError, LogFiles } from "./files.ts";
import type { Segment } from "./segment.ts";

export class CommitWrite<W> {
  private readonly files: LogFiles;
  private readonly directBytesMin: number;
  /** Direct writes can be had here, as far as is known. */
  private available: boolean;
  /** Told the end: null where every byte is written, or the segment has failed meanwhile and the rest does not matter. */
  private readonly done: (segment: Segment<W>, error: FileError | null) => void;

  private segment: Segment<W> | null = null;
  private buffer!: Uint8Array;
  private start = 0;
  private bytes = 0;
  private bytesDone = 0;
  /** Where each piece must end, or null for as few pieces as it takes. */
  private ends: readonly number[] | null = null;
  private piece = 0;
  private splitting = false;
  private direct = false;
  private readonly wroteBound = (error: FileError | null, bytes: number) => this.wrote(error, bytes);

  constructor(
    files: LogFiles,
    available: boolean,
    directBytesMin: number,
    done: (segment: Segment<W>, error: FileError | null) => void,
  ) {
    this.files = files;
    this.available = available;
    this.directBytesMin = directBytesMin;
    this.done = done;
  }

  /** Writes buffer[start, start + bytes) behind the segment's commits. `alignedAt`: an index at an aligned address. */
  begin(
    segment: Segment<W>,
    buffer: Uint8Array,
    start: number,
    bytes: number,
    alignedAt: number,
    ends: readonly number[] | null = null,
  ): void {
    assert(this.segment === null, "one commit is written at a time");
    this.segment = segment;
    this.buffer = buffer;
    this.start = start;
    this.bytes = bytes;
    this.bytesDone = 0;
    this.ends = ends;
    this.piece = 0;
    this.splitting =
      ends === null &&
      this.available &&
      bytes >= this.directBytesMin &&
      (start - alignedAt) % DIRECT_ALIGNMENT === segment.bytes % DIRECT_ALIGNMENT &&
      this.tryOpenDirect(segment);
    segment.writing = true;
    this.writePiece(segment);
  }

  private writePiece(segment: Segment<W>): void {
    const position = segment.bytes + this.bytesDone;
    const rest = this.bytes - this.bytesDone;
    const pastBoundary = position % DIRECT_ALIGNMENT;
    let length = rest;
    this.direct = false;
    if (this.splitting && pastBoundary > 0) {
      length = Math.min(rest, DIRECT_ALIGNMENT - pastBoundary);
    } else if (this.splitting && rest >= DIRECT_ALIGNMENT) {
      length = rest - (rest % DIRECT_ALIGNMENT);
      this.direct = true;
    } else if (this.ends !== null) {
      while (this.ends[this.piece]! <= this.bytesDone) this.piece++;
      length = this.ends[this.piece]! - this.bytesDone;
    }
    const fd = this.direct ? segment.directFd : segment.fd;
    this.files.write(fd, this.buffer, this.start + this.bytesDone, length, position, this.wroteBound);
  }

  private wrote(error: FileError | null, bytes: number): void {
    const segment = this.segment!;
    if (segment.failed) {
      this.finish(segment, null);
    } else if (error !== null && error.code === "EINVAL" && this.direct) {
      this.available = false;
      this.splitting = false;
      this.writePiece(segment);
    } else if (error !== null) {
      this.finish(segment, error);
    } else if (bytes === 0) {
      this.finish(
        segment,
        Object.assign(new Error("cannot write to the segment: no byte taken"), { code: "EIO" }),
      );
    } else {
      this.bytesDone += bytes;
      if (this.bytesDone < this.bytes) this.writePiece(segment);
      else this.finish(segment, null);
    }
  }

  private finish(segment: Segment<W>, error: FileError | null): void {
    this.segment = null;
    segment.writing = false;
    this.done(segment, error);
  }

  private tryOpenDirect(segment: Segment<W>): boolean {
    if (segment.directFd >= 0) return true;
    try {
      segment.directFd = this.files.openDirect(segment.path);
    } catch {
      this.available = false;
    }
    return segment.directFd >= 0;
  }
}
