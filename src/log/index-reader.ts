// Reads a segment's `.idx` in recovery: its seal, and its records one after the other in bounded memory.

import type { LogFiles } from "./files.ts";
import {
  blankIndexRecord,
  INDEX_RECORD_BYTES,
  type IndexRecord,
  tryDecodeIndexRecord,
} from "./index-record.ts";
import { indexPath } from "./segment-name.ts";

const BLOCK_RECORDS = 4096;

export class IndexReader {
  private readonly files: LogFiles;
  private readonly fd: number;
  private readonly firstSequence: number;
  private readonly bytes = new Uint8Array(BLOCK_RECORDS * INDEX_RECORD_BYTES);
  private readonly view = new DataView(this.bytes.buffer);
  private readonly fileBytes: number;
  private blockOffset = 0;
  private blockBytes = 0;
  private at = 0;
  readonly record = blankIndexRecord();

  private constructor(files: LogFiles, fd: number, fileBytes: number, firstSequence: number) {
    this.files = files;
    this.fd = fd;
    this.fileBytes = fileBytes;
    this.firstSequence = firstSequence;
  }

  /** Null where there is none. */
  static open(files: LogFiles, directory: string, firstSequence: number): IndexReader | null {
    const path = indexPath(directory, firstSequence);
    const stat = files.stat(path);
    return stat === null ? null : new IndexReader(files, files.openRead(path), stat.bytes, firstSequence);
  }

  close(): void {
    this.files.close(this.fd);
  }

  /** The seal, or null where the segment was not sealed or the file is not whole. */
  seal(): IndexRecord | null {
    const last = this.fileBytes - INDEX_RECORD_BYTES;
    if (last < 0 || last % INDEX_RECORD_BYTES !== 0) return null;
    if (this.files.read(this.fd, this.bytes, 0, INDEX_RECORD_BYTES, last) !== INDEX_RECORD_BYTES) return null;
    const seal = blankIndexRecord();
    const good = tryDecodeIndexRecord(this.bytes, this.view, 0, this.firstSequence, seal);
    return good && seal.length === 0 ? seal : null;
  }

  /** The next commit's record in `record`, or false at the seal, the end, or the first that is not whole and good. */
  next(): boolean {
    if (this.at + INDEX_RECORD_BYTES > this.blockBytes) {
      this.blockOffset += this.at;
      this.at = 0;
      this.blockBytes = this.files.read(this.fd, this.bytes, 0, this.bytes.length, this.blockOffset);
      if (this.blockBytes < INDEX_RECORD_BYTES) return false;
    }
    const good = tryDecodeIndexRecord(this.bytes, this.view, this.at, this.firstSequence, this.record);
    this.at += INDEX_RECORD_BYTES;
    return good && this.record.length > 0;
  }
}
