// Runs the scan of a segment with synchronous reads of its two files, for recovery and `tidemark verify`.

import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import type { LogFiles } from "./files.ts";
import { readAround } from "./read-around.ts";
import { indexPath } from "./segment-name.ts";
import { type ScanPieces, SegmentScan } from "./segment-scan.ts";

/** Tells `pieces` of the first `size` bytes of `fd`, and returns the scan at its end. The index is looked for beside. */
export function scanFiles(
  files: LogFiles,
  directory: string,
  firstSequence: number,
  fd: number,
  size: number,
  pieces: ScanPieces,
): SegmentScan {
  const path = indexPath(directory, firstSequence);
  const index = files.stat(path);
  const block = Buffer.allocUnsafe(RECOVERY_BLOCK_BYTES);
  const scan = new SegmentScan(firstSequence, size, index?.bytes ?? -1, block, pieces);
  const indexFd = index === null ? -1 : files.openRead(path);
  try {
    const steps = scan.run();
    for (let step = steps.next(); step.done !== true; ) {
      const { file, bytes, at, length, position } = step.value;
      step = steps.next(readAround(files, file === "index" ? indexFd : fd, bytes, at, length, position));
    }
    return scan;
  } finally {
    if (indexFd >= 0) files.close(indexFd);
  }
}
