// Puts a small file in the place of the one that is there, or of none: whoever looks, now or after a power cut, finds the one or
// the other, whole.

import { dirname } from "node:path";
import type { LogFiles } from "./files.ts";

/** On the disk when it returns. Throws the file system's error; then what was there is there. */
export function replaceFile(files: LogFiles, path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`;
  const fd = files.createOrTruncate(temporary);
  try {
    files.writeAll(fd, bytes, 0, bytes.length, 0);
    files.sync(fd);
  } finally {
    files.close(fd);
  }
  files.rename(temporary, path);
  files.fsyncDirectory(dirname(path));
}
