// One of a lane's two buffers: the lines of a commit, and who waits for them, by what they wait for.
// Its lines start where the file offset that they are meant for lies in a page (see commit-write.ts).
// While the one is written the other fills; they change places and are never made anew.

import { DIRECT_ALIGNMENT } from "./direct-memory.ts";
import { ACK_SYNCED } from "./files.ts";
import type { IndexRecord } from "./index-record.ts";
import { WaiterGroup } from "./waiter-group.ts";

export class CommitBuffer<W> {
  readonly bytes: Uint8Array;
  /** An index at an aligned address, for direct writes; there are `bytes` and a page behind it. */
  alignedAt = 0;
  lines = 0;
  /** Where each batch ends, from the commit's first byte; only in a lane that writes each batch by itself. */
  readonly ends: number[] | null;
  timestampMsEarliest = Number.POSITIVE_INFINITY;
  timestampMsLatest = Number.NEGATIVE_INFINITY;
  /** Settled when the write has returned, and when a sync after it has. */
  atWrite = new WaiterGroup<W>();
  readonly atSync = new WaiterGroup<W>();

  constructor(bytes: number, writesEach = false) {
    this.ends = writesEach ? [] : null;
    this.bytes = new Uint8Array(bytes + 2 * DIRECT_ALIGNMENT);
  }

  add(
    lines: number,
    timestampMsFirst: number,
    timestampMsLast: number,
    level: number,
    waiter: W | null,
  ): void {
    this.lines += lines;
    if (timestampMsFirst < this.timestampMsEarliest) this.timestampMsEarliest = timestampMsFirst;
    if (timestampMsLast > this.timestampMsLatest) this.timestampMsLatest = timestampMsLast;
    if (level >= ACK_SYNCED) this.atSync.add(waiter, lines, level);
    else this.atWrite.add(waiter, lines, level);
  }

  describe(record: IndexRecord, offset: number, length: number, crc: number): void {
    record.offset = offset;
    record.length = length;
    record.crc = crc;
    record.lines = this.lines;
    record.timestampMsEarliest = this.timestampMsEarliest;
    record.timestampMsLatest = this.timestampMsLatest;
  }

  clear(): void {
    this.lines = 0;
    if (this.ends !== null) this.ends.length = 0;
    this.timestampMsEarliest = Number.POSITIVE_INFINITY;
    this.timestampMsLatest = Number.NEGATIVE_INFINITY;
  }
}
