// Recovery: what a lane does with its directory before it takes a line. Afterwards every segment there is sealed, holds
// whole good lines only, and the next sequence is known.
// A segment whose seal fits its size is taken as it is. Any other (normally one, the last) is read: by the CRCs as far as
// its index reaches, then line by line, and keeps its longest valid prefix. What is cut goes to quarantine first.
// Each step leaves a directory from which a second recovery comes to the same end, so it may be killed anywhere.
// Memory is bounded: it reads RECOVERY_BLOCK_BYTES at a time, and as much as one line where a line is longer.

import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { TidemarkError } from "../errors.ts";
import { LINE_BYTES_MAX, RECOVERY_BLOCK_BYTES } from "../limits.ts";
import { coveredPrefix } from "./covered-prefix.ts";
import type { LogFiles } from "./files.ts";
import { IndexReader } from "./index-reader.ts";
import { IndexRebuild } from "./index-rebuild.ts";
import { blankIndexRecord, type IndexRecord } from "./index-record.ts";
import type { LaneEvent } from "./lane-options.ts";
import { checkLines } from "./line-check.ts";
import { quarantine } from "./quarantine.ts";
import { indexesAmong, indexPath, QUARANTINE, segmentPath, segmentsAmong } from "./segment-name.ts";

export interface RecoveryReport {
  /** Segments kept, and their bytes. */
  segmentCount: number;
  bytes: number;
  nextSequence: number;
  /** Segments that had to be read, and their bytes. */
  segmentsChecked: number;
  bytesChecked: number;
  /** What was cut, and the files it was kept in. */
  bytesCut: number;
  quarantined: string[];
}

export function recoverLane(
  files: LogFiles,
  directory: string,
  onEvent: (event: LaneEvent) => void,
): RecoveryReport {
  if (files.stat(directory) === null) {
    files.mkdir(directory);
    files.fsyncDirectory(dirname(directory));
  }
  return new Recovery(files, directory, onEvent).run();
}

class Recovery {
  private readonly files: LogFiles;
  private readonly directory: string;
  private readonly onEvent: (event: LaneEvent) => void;
  private block = Buffer.allocUnsafeSlow(RECOVERY_BLOCK_BYTES);
  private readonly report: RecoveryReport = {
    segmentCount: 0,
    bytes: 0,
    nextSequence: 0,
    segmentsChecked: 0,
    bytesChecked: 0,
    bytesCut: 0,
    quarantined: [],
  };

  constructor(files: LogFiles, directory: string, onEvent: (event: LaneEvent) => void) {
    this.files = files;
    this.directory = directory;
    this.onEvent = onEvent;
  }

  run(): RecoveryReport {
    const names = this.files.readdir(this.directory);
    this.removeLeftovers(names);
    for (const firstSequence of segmentsAmong(names)) {
      const kept = this.trySealed(firstSequence) ?? this.check(firstSequence);
      if (kept.offset === 0) continue;
      this.report.segmentCount++;
      this.report.bytes += kept.offset;
      this.report.nextSequence = Math.max(this.report.nextSequence, firstSequence + kept.lines);
    }
    this.files.fsyncDirectory(this.directory);
    return this.report;
  }

  /** Half-made files of a recovery that was killed, and indexes whose segment retention has deleted. */
  private removeLeftovers(names: string[]): void {
    const segments = new Set(segmentsAmong(names));
    for (const sequence of indexesAmong(names))
      if (!segments.has(sequence)) this.files.unlink(indexPath(this.directory, sequence));
    for (const name of names) if (name.endsWith(".idx.tmp")) this.files.unlink(join(this.directory, name));
    if (!names.includes(QUARANTINE)) return;
    const folder = join(this.directory, QUARANTINE);
    for (const name of this.files.readdir(folder))
      if (name.endsWith(".tmp")) this.files.unlink(join(folder, name));
  }

  /** The seal of a segment that may be trusted by its size, or null. Bytes past a seal were refused when they were written. */
  private trySealed(firstSequence: number): IndexRecord | null {
    const index = IndexReader.open(this.files, this.directory, firstSequence);
    if (index === null) return null;
    const seal = index.seal();
    index.close();
    const path = segmentPath(this.directory, firstSequence);
    const size = this.files.stat(path)!.bytes;
    if (seal === null || seal.offset > size) return null;
    if (seal.offset < size) {
      const fd = this.files.openReadWrite(path);
      try {
        this.cut(firstSequence, fd, seal.offset, size);
      } finally {
        this.files.close(fd);
      }
    }
    return seal;
  }

  /** Reads the segment, cuts it behind its longest valid prefix, and seals it. Returns the seal. */
  private check(firstSequence: number): IndexRecord {
    const path = segmentPath(this.directory, firstSequence);
    const size = this.files.stat(path)!.bytes;
    this.report.segmentsChecked++;
    this.report.bytesChecked += size;
    const rebuild = new IndexRebuild(this.files, this.directory, firstSequence);
    const fd = this.files.openReadWrite(path);
    try {
      const mismatch = coveredPrefix(
        this.files,
        this.directory,
        firstSequence,
        fd,
        size,
        this.block,
        rebuild,
      );
      if (!mismatch) this.checkRest(fd, size, rebuild);
      const kept = rebuild.total.offset;
      if (kept < size) this.cut(firstSequence, fd, kept, size);
      else this.files.sync(fd);
    } finally {
      this.files.close(fd);
    }
    if (rebuild.total.offset > 0) {
      rebuild.finish();
    } else {
      rebuild.discard();
      this.remove(firstSequence);
    }
    return rebuild.total;
  }

  /** Line by line from where the index ends: one record a block. */
  private checkRest(fd: number, size: number, rebuild: IndexRebuild): void {
    const record = blankIndexRecord();
    for (;;) {
      const offset = rebuild.total.offset;
      const length = this.files.read(fd, this.block, 0, Math.min(this.block.length, size - offset), offset);
      if (length === 0) return;
      const checked = checkLines(this.block, length);
      if (checked.bytes > 0) {
        record.offset = offset;
        record.length = checked.bytes;
        record.crc = crc32(this.block.subarray(0, checked.bytes));
        record.lines = checked.lines;
        record.timestampMsEarliest = checked.timestampMsEarliest;
        record.timestampMsLatest = checked.timestampMsLatest;
        rebuild.add(record);
      } else if (checked.bad || offset + length >= size || !this.tryGrowBlock()) {
        return;
      }
      if (checked.bad) return;
    }
  }

  /** For a line longer than the block. */
  private tryGrowBlock(): boolean {
    if (this.block.length >= LINE_BYTES_MAX) return false;
    this.block = Buffer.allocUnsafeSlow(Math.min(this.block.length * 2, LINE_BYTES_MAX));
    return true;
  }

  private cut(firstSequence: number, fd: number, from: number, to: number): void {
    const path = this.quarantine(firstSequence, fd, from, to);
    this.files.ftruncate(fd, from);
    this.files.sync(fd);
    this.report.bytesCut += to - from;
    this.report.quarantined.push(path);
    this.onEvent({ kind: "quarantined", path, bytes: to - from });
  }

  private quarantine(firstSequence: number, fd: number, from: number, to: number): string {
    try {
      return quarantine(this.files, this.directory, firstSequence, fd, from, to);
    } catch (error) {
      const path = segmentPath(this.directory, firstSequence);
      const why = (error as Error).message;
      throw new TidemarkError(
        `cannot repair ${path} because its torn end cannot be put aside (${why}); try again with ${to - from} bytes of disk free`,
      );
    }
  }

  private remove(firstSequence: number): void {
    const index = indexPath(this.directory, firstSequence);
    if (this.files.stat(index) !== null) this.files.unlink(index);
    this.files.unlink(segmentPath(this.directory, firstSequence));
  }
}
