// The part of a segment that its index vouches for: commit after commit, each with the CRC of its record.

import { crc32 } from "node:zlib";
import type { LogFiles } from "./files.ts";
import { IndexReader } from "./index-reader.ts";
import type { IndexRebuild } from "./index-rebuild.ts";

/**
 * Adds to `rebuild` the commits from the segment's start whose bytes have the CRC of their record. True where it ended at
 * one that has not: those bytes were written whole once and are not what was written, so nothing from there on is
 * trusted. False where the records end, or reach past the file: what follows is checked as lines.
 */
export function coveredPrefix(
  files: LogFiles,
  directory: string,
  firstSequence: number,
  fd: number,
  size: number,
  block: Buffer,
  rebuild: IndexRebuild,
): boolean {
  const index = IndexReader.open(files, directory, firstSequence);
  if (index === null) return false;
  const reader = new BlockReader(files, fd, block);
  try {
    while (index.next()) {
      const record = index.record;
      const fits = record.offset === rebuild.total.offset && record.offset + record.length <= size;
      if (!fits) return false;
      if (reader.crc(record.length) !== record.crc) return true;
      rebuild.add(record);
    }
    return false;
  } finally {
    index.close();
  }
}

/** Reads a file from its start, a block at a time, and takes CRCs of lengths that know nothing of blocks. */
class BlockReader {
  private readonly files: LogFiles;
  private readonly fd: number;
  private readonly block: Buffer;
  private offset = 0;
  private from = 0;
  private to = 0;

  constructor(files: LogFiles, fd: number, block: Buffer) {
    this.files = files;
    this.fd = fd;
    this.block = block;
  }

  /** Of the next `length` bytes; -1 where the file ends before. */
  crc(length: number): number {
    let crc = 0;
    let left = length;
    while (left > 0) {
      if (this.from === this.to && !this.tryFill()) return -1;
      const count = Math.min(left, this.to - this.from);
      crc = crc32(this.block.subarray(this.from, this.from + count), crc);
      this.from += count;
      left -= count;
    }
    return crc;
  }

  private tryFill(): boolean {
    const count = this.files.read(this.fd, this.block, 0, this.block.length, this.offset);
    this.offset += count;
    this.from = 0;
    this.to = count;
    return count > 0;
  }
}
