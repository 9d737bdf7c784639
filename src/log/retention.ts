// Retention: deletes a lane's oldest closed segments, by age and by the bytes of all closed ones together. It never touches
// a segment at or after `before`: those are open or still being sealed. Age is the time since a segment last changed, by
// the file system, because the timestamps inside are the clients'. The newest closed segment always stays: it is what the
// next start takes the lane's sequence from.
// What a follower of the log still needs stays too, whatever its age or size: then the log is full.
// Runs on the lane's thread, now and then.

import type { LogFiles } from "./files.ts";
import { indexPath, segmentPath, segmentsAmong } from "./segment-name.ts";

export interface RetentionReport {
  /** The paths of the segments deleted, oldest first. */
  segments: string[];
  bytes: number;
  /** There is more than `bytesMax`, and what would have to go is still needed. */
  isBlocked: boolean;
}

export interface RetentionLimits {
  /** 0 keeps everything; as for `bytesMax`. */
  ageMsMax: number;
  bytesMax: number;
  /** The first line that must stay. */
  neededFrom: number;
}

interface ClosedSegment {
  firstSequence: number;
  bytes: number;
  modifiedMs: number;
}

export function applyRetention(
  files: LogFiles,
  directory: string,
  before: number,
  nowMs: number,
  { ageMsMax, bytesMax, neededFrom }: RetentionLimits,
): RetentionReport {
  const report: RetentionReport = { segments: [], bytes: 0, isBlocked: false };
  if (ageMsMax === 0 && bytesMax === 0) return report;
  const closed = closedSegments(files, directory, before);
  let bytesLeft = 0;
  for (const segment of closed) bytesLeft += segment.bytes;
  for (const [at, segment] of closed.slice(0, -1).entries()) {
    const tooOld = ageMsMax > 0 && nowMs - segment.modifiedMs > ageMsMax;
    const tooMuch = bytesMax > 0 && bytesLeft > bytesMax;
    if (!tooOld && !tooMuch) break;
    if (closed[at + 1]!.firstSequence > neededFrom) {
      report.isBlocked = tooMuch;
      break;
    }
    const path = segmentPath(directory, segment.firstSequence);
    files.unlink(path);
    const index = indexPath(directory, segment.firstSequence);
    if (files.stat(index) !== null) files.unlink(index);
    bytesLeft -= segment.bytes;
    report.bytes += segment.bytes;
    report.segments.push(path);
  }
  return report;
}

function closedSegments(files: LogFiles, directory: string, before: number): ClosedSegment[] {
  const closed: ClosedSegment[] = [];
  for (const firstSequence of segmentsAmong(files.readdir(directory))) {
    const stat = firstSequence < before ? files.stat(segmentPath(directory, firstSequence)) : null;
    if (stat !== null) closed.push({ firstSequence, bytes: stat.bytes, modifiedMs: stat.modifiedMs });
  }
  return closed;
}
