// How far a lane is on the disk, for a follower that is no part of the server: read off the indexes, whose records come behind
// the sync of what they cover. Where the newest segment has no index that can be read, it counts when it is sealed by a start.
// Looks again at the newest segment only, and there only at what is new.

import type { LogFiles } from "../log/files.ts";
import { blankIndexRecord, INDEX_RECORD_BYTES, tryDecodeIndexRecord } from "../log/index-record.ts";
import { indexPath, segmentsAmong } from "../log/segment-name.ts";

const BLOCK_RECORDS = 1024;

export class IndexedEnd {
  private readonly files: LogFiles;
  private readonly directory: string;
  private segment = -1;
  private indexBytes = 0;
  private lines = 0;
  private readonly block = new Uint8Array(BLOCK_RECORDS * INDEX_RECORD_BYTES);
  private readonly view = new DataView(this.block.buffer);
  private readonly record = blankIndexRecord();

  constructor(files: LogFiles, directory: string) {
    this.files = files;
    this.directory = directory;
  }

  /** The number behind the last line that is known to be on the disk. Throws the file system's errors. */
  read(): number {
    const newest = segmentsAmong(this.files.readdir(this.directory)).at(-1);
    if (newest === undefined) return 0;
    if (newest !== this.segment) {
      this.segment = newest;
      this.indexBytes = 0;
      this.lines = 0;
    }
    const path = indexPath(this.directory, newest);
    const size = this.files.stat(path)?.bytes ?? 0;
    if (size - this.indexBytes >= INDEX_RECORD_BYTES) this.readRecords(path, size);
    return newest + this.lines;
  }

  private readRecords(path: string, size: number): void {
    const fd = this.files.openRead(path);
    try {
      while (size - this.indexBytes >= INDEX_RECORD_BYTES) {
        const wanted = Math.min(this.block.length, size - this.indexBytes);
        const had = this.files.read(fd, this.block, 0, wanted, this.indexBytes);
        for (let at = 0; at + INDEX_RECORD_BYTES <= had; at += INDEX_RECORD_BYTES) {
          if (!tryDecodeIndexRecord(this.block, this.view, at, this.segment, this.record)) return;
          if (this.record.length > 0) this.lines += this.record.lines;
          this.indexBytes += INDEX_RECORD_BYTES;
        }
        if (had < INDEX_RECORD_BYTES) return;
      }
    } finally {
      this.files.close(fd);
    }
  }
}
