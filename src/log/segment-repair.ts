// Makes of a scanned segment what recovery leaves of it: the prefix stays where it is, each stretch of damage goes to
// quarantine alone, and the good part behind it becomes a segment of its own, named by its first line's number, so that
// the gap between the names shows what is missing.
//
//     0000.jsonl   ┌ good ┬ damaged ┬ good ┬ damaged ┬ good ┬ torn ┐
//                  └──┬───┴────┬────┴──┬───┴────┬────┴──┬───┴──┬───┘
//     0000.jsonl ◀────┘        │  0009.jsonl    │   0020.jsonl │
//     quarantine/0000-<offset>.bin ◀┴───────────┴──────────────┘
//
// Steps: quarantine, then the new segments, each synced before it has its name, then the cut. Until the cut is made the
// segment is as it was, and a second recovery makes the same files with the same names again.

import { TidemarkError } from "../errors.ts";
import { SEGMENT_SPLITS_MAX } from "../limits.ts";
import type { LogFiles } from "./files.ts";
import { IndexRebuild } from "./index-rebuild.ts";
import type { IndexRecord } from "./index-record.ts";
import { quarantine } from "./quarantine.ts";
import { indexPath, segmentPath } from "./segment-name.ts";
import type { ScanPieces } from "./segment-scan.ts";
import { SplitSegment } from "./split-segment.ts";

/** Bytes in a row that are not what was written. */
export interface DamagedStretch {
  offset: number;
  bytes: number;
  /** Commits, where the index knows them, else lines. */
  records: number;
  /** What they held, as far as the index knows or can be seen. */
  lines: number;
  /** Where it was put aside. */
  path: string;
}

/**
 * How many lines a stretch stands for that no index counts: at least one, or none where that takes another segment's
 * name. And where even that does, nothing behind it can be named, and all of it goes to quarantine.
 */
export const NAMINGS = ["gap", "no gap", "none"] as const;
type Naming = (typeof NAMINGS)[number];

export class SegmentRepair implements ScanPieces {
  private readonly files: LogFiles;
  private readonly directory: string;
  private readonly firstSequence: number;
  private readonly fd: number;
  private readonly naming: Naming;
  private readonly kept: IndexRebuild;
  private readonly splits: SplitSegment[] = [];
  /** The last of `damage` may still grow. */
  private isStretchOpen = false;
  private gapLines = 0;
  private gapIsKnown = true;
  readonly damage: DamagedStretch[] = [];
  tornOffset = 0;
  tornBytes = 0;
  tornPath = "";

  constructor(files: LogFiles, directory: string, firstSequence: number, fd: number, naming: Naming) {
    this.files = files;
    this.directory = directory;
    this.firstSequence = firstSequence;
    this.fd = fd;
    this.naming = naming;
    this.kept = new IndexRebuild(files, directory, firstSequence);
  }

  good(record: IndexRecord): void {
    if (this.damage.length === 0) {
      this.kept.add(record);
      return;
    }
    if (this.naming === "none") {
      this.damaged(record.offset, record.length, record.lines);
      return;
    }
    // past the bound the stretch goes on: what is good in it is in quarantine and is kept
    if (this.isStretchOpen && this.splits.length < SEGMENT_SPLITS_MAX) this.beginSplit();
    this.attempt(record.length, () => this.splits.at(-1)!.add(this.fd, record));
  }

  damaged(offset: number, bytes: number, lines: number): void {
    if (!this.isStretchOpen) {
      this.damage.push({ offset, bytes: 0, records: 0, lines: 0, path: "" });
      this.isStretchOpen = true;
      this.gapLines = 0;
      this.gapIsKnown = true;
    }
    const stretch = this.damage.at(-1)!;
    stretch.bytes = offset + bytes - stretch.offset;
    stretch.records++;
    stretch.lines += Math.max(1, lines);
    if (lines < 0) this.gapIsKnown = false;
    else this.gapLines += lines;
  }

  torn(offset: number, bytes: number): void {
    this.tornOffset = offset;
    this.tornBytes = bytes;
  }

  /** False, with nothing changed but the quarantine, where a new segment's name is another's. */
  tryFinish(size: number, unseal: () => void): boolean {
    if (this.isStretchOpen) this.putStretchAside();
    if (this.tornBytes > 0) this.tornPath = this.putAside(this.tornOffset, this.tornBytes);
    if (this.splits.some((split) => split.isNameTaken())) return false;
    const kept = this.kept.total.offset;
    if (kept < size) unseal();
    for (const split of this.splits) split.finish();
    if (this.splits.length > 0) this.files.fsyncDirectory(this.directory);
    if (kept < size) this.files.ftruncate(this.fd, kept);
    this.files.sync(this.fd);
    if (kept > 0) this.kept.finish();
    else this.remove();
    return true;
  }

  /** Half-made files of a repair that goes no further; after a finish there are none. */
  discard(): void {
    this.kept.discard();
    for (const split of this.splits) split.discard();
  }

  /** How much of the segment stays where it is. */
  get keptBytes(): number {
    return this.kept.total.offset;
  }

  /** What the segment has become, by first sequence. */
  *segments(): Generator<[firstSequence: number, total: IndexRecord]> {
    if (this.kept.total.offset > 0) yield [this.firstSequence, this.kept.total];
    for (const split of this.splits) yield [split.firstSequence, split.total];
  }

  private beginSplit(): void {
    this.putStretchAside();
    const before = this.splits.at(-1);
    const from = before === undefined ? this.firstSequence : before.firstSequence;
    const unknownLines = this.gapIsKnown || this.naming === "no gap" ? 0 : 1;
    const sequence = from + (before ?? this.kept).total.lines + this.gapLines + unknownLines;
    this.attempt(0, () => this.splits.push(new SplitSegment(this.files, this.directory, sequence)));
  }

  private putStretchAside(): void {
    const stretch = this.damage.at(-1)!;
    stretch.path = this.putAside(stretch.offset, stretch.bytes);
    this.isStretchOpen = false;
  }

  private putAside(offset: number, bytes: number): string {
    let path = "";
    this.attempt(bytes, () => {
      path = quarantine(this.files, this.directory, this.firstSequence, this.fd, offset, offset + bytes);
    });
    return path;
  }

  private attempt(bytes: number, step: () => void): void {
    try {
      step();
    } catch (error) {
      const path = segmentPath(this.directory, this.firstSequence);
      const why = (error as Error).message;
      throw new TidemarkError(
        `cannot repair ${path} because what is damaged or torn cannot be put aside (${why}); try again with ${bytes} bytes of disk free`,
      );
    }
  }

  private remove(): void {
    this.kept.discard();
    this.files.unlink(segmentPath(this.directory, this.firstSequence));
    const index = indexPath(this.directory, this.firstSequence);
    if (this.files.stat(index) !== null) this.files.unlink(index);
  }
}
