// One segment file while it can still change: from the creation of its two files to the seal or the failure that ends it.
// It holds the figures and the descriptors; the lane writes to it, the syncer syncs, seals and closes it.
//
//     open ──▶ sealing ──▶ closed (sealed: never changes again)
//       └───────┴─────▶ failed ──▶ closed (as it is; the next start checks it)
//
// `bytes` and `lines` count whole commits only; what a failed write left behind them was cut off again, or the segment
// has ended with it.

import type { LogFiles } from "./files.ts";
import type { IndexRecord } from "./index-record.ts";
import { IndexWriter } from "./index-writer.ts";
import { indexPath, segmentPath } from "./segment-name.ts";
import { WaiterGroup } from "./waiter-group.ts";

export class Segment<W> {
  readonly firstSequence: number;
  readonly path: string;
  readonly fd: number;
  /** The same file for writes past the page cache; -1 until one is wanted. */
  directFd = -1;
  readonly index: IndexWriter;
  readonly openedMs: number;
  bytes = 0;
  lines = 0;
  timestampMsEarliest = Number.POSITIVE_INFINITY;
  timestampMsLatest = Number.NEGATIVE_INFINITY;
  /** What the last fdatasync that returned had covered. */
  bytesSynced = 0;
  linesSynced = 0;
  /** The directory's entry is on the disk; until then no sync of the bytes is worth anything. */
  entrySynced = false;
  /** When the oldest byte was written that no sync has started for; -1 for none. */
  unsyncedSinceMs = -1;
  /** Its bytes are on the disk and its file is closed; only the index is still being sealed. */
  ended = false;
  /** A write to it is in flight: its descriptor must stay open. */
  writing = false;
  /** A sync of it has failed: nothing in it may be promised any more. */
  failed = false;
  /** Written, and waiting for the next sync to start. */
  readonly waiting = new WaiterGroup<W>();

  constructor(files: LogFiles, directory: string, firstSequence: number, nowMs: number) {
    this.firstSequence = firstSequence;
    this.path = segmentPath(directory, firstSequence);
    this.openedMs = nowMs;
    this.fd = files.create(this.path);
    try {
      const indexFd = files.createOrTruncate(indexPath(directory, firstSequence));
      this.index = new IndexWriter(files, indexFd, firstSequence);
    } catch (error) {
      files.close(this.fd);
      files.unlink(this.path);
      throw error;
    }
  }

  /** Counts one commit that has been written whole. */
  add(record: IndexRecord): void {
    this.bytes += record.length;
    this.lines += record.lines;
    if (record.timestampMsEarliest < this.timestampMsEarliest)
      this.timestampMsEarliest = record.timestampMsEarliest;
    if (record.timestampMsLatest > this.timestampMsLatest) this.timestampMsLatest = record.timestampMsLatest;
    this.index.add(record);
  }

  /** Takes a failed commit's bytes off the file again. Where even that fails, recovery will see the seal's size. */
  tryCutBack(files: LogFiles): "nothing to cut" | "cut" | "failed" {
    try {
      if (files.stat(this.path)?.bytes === this.bytes) return "nothing to cut";
      files.ftruncate(this.fd, this.bytes);
      return "cut";
    } catch {
      return "failed";
    }
  }

  sealRecord(): IndexRecord {
    return {
      offset: this.bytes,
      length: 0,
      crc: 0,
      lines: this.lines,
      timestampMsEarliest: this.timestampMsEarliest,
      timestampMsLatest: this.timestampMsLatest,
    };
  }
}
