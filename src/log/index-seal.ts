// The seal of a segment's `.idx`: the last record, which says that the segment is whole and how long it is. It is all that a
// start reads of a sealed segment.

import type { LogFiles } from "./files.ts";
import {
  blankIndexRecord,
  INDEX_RECORD_BYTES,
  type IndexRecord,
  tryDecodeIndexRecord,
} from "./index-record.ts";
import { readAround } from "./read-around.ts";
import { indexPath } from "./segment-name.ts";

/** Null where the segment was not sealed, or has no index, or one that is not whole. */
export function readSeal(files: LogFiles, directory: string, firstSequence: number): IndexRecord | null {
  const path = indexPath(directory, firstSequence);
  const at = (files.stat(path)?.bytes ?? 0) - INDEX_RECORD_BYTES;
  if (at < 0 || at % INDEX_RECORD_BYTES !== 0) return null;
  const bytes = new Uint8Array(INDEX_RECORD_BYTES);
  const fd = files.openRead(path);
  try {
    if (readAround(files, fd, bytes, 0, INDEX_RECORD_BYTES, at) !== INDEX_RECORD_BYTES) return null;
  } finally {
    files.close(fd);
  }
  return tryDecodeSeal(bytes, firstSequence);
}

/** Of the last INDEX_RECORD_BYTES of an index, which begin its own memory; null where they are no seal. */
export function tryDecodeSeal(bytes: Uint8Array, firstSequence: number): IndexRecord | null {
  const seal = blankIndexRecord();
  const isGood = tryDecodeIndexRecord(bytes, new DataView(bytes.buffer), 0, firstSequence, seal);
  return isGood && seal.length === 0 ? seal : null;
}

/** Takes it off again before a sealed segment is cut, so that a crash leaves one that the next start reads and repairs. */
export function dropSeal(files: LogFiles, directory: string, firstSequence: number): void {
  const path = indexPath(directory, firstSequence);
  const bytes = files.stat(path)!.bytes;
  const fd = files.openReadWrite(path);
  try {
    files.ftruncate(fd, bytes - (bytes % INDEX_RECORD_BYTES) - INDEX_RECORD_BYTES);
    files.sync(fd);
  } finally {
    files.close(fd);
  }
}
