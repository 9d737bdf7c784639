// How a large commit goes to its file: most of it past the page cache, straight from the lane's buffer.
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

import { DIRECT_ALIGNMENT } from "./direct-memory.ts";
import type { LogFiles } from "./files.ts";
import type { Segment } from "./segment.ts";

export class SplitWrite {
  private readonly files: LogFiles;
  private readonly bytesMin: number;
  /** Direct writes can be had here, as far as is known. */
  available: boolean;
  /** The commit under way is split, and the piece under way is its middle. */
  private splitting = false;
  direct = false;
  /** Bytes of the piece under way. */
  bytes = 0;

  constructor(files: LogFiles, available: boolean, bytesMin: number) {
    this.files = files;
    this.available = available;
    this.bytesMin = bytesMin;
  }

  /** Decides for a commit of `bytes`, whose first lies `shift` bytes past an aligned address. */
  begin<W>(segment: Segment<W>, bytes: number, shift: number): void {
    this.splitting =
      this.available &&
      bytes >= this.bytesMin &&
      shift % DIRECT_ALIGNMENT === segment.bytes % DIRECT_ALIGNMENT &&
      this.tryOpen(segment);
  }

  /** Chooses the next piece, of the `rest` that belongs at `position`, and returns the descriptor to write it to. */
  next<W>(segment: Segment<W>, position: number, rest: number): number {
    this.direct = false;
    this.bytes = rest;
    if (!this.splitting) return segment.fd;
    const pastBoundary = position % DIRECT_ALIGNMENT;
    if (pastBoundary > 0) {
      this.bytes = Math.min(rest, DIRECT_ALIGNMENT - pastBoundary);
    } else if (rest >= DIRECT_ALIGNMENT) {
      this.bytes = rest - (rest % DIRECT_ALIGNMENT);
      this.direct = true;
      return segment.directFd;
    }
    return segment.fd;
  }

  /** The kernel would not have the middle: from now on everything goes through the cache. */
  giveUp(): void {
    this.available = false;
    this.splitting = false;
  }

  private tryOpen<W>(segment: Segment<W>): boolean {
    if (segment.directFd >= 0) return true;
    try {
      segment.directFd = this.files.openDirect(segment.path);
    } catch {
      this.available = false;
    }
    return segment.directFd >= 0;
  }
}
