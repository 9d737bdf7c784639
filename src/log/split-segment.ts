// The good lines behind damage, on their way into a segment of their own: copied beside it, synced, and then given its
// name, so that a crash leaves no half segment. What is left half made is removed by the next recovery.

import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import type { LogFiles } from "./files.ts";
import { IndexRebuild } from "./index-rebuild.ts";
import type { IndexRecord } from "./index-record.ts";
import { holdsSame } from "./quarantine.ts";
import { segmentPath } from "./segment-name.ts";

export class SplitSegment {
  private readonly files: LogFiles;
  private readonly index: IndexRebuild;
  private readonly path: string;
  private fd: number;
  private readonly block = Buffer.allocUnsafe(RECOVERY_BLOCK_BYTES);
  readonly firstSequence: number;

  constructor(files: LogFiles, directory: string, firstSequence: number) {
    this.files = files;
    this.firstSequence = firstSequence;
    this.path = segmentPath(directory, firstSequence);
    this.index = new IndexRebuild(files, directory, firstSequence);
    this.fd = files.createOrTruncate(`${this.path}.tmp`);
  }

  /** What its seal will carry. */
  get total(): IndexRecord {
    return this.index.total;
  }

  /** Copies the record's bytes of `fd` to the end. */
  add(fd: number, record: IndexRecord): void {
    const { files } = this;
    const start = this.total.offset;
    for (let done = 0; done < record.length; ) {
      const wanted = Math.min(this.block.length, record.length - done);
      const count = files.read(fd, this.block, 0, wanted, record.offset + done);
      if (count === 0) throw new Error("the file has become shorter");
      files.writeAll(this.fd, this.block, 0, count, start + done);
      done += count;
    }
    this.index.add({ ...record, offset: start });
  }

  /** True where another segment has its name. One with its very bytes is what a killed recovery has left. */
  isNameTaken(): boolean {
    if (this.files.stat(this.path) === null) return false;
    const other = this.files.openRead(this.path);
    try {
      const { offset } = this.total;
      return (
        this.files.stat(this.path)!.bytes !== offset || !holdsSame(this.files, other, this.fd, 0, offset)
      );
    } finally {
      this.files.close(other);
    }
  }

  /** Gives it its name; the directory's entry is the caller's to sync. Its index first, for a segment without one reads as torn. */
  finish(): void {
    this.files.sync(this.fd);
    this.files.close(this.fd);
    this.fd = -1;
    this.index.finish();
    this.files.rename(`${this.path}.tmp`, this.path);
  }

  discard(): void {
    if (this.fd < 0) return;
    this.files.close(this.fd);
    this.fd = -1;
    this.index.discard();
    this.files.unlink(`${this.path}.tmp`);
  }
}
