// Which files a lane has open, in memory that its thread shares with the main one. Where a thread of Bun dies its files
// stay open in the process (Node closes them): each takes a descriptor, and a deleted segment keeps its room on the disk.
// The number of a file that is still being written must not be used again, so they are closed a while later, and behind
// a call of our own: calls begin in the order they were asked for, and one that has begun holds the file and not its number.

import { close, stat } from "node:fs";
import { LEFT_OPEN_MS } from "../limits.ts";
import { type LogFiles, realFiles } from "./files.ts";

/** A lane has five or six files open; what finds no place here stays open if the thread dies. */
const PLACES = 64;
const NONE = -1;

export class OpenFiles {
  readonly shared: SharedArrayBuffer;
  private readonly descriptors: Int32Array;

  /** Without `shared`, a new one with nothing open. */
  constructor(shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
    this.descriptors = new Int32Array(this.shared);
    if (shared === undefined) this.descriptors.fill(NONE);
  }

  /** The real files, and what is opened and closed through them is known here. */
  files(): LogFiles {
    const files = realFiles;
    return {
      ...files,
      create: (path) => this.opened(files.create(path)),
      createOrTruncate: (path) => this.opened(files.createOrTruncate(path)),
      openRead: (path) => this.opened(files.openRead(path)),
      openReadWrite: (path) => this.opened(files.openReadWrite(path)),
      openDirect: (path) => this.opened(files.openDirect(path)),
      openDirectory: (path) => this.opened(files.openDirectory(path)),
      fsyncDirectory: (path) => files.fsyncDirectory(path),
      close: (fd) => {
        this.closing(fd);
        files.close(fd);
      },
    };
  }

  /** What is open, for a thread that has died; from here on nothing is. */
  take(): number[] {
    const open = [...this.descriptors].filter((fd) => fd !== NONE);
    this.descriptors.fill(NONE);
    return open;
  }

  private opened(fd: number): number {
    const place = this.descriptors.indexOf(NONE);
    if (place >= 0) this.descriptors[place] = fd;
    return fd;
  }

  private closing(fd: number): void {
    const place = this.descriptors.indexOf(fd);
    if (place >= 0) this.descriptors[place] = NONE;
  }
}

/** Closes what a dead thread had open, when no call of its can need the numbers any more. */
export function closeLeftOpen(descriptors: readonly number[]): void {
  if (descriptors.length === 0) return;
  const closeAll = (): void => {
    // A close that fails has closed all the same, and there is nobody left to tell.
    for (const fd of descriptors) close(fd, () => {});
  };
  setTimeout(() => stat("/", closeAll), LEFT_OPEN_MS).unref();
}
