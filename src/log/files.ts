// The log's seam to the file system. Everything the log does to a disk goes through a LogFiles, so that a test can put
// a full disk, a failing sync, a short write or a power cut there, and nothing else of the log has to be faked.
// Hot calls run off the event loop and end in a callback, never before they return. Cold calls are synchronous, throw
// the system's error (with its `code`), and belong to opening, rotation and repair.
// A descriptor is closed only when no hot call on it is in flight: its number would be used again under that call.

import * as fs from "node:fs";

/** How far a batch must have come before it is answered (see the promises in the protocol's page). */
export const ACK_ACCEPTED = 1;
export const ACK_WRITTEN = 2;
export const ACK_SYNCED = 3;
/** Synced here, and then on another machine too: the lane does the first, who follows it the second. */
export const ACK_REPLICATED = 4;

export type FileError = NodeJS.ErrnoException;
export type WriteDone = (error: FileError | null, bytesWritten: number) => void;
export type SyncDone = (error: FileError | null) => void;

export interface FileStat {
  bytes: number;
  modifiedMs: number;
}

export interface LogFiles {
  /** pwrite(2). The buffer is the call's until `done`; it may write fewer bytes than asked for. */
  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: WriteDone,
  ): void;
  fdatasync(fd: number, done: SyncDone): void;
  fsync(fd: number, done: SyncDone): void;

  /** Creates a file that must not exist yet, mode 0600, for reading and writing. */
  create(path: string): number;
  /** Creates the file, or empties the one that is there. */
  createOrTruncate(path: string): number;
  openRead(path: string): number;
  openReadWrite(path: string): number;
  /** For writing past the page cache; throws where the file system has no such thing. */
  openDirect(path: string): number;
  openDirectory(path: string): number;
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  /** All of it, or it throws. */
  writeAll(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): void;
  sync(fd: number): void;
  ftruncate(fd: number, bytes: number): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  readdir(path: string): string[];
  /** Null where nothing has that name. */
  stat(path: string): FileStat | null;
  /** One directory, mode 0700; its parents must exist. */
  mkdir(path: string): void;
  fsyncDirectory(path: string): void;
  close(fd: number): void;
}

export const realFiles: LogFiles = {
  write: fs.write,
  fdatasync: fs.fdatasync,
  fsync: fs.fsync,
  create: (path) => fs.openSync(path, "wx+", 0o600),
  createOrTruncate: (path) => fs.openSync(path, "w+", 0o600),
  openRead: (path) => fs.openSync(path, "r"),
  openReadWrite: (path) => fs.openSync(path, "r+"),
  openDirect: (path) => fs.openSync(path, fs.constants.O_WRONLY | directFlag()),
  openDirectory: (path) => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY),
  read: fs.readSync,
  writeAll(fd, buffer, offset, length, position) {
    let done = 0;
    while (done < length) done += fs.writeSync(fd, buffer, offset + done, length - done, position + done);
  },
  sync: fs.fsyncSync,
  ftruncate: fs.ftruncateSync,
  rename: fs.renameSync,
  unlink: fs.unlinkSync,
  readdir: (path) => fs.readdirSync(path),
  stat(path) {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    return found === undefined ? null : { bytes: found.size, modifiedMs: found.mtimeMs };
  },
  mkdir: (path) => fs.mkdirSync(path, 0o700),
  fsyncDirectory(path) {
    const fd = this.openDirectory(path);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  close: fs.closeSync,
};

function directFlag(): number {
  const flag = fs.constants.O_DIRECT as number | undefined;
  if (flag === undefined)
    throw new Error("cannot write past the page cache because this system has no O_DIRECT");
  return flag;
}
