// Finds out where in a buffer of ours a direct write (O_DIRECT) may start. The kernel wants memory that is aligned, and
// JavaScript does not tell an address; but buffers of many MiB come from mmap, so their memory starts at a page or a small
// header behind one (measured: 0 on Bun, 16 on Node), and a write from the wrong place is refused with EINVAL and harms
// nothing. So it is asked, once a lane, with writes to a file of its own that is removed again.

import { join } from "node:path";
import type { FileError, LogFiles } from "./files.ts";

/** File offsets, lengths and memory that are multiples of this suit every disk and file system we know. */
export const DIRECT_ALIGNMENT = 4096;
/** Headers that allocators put before a buffer are multiples of this. */
const HEADER_STEP = 16;

/** Where a buffer may start a direct write: the first index of it that lies at an aligned address. */
export interface Alignable {
  readonly bytes: Uint8Array;
  alignedAt: number;
}

/** Finds and notes it for each; false, with nothing noted, where direct writes cannot be had. */
export function tryAlign(files: LogFiles, directory: string, ...buffers: Alignable[]): boolean {
  const indexes = findAlignedIndexes(
    files,
    directory,
    buffers.map(({ bytes }) => bytes),
  );
  if (indexes === null) return false;
  for (const [at, buffer] of buffers.entries()) buffer.alignedAt = indexes[at]!;
  return true;
}

/** For each buffer the first index that lies at an aligned address, or null where direct writes cannot be had. */
export function findAlignedIndexes(
  files: LogFiles,
  directory: string,
  buffers: readonly Uint8Array[],
): number[] | null {
  const path = join(directory, "direct.probe");
  try {
    files.close(files.createOrTruncate(path));
    try {
      const fd = files.openDirect(path);
      try {
        return buffers.map((buffer) => alignedIndexOf(files, fd, buffer));
      } finally {
        files.close(fd);
      }
    } finally {
      files.unlink(path);
    }
  } catch {
    return null;
  }
}

function alignedIndexOf(files: LogFiles, fd: number, buffer: Uint8Array): number {
  for (let header = 0; header < DIRECT_ALIGNMENT; header += HEADER_STEP) {
    const index = (DIRECT_ALIGNMENT - header) % DIRECT_ALIGNMENT;
    try {
      files.writeAll(fd, buffer, index, DIRECT_ALIGNMENT, 0);
      return index;
    } catch (error) {
      if ((error as FileError).code !== "EINVAL") throw error;
    }
  }
  throw new Error("cannot find aligned memory in a buffer");
}
