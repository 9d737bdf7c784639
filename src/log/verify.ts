// Reads every byte of a lane against its indexes and says what is damaged. It changes nothing, and may run beside a server:
// the open segment is taken as long as it is when its turn comes, and one that retention deletes is left out.

import { DamageFinder, type Finding } from "./damage-finder.ts";
import type { FileError, LogFiles } from "./files.ts";
import { readSeal } from "./index-seal.ts";
import { scanFiles } from "./scan-files.ts";
import { indexPath, segmentPath, segmentsAmong } from "./segment-name.ts";

export interface SegmentVerdict {
  firstSequence: number;
  path: string;
  bytes: number;
  lines: number;
  isSealed: boolean;
  findings: Finding[];
  damagedRecords: number;
  damagedBytes: number;
  damagedLines: number;
  /** At the end of an unsealed segment: what a crash cut off, or a write that is under way. */
  tornBytes: number;
  /** What the index lacks: its lines were read one by one. */
  index: "good" | "damaged" | "missing";
}

/** Findings of one segment that are kept one by one; past it they are only counted. */
const FINDINGS_MAX = 1_000;

/** One verdict for each segment, in the order of the lane. */
export function* verifyLane(files: LogFiles, directory: string): Generator<SegmentVerdict> {
  for (const firstSequence of segmentsAmong(files.readdir(directory))) {
    try {
      yield verifySegment(files, directory, firstSequence);
    } catch (error) {
      if ((error as FileError).code !== "ENOENT") throw error;
    }
  }
}

function verifySegment(files: LogFiles, directory: string, firstSequence: number): SegmentVerdict {
  const path = segmentPath(directory, firstSequence);
  const seal = readSeal(files, directory, firstSequence);
  const fd = files.openRead(path);
  try {
    const size = files.stat(path)?.bytes ?? 0;
    const findings: Finding[] = [];
    const finder = new DamageFinder((finding) => {
      if (findings.length < FINDINGS_MAX) findings.push(finding);
    });
    // what stands behind a seal was refused when it was written
    const bytes = Math.min(size, seal?.offset ?? size);
    const scan = scanFiles(files, directory, firstSequence, fd, bytes, finder);
    finder.end(scan, size);
    const isMissing = files.stat(indexPath(directory, firstSequence)) === null;
    const { goodLines, damagedRecords, damagedBytes, damagedLines, tornBytes } = finder;
    return {
      firstSequence,
      path,
      bytes,
      lines: goodLines,
      isSealed: seal !== null,
      findings,
      damagedRecords,
      damagedBytes,
      damagedLines,
      tornBytes,
      index: isMissing ? "missing" : scan.recordsBad > 0 ? "damaged" : "good",
    };
  } finally {
    files.close(fd);
  }
}
