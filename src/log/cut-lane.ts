// Cuts a lane at a line number: for one whose lines count only when something outside of it says so, and which has gone on
// behind that when it was killed. What is behind the number goes to quarantine/, as with recovery, and out of the segments.
//
//     0000.jsonl ┌──────────────┐  0120.jsonl ┌───────────┐
//                └──── stays ───┴── cut ──────┴──── cut ──┘
//                              at = 100
//
// Recovery goes before it and behind it. Each step leaves a directory from which a second cut comes to the same end: bytes
// are in quarantine, on the disk, before they go, and a segment that is being cut has lost its seal.

import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import type { LogFiles } from "./files.ts";
import { dropSeal } from "./index-seal.ts";
import type { LaneEvent } from "./lane-options.ts";
import { quarantine } from "./quarantine.ts";
import { recoverLane } from "./recovery.ts";
import { indexPath, segmentPath, segmentsAmong } from "./segment-name.ts";

const LF = 0x0a;

export interface CutReport {
  /** The lane's next line: `at`, or less where the lane ends before it. */
  nextSequence: number;
  linesCut: number;
  bytesCut: number;
  /** Where they are, a file for each segment. */
  quarantined: string[];
}

/** Recovers the lane and cuts it, so that it ends with the line before `at`. Throws as recovery does, and the file system's errors. */
export function cutLane(
  files: LogFiles,
  directory: string,
  at: number,
  onEvent: (event: LaneEvent) => void,
): CutReport {
  const recovered = recoverLane(files, directory, onEvent);
  const report: CutReport = {
    nextSequence: recovered.nextSequence,
    linesCut: 0,
    bytesCut: 0,
    quarantined: [],
  };
  if (recovered.nextSequence <= at) return report;
  // the last first: a cut that is killed leaves a lane without a hole
  for (const firstSequence of segmentsAmong(files.readdir(directory)).reverse()) {
    if (firstSequence >= at) removeSegment(files, directory, firstSequence, report);
    else if (!tryCutSegment(files, directory, firstSequence, at - firstSequence, report)) break;
  }
  files.fsyncDirectory(directory);
  report.linesCut = recovered.nextSequence - at;
  report.nextSequence = recoverLane(files, directory, onEvent).nextSequence;
  return report;
}

function removeSegment(files: LogFiles, directory: string, firstSequence: number, report: CutReport): void {
  const path = segmentPath(directory, firstSequence);
  const fd = files.openRead(path);
  try {
    putAside(files, directory, firstSequence, fd, 0, report);
  } finally {
    files.close(fd);
  }
  files.unlink(path);
  if (files.stat(indexPath(directory, firstSequence)) !== null)
    files.unlink(indexPath(directory, firstSequence));
}

/** False where it has no more than `lines`. */
function tryCutSegment(
  files: LogFiles,
  directory: string,
  firstSequence: number,
  lines: number,
  report: CutReport,
): boolean {
  const path = segmentPath(directory, firstSequence);
  const fd = files.openReadWrite(path);
  try {
    const offset = offsetBehind(files, fd, lines);
    if (offset >= files.stat(path)!.bytes) return false;
    putAside(files, directory, firstSequence, fd, offset, report);
    dropSeal(files, directory, firstSequence);
    files.ftruncate(fd, offset);
    files.sync(fd);
    return true;
  } finally {
    files.close(fd);
  }
}

function putAside(
  files: LogFiles,
  directory: string,
  firstSequence: number,
  fd: number,
  from: number,
  report: CutReport,
): void {
  const { bytes } = files.stat(segmentPath(directory, firstSequence))!;
  report.quarantined.push(quarantine(files, directory, firstSequence, fd, from, bytes));
  report.bytesCut += bytes - from;
}

/** Where the line behind the first `lines` begins; the file's end where there are no more. */
function offsetBehind(files: LogFiles, fd: number, lines: number): number {
  const block = Buffer.allocUnsafe(RECOVERY_BLOCK_BYTES);
  let left = lines;
  for (let position = 0; ; ) {
    const count = files.read(fd, block, 0, block.length, position);
    if (count === 0) return position;
    for (let at = block.indexOf(LF); at >= 0 && at < count; at = block.indexOf(LF, at + 1))
      if (--left === 0) return position + at + 1;
    position += count;
  }
}
