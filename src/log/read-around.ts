// Reads from a disk that has lost pages: what cannot be read is zeros, which no checksum and no line takes for good, and the
// rest of the file is read all the same. Only for reading what is then checked.

import type { FileError, LogFiles } from "./files.ts";

const PAGE_BYTES = 4096;

/** As LogFiles.read; where that fails with EIO it reads one page, or gives zeros for it. */
export function readAround(
  files: LogFiles,
  fd: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  position: number,
): number {
  try {
    return files.read(fd, bytes, at, length, position);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const count = pageRest(length, position);
  try {
    return files.read(fd, bytes, at, count, position);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    bytes.fill(0, at, at + count);
    return count;
  }
}

export function isUnreadable(error: unknown): boolean {
  return (error as FileError).code === "EIO";
}

/** Of `length` bytes at `position`, those in the first page. */
export function pageRest(length: number, position: number): number {
  return Math.min(length, PAGE_BYTES - (position % PAGE_BYTES));
}
