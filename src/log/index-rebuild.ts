// Writes a segment's `.idx` anew in recovery: beside the old one, synced, then in its place, so that a crash leaves the one
// or the other. A disk that has no room for it costs the next start another check, so it is not an error.

import type { LogFiles } from "./files.ts";
import { encodeIndexRecord, INDEX_RECORD_BYTES, type IndexRecord } from "./index-record.ts";
import { indexPath } from "./segment-name.ts";

const BLOCK_RECORDS = 4096;

export class IndexRebuild {
  private readonly files: LogFiles;
  private readonly path: string;
  private readonly firstSequence: number;
  private readonly bytes = new Uint8Array(BLOCK_RECORDS * INDEX_RECORD_BYTES);
  private readonly view = new DataView(this.bytes.buffer);
  private blockBytes = 0;
  private fileBytes = 0;
  private fd = -1;
  private broken = false;
  /** The sums over all records, which the seal will carry. */
  readonly total: IndexRecord = {
    offset: 0,
    length: 0,
    crc: 0,
    lines: 0,
    timestampMsEarliest: Number.POSITIVE_INFINITY,
    timestampMsLatest: Number.NEGATIVE_INFINITY,
  };

  constructor(files: LogFiles, directory: string, firstSequence: number) {
    this.files = files;
    this.path = indexPath(directory, firstSequence);
    this.firstSequence = firstSequence;
  }

  add(record: IndexRecord): void {
    const total = this.total;
    total.offset += record.length;
    total.lines += record.lines;
    total.timestampMsEarliest = Math.min(total.timestampMsEarliest, record.timestampMsEarliest);
    total.timestampMsLatest = Math.max(total.timestampMsLatest, record.timestampMsLatest);
    this.put(record);
  }

  /** Puts the new index in the old one's place. The directory's entry is the caller's to sync. */
  finish(): void {
    this.put(this.total);
    this.flush();
    this.attempt(() => {
      this.files.sync(this.fd);
      this.files.close(this.fd);
      this.fd = -1;
      this.files.rename(`${this.path}.tmp`, this.path);
    });
    this.discard();
  }

  /** Leaves the old index as it is. */
  discard(): void {
    if (this.fd < 0) return;
    this.files.close(this.fd);
    this.fd = -1;
    this.files.unlink(`${this.path}.tmp`);
  }

  private put(record: IndexRecord): void {
    if (this.blockBytes === this.bytes.length) this.flush();
    encodeIndexRecord(this.bytes, this.view, this.blockBytes, this.firstSequence, record);
    this.blockBytes += INDEX_RECORD_BYTES;
  }

  private flush(): void {
    this.attempt(() => {
      if (this.fd < 0) this.fd = this.files.createOrTruncate(`${this.path}.tmp`);
      this.files.writeAll(this.fd, this.bytes, 0, this.blockBytes, this.fileBytes);
    });
    this.fileBytes += this.blockBytes;
    this.blockBytes = 0;
  }

  private attempt(step: () => void): void {
    if (this.broken) return;
    try {
      step();
    } catch {
      this.broken = true;
    }
  }
}
