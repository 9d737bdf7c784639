// Whether a lane still has lines of some numbers. Reads the log until the first of them.

import { FOLLOW_BLOCK_BYTES_MAX } from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import { segmentsAmong } from "../log/segment-name.ts";
import type { LineRange } from "./lane-cursor.ts";
import { LaneReader } from "./lane-reader.ts";

/** "none" where no line ever had these numbers, or damage has taken them; "deleted" where retention may have. */
export function linesKept(files: LogFiles, directory: string, { from, to }: LineRange) {
  const reader = new LaneReader(files, directory, FOLLOW_BLOCK_BYTES_MAX);
  try {
    reader.seek(from);
    for (let block = reader.read(to); block !== null; block = reader.read(to))
      if (block.end > block.first) return "some";
    const first = segmentsAmong(files.readdir(directory))[0] ?? Number.POSITIVE_INFINITY;
    return from < first ? "deleted" : "none";
  } finally {
    reader.close();
  }
}
