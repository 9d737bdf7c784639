// What a scan says, as findings for a person: damage in a row is one of them. It changes nothing, and holds only counts.

import type { IndexRecord } from "./index-record.ts";
import type { ScanPieces, SegmentScan } from "./segment-scan.ts";

/** Bytes in a row that are not what was written, or that are missing. */
export interface Finding {
  offset: number;
  bytes: number;
  /** Commits, where the index knows them, else lines. */
  records: number;
  lines: number;
  isMissing: boolean;
}

export class DamageFinder implements ScanPieces {
  private readonly onFinding: (finding: Finding) => void;
  private stretch: Finding | null = null;
  goodBytes = 0;
  goodLines = 0;
  damagedBytes = 0;
  damagedRecords = 0;
  damagedLines = 0;
  tornBytes = 0;

  constructor(onFinding: (finding: Finding) => void) {
    this.onFinding = onFinding;
  }

  good(record: IndexRecord): void {
    this.tell();
    this.goodBytes += record.length;
    this.goodLines += record.lines;
  }

  damaged(offset: number, bytes: number, lines: number): void {
    this.stretch ??= { offset, bytes: 0, records: 0, lines: 0, isMissing: false };
    this.stretch.bytes += bytes;
    this.stretch.records++;
    this.stretch.lines += Math.max(1, lines);
  }

  torn(_offset: number, bytes: number): void {
    this.tornBytes = bytes;
  }

  /** After the scan's end. `size` is the file's; a seal that says more was written when all of that was on the disk. */
  end(scan: SegmentScan, size: number): void {
    this.tell();
    const { seal } = scan;
    if (seal === null || seal.offset <= size) return;
    this.stretch = {
      offset: size,
      bytes: seal.offset - size,
      records: Math.max(1, scan.recordsBeyond),
      lines: Math.max(0, seal.lines - this.goodLines - this.damagedLines),
      isMissing: true,
    };
    this.tell();
  }

  private tell(): void {
    const { stretch } = this;
    if (stretch === null) return;
    this.stretch = null;
    this.damagedBytes += stretch.bytes;
    this.damagedRecords += stretch.records;
    this.damagedLines += stretch.lines;
    this.onFinding(stretch);
  }
}
