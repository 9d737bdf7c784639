// What recovery cuts off a segment is kept: `<lane>/quarantine/<segment>-<offset>.bin`, on the disk before the cut is made.
// A second start after a crash in between finds the same bytes there and leaves them; other bytes under that name are
// those of an earlier cut and stay too: the new ones get `-<offset>.1.bin`, and so on.

import { join } from "node:path";
import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import type { LogFiles } from "./files.ts";
import { readAround } from "./read-around.ts";
import { QUARANTINE, segmentStem } from "./segment-name.ts";

/** Copies bytes [from, to) of `fd` there and returns the path. */
export function quarantine(
  files: LogFiles,
  directory: string,
  firstSequence: number,
  fd: number,
  from: number,
  to: number,
): string {
  const folder = join(directory, QUARANTINE);
  if (files.stat(folder) === null) files.mkdir(folder);
  // also where they are there: a recovery that was killed may have made them and not synced them
  files.fsyncDirectory(directory);
  const stem = join(folder, `${segmentStem(firstSequence)}-${from}`);
  let path = `${stem}.bin`;
  for (let copy = 1; files.stat(path) !== null; copy++) {
    if (holds(files, path, fd, from, to)) {
      files.fsyncDirectory(folder);
      return path;
    }
    path = `${stem}.${copy}.bin`;
  }
  const temporary = `${path}.tmp`;
  const target = files.createOrTruncate(temporary);
  try {
    const block = new Uint8Array(Math.min(RECOVERY_BLOCK_BYTES, to - from));
    for (let at = from; at < to; ) {
      const count = readAround(files, fd, block, 0, Math.min(block.length, to - at), at);
      if (count === 0) throw new Error("the file has become shorter");
      files.writeAll(target, block, 0, count, at - from);
      at += count;
    }
    files.sync(target);
  } finally {
    files.close(target);
  }
  files.rename(temporary, path);
  files.fsyncDirectory(folder);
  return path;
}

/** Whether the file at `path` is exactly bytes [from, to) of `fd`. */
function holds(files: LogFiles, path: string, fd: number, from: number, to: number): boolean {
  if (files.stat(path)!.bytes !== to - from) return false;
  const other = files.openRead(path);
  try {
    return holdsSame(files, other, fd, from, to);
  } finally {
    files.close(other);
  }
}

/** Whether the first bytes of `other` are bytes [from, to) of `fd`. */
export function holdsSame(files: LogFiles, other: number, fd: number, from: number, to: number): boolean {
  const ours = Buffer.allocUnsafe(Math.min(RECOVERY_BLOCK_BYTES, to - from));
  const theirs = Buffer.allocUnsafe(ours.length);
  for (let at = from; at < to; ) {
    const count = readAround(files, fd, ours, 0, Math.min(ours.length, to - at), at);
    const same = files.read(other, theirs, 0, count, at - from);
    if (count === 0 || same !== count || ours.compare(theirs, 0, count, 0, count) !== 0) return false;
    at += count;
  }
  return true;
}
