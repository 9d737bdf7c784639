// Writes bytes of a file over themselves, for the next sync to bring them to the disk. Why: after a sync that failed the kernel
// takes the pages for clean although they are stored nowhere, and answers every later sync with "fine". They can be read as
// long as the machine runs, so that a start after that would seal a segment whose lines are gone with the power.
// No mark says which bytes these are, but the index does: its records come behind the sync of what they cover.

import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import type { LogFiles } from "./files.ts";

/** Bytes [from, to). Best effort: a disk too full for that leaves them as they were. */
export function storeAgain(files: LogFiles, fd: number, from: number, to: number): void {
  const block = Buffer.allocUnsafe(Math.max(0, Math.min(RECOVERY_BLOCK_BYTES, to - from)));
  try {
    for (let at = from; at < to; ) {
      const count = files.read(fd, block, 0, Math.min(block.length, to - at), at);
      if (count === 0) return;
      files.writeAll(fd, block, 0, count, at);
      at += count;
    }
  } catch {
    // what was read is what is there: nothing has changed
  }
}
