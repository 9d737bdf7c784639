// The seam to the operating system: what the server's probe and the analyser read goes through here, so that tests can
// stand in texts of their own. Everything answers null where it cannot be read; what is not known is never reported as 0.

import fs from "node:fs";

export interface OsFiles {
  /** The file's first bytes as text, at most `bytesMax`. */
  readText(path: string, bytesMax: number): string | null;
  /** Names in a folder. */
  list(path: string): string[] | null;
  /** How many descriptors this process has open. */
  countDescriptors(): number | null;
  /** Room of the file system that holds `path`: what is free to an ordinary user, and that plus what is used. */
  diskSpace(path: string): { freeBytes: number; totalBytes: number } | null;
}

/** What reading other processes takes besides. */
export interface ProcFiles extends OsFiles {
  /** Where a symbolic link leads. */
  readLink(path: string): string | null;
  /** Entries of a folder such as /proc/<pid>/fd. */
  countEntries(path: string): number | null;
  /** A file to be read bit by bit; whoever opens it closes it. */
  open(path: string): OpenFile | null;
}

export interface OpenFile {
  /** The next bytes, at most `bytesMax`, fewer where the system hands out fewer; good until the next call. Null at the end. */
  readBlock(bytesMax: number): Uint8Array | null;
  close(): void;
}

/** Longest text the probe asks for. */
export const TEXT_BYTES_MAX = 64 * 1024;

/** One reader, one buffer: for one thread, and not to be called again from within. */
export function openOsFiles(): ProcFiles {
  const buffer = Buffer.allocUnsafeSlow(TEXT_BYTES_MAX);
  return {
    readText: (path, bytesMax) => orNull(() => readText(buffer, path, bytesMax)),
    list: (path) => orNull(() => fs.readdirSync(path)),
    countDescriptors: () => orNull(countDescriptors),
    diskSpace: (path) => orNull(() => diskSpace(path)),
    readLink: (path) => orNull(() => fs.readlinkSync(path)),
    countEntries: (path) => orNull(() => countEntries(path)),
    open: (path) => orNull(() => openFile(buffer, path)),
  };
}

/** The operating system's number of the thread that calls; no runtime tells it, the symlink does. Null where absent. */
export function osThreadId(): number | null {
  const target = orNull(() => fs.readlinkSync("/proc/thread-self")); // "PID/task/TID"
  const id = target === null ? Number.NaN : Number(target.slice(target.lastIndexOf("/") + 1));
  return Number.isInteger(id) ? id : null;
}

function readText(buffer: Buffer, path: string, bytesMax: number): string {
  const end = Math.min(bytesMax, buffer.length);
  const descriptor = fs.openSync(path, "r");
  try {
    let offset = 0;
    // Files of /proc come in pages: a short read is not the end, an empty one is.
    while (offset < end) {
      const bytes = fs.readSync(descriptor, buffer, offset, end - offset, null);
      if (bytes === 0) break;
      offset += bytes;
    }
    return buffer.toString("latin1", 0, offset);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openFile(buffer: Buffer, path: string): OpenFile {
  const descriptor = fs.openSync(path, "r");
  return {
    readBlock: (bytesMax) => {
      const end = Math.min(bytesMax, buffer.length);
      const bytes = orNull(() => fs.readSync(descriptor, buffer, 0, end, null)) ?? 0;
      return bytes === 0 ? null : buffer.subarray(0, bytes);
    },
    close: () => fs.closeSync(descriptor),
  };
}

function countDescriptors(): number {
  // Since Linux 6.2 the folder's size is the count; before, it is 0 and the entries have to be listed (5 ms for 10,000).
  const count = fs.statSync("/proc/self/fd").size;
  return count > 0 ? count : fs.readdirSync("/proc/self/fd").length - 1; // less the one that lists them
}

function countEntries(path: string): number {
  const count = fs.statSync(path).size;
  return count > 0 ? count : fs.readdirSync(path).length;
}

function diskSpace(path: string): { freeBytes: number; totalBytes: number } {
  const { bsize, blocks, bfree, bavail } = fs.statfsSync(path);
  // As df counts: what is kept for root is neither free nor ours.
  return { freeBytes: bavail * bsize, totalBytes: (blocks - bfree + bavail) * bsize };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
