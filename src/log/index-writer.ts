// Writes a segment's `.idx` as the segment grows. Best effort: a record that cannot be written costs the next start some
// time, never a line, so the first failure ends the index and is not reported as one of the log's.
// Records gather in one of two blocks; a flush hands it to the disk and the other fills. Where both are taken the index
// ends too, rather than grow or wait.
// It flushes by itself when it covers INDEX_FLUSH_BYTES more of the segment: what no record covers is read line by line at
// the next start, at some 200 MB/s, what one covers at the speed of a CRC.
// HOT: `add` runs once a commit.

import { INDEX_FLUSH_BYTES } from "../limits.ts";
import type { FileError, LogFiles } from "./files.ts";
import { encodeIndexRecord, INDEX_RECORD_BYTES, type IndexRecord } from "./index-record.ts";

/** One block of records: 1,024 commits, more than 100 ms of them. */
const BLOCK_RECORDS = 1024;

export class IndexWriter {
  private readonly files: LogFiles;
  private readonly fd: number;
  private readonly firstSequence: number;
  private filling = makeBlock();
  private flying = makeBlock();
  private fillingBytes = 0;
  /** Bytes of the segment that the filling block covers. */
  private coveredBytes = 0;
  private flyingBytes = 0;
  private flyingDone = 0;
  private fileBytes = 0;
  private broken = false;
  private sealed: (() => void) | null = null;
  private readonly wroteBound = (error: FileError | null, bytes: number) => this.wrote(error, bytes);
  private readonly syncedBound = () => this.finish();

  /** Owns `fd` from here on; `seal` or `abandon` closes it. */
  constructor(files: LogFiles, fd: number, firstSequence: number) {
    this.files = files;
    this.fd = fd;
    this.firstSequence = firstSequence;
  }

  add(record: IndexRecord): void {
    if (this.broken) return;
    if (this.fillingBytes === BLOCK_RECORDS * INDEX_RECORD_BYTES) {
      if (this.flyingBytes > 0) {
        this.broken = true;
        return;
      }
      this.flush();
    }
    encodeIndexRecord(this.filling.bytes, this.filling.view, this.fillingBytes, this.firstSequence, record);
    this.fillingBytes += INDEX_RECORD_BYTES;
    this.coveredBytes += record.length;
    if (this.coveredBytes >= INDEX_FLUSH_BYTES) this.flush();
  }

  /** Hands the gathered records to the disk, unless some are under way already. */
  flush(): void {
    if (this.broken || this.flyingBytes > 0 || this.fillingBytes === 0) return;
    const block = this.filling;
    this.filling = this.flying;
    this.flying = block;
    this.flyingBytes = this.fillingBytes;
    this.flyingDone = 0;
    this.fillingBytes = 0;
    this.coveredBytes = 0;
    this.writeRest();
  }

  /** The last record, then everything to the disk; `done` when the file is closed, whether that worked or not. */
  seal(record: IndexRecord, done: () => void): void {
    this.add(record);
    this.sealed = done;
    if (this.flyingBytes > 0) return;
    this.flush();
    if (this.flyingBytes === 0) this.finish();
  }

  /** Ends without a seal: the next start checks the segment. */
  abandon(): void {
    this.broken = true;
    this.sealed = nothing;
    if (this.flyingBytes === 0) this.finish();
  }

  private writeRest(): void {
    const rest = this.flyingBytes - this.flyingDone;
    this.files.write(this.fd, this.flying.bytes, this.flyingDone, rest, this.fileBytes, this.wroteBound);
  }

  private wrote(error: FileError | null, bytes: number): void {
    if (error === null && bytes > 0) {
      this.flyingDone += bytes;
      this.fileBytes += bytes;
      if (this.flyingDone < this.flyingBytes) {
        this.writeRest();
        return;
      }
    } else {
      this.broken = true;
    }
    this.flyingBytes = 0;
    if (this.sealed === null) return;
    if (this.broken) this.finish();
    else if (this.fillingBytes > 0) this.flush();
    else this.files.fdatasync(this.fd, this.syncedBound);
  }

  private finish(): void {
    const done = this.sealed ?? nothing;
    this.sealed = nothing;
    try {
      this.files.close(this.fd);
    } catch {
      // best effort, as all of the index
    }
    done();
  }
}

function nothing(): void {}

function makeBlock(): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(BLOCK_RECORDS * INDEX_RECORD_BYTES);
  return { bytes, view: new DataView(bytes.buffer) };
}
