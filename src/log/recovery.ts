// Recovery: what a lane does with its directory before it takes a line. Afterwards every segment there is sealed, holds
// whole good lines only, and the next sequence is known.
// A segment whose seal fits its size is taken as it is: the scrub and `tidemark verify` read those. Any other (normally one,
// the last) is read: by the CRCs as far as its index reaches, line by line where it does not. What is damaged or torn goes
// to quarantine, the rest is kept. What no record covers may never have been synced, and is stored again.
// Each step leaves a directory from which a second recovery comes to the same end, so it may be killed anywhere.
// Memory is bounded: it reads RECOVERY_BLOCK_BYTES at a time, and as much as one line where a line is longer.

import { dirname, join } from "node:path";
import { assert } from "../base/assert.ts";
import { TidemarkError } from "../errors.ts";
import type { LogFiles } from "./files.ts";
import type { IndexRecord } from "./index-record.ts";
import { dropSeal, readSeal } from "./index-seal.ts";
import type { LaneEvent } from "./lane-options.ts";
import { quarantine } from "./quarantine.ts";
import { scanFiles } from "./scan-files.ts";
import { indexesAmong, indexPath, QUARANTINE, segmentPath, segmentsAmong } from "./segment-name.ts";
import { NAMINGS, SegmentRepair } from "./segment-repair.ts";
import type { SegmentScan } from "./segment-scan.ts";
import { storeAgain } from "./store-again.ts";

export interface RecoveryReport {
  /** Segments kept, and their bytes. */
  segmentCount: number;
  bytes: number;
  nextSequence: number;
  /** Segments that had to be read, and their bytes. */
  segmentsChecked: number;
  bytesChecked: number;
  /** What was cut, damaged or torn, and the files it was kept in. */
  bytesCut: number;
  quarantined: string[];
  /** Commits (lines, where no index knew of them) that were not what had been written, their bytes and lines. */
  damagedRecords: number;
  damagedBytes: number;
  damagedLines: number;
}

/** `distrusted`: sealed segments that are read all the same, and repaired. */
export function recoverLane(
  files: LogFiles,
  directory: string,
  onEvent: (event: LaneEvent) => void,
  distrusted: ReadonlySet<number> = new Set(),
): RecoveryReport {
  if (files.stat(directory) === null) {
    files.mkdir(directory);
    files.fsyncDirectory(dirname(directory));
  }
  return new Recovery(files, directory, onEvent, distrusted).run();
}

class Recovery {
  private readonly files: LogFiles;
  private readonly directory: string;
  private readonly onEvent: (event: LaneEvent) => void;
  private readonly distrusted: ReadonlySet<number>;
  /** New segments that repairs have made, and those that a killed recovery had made of the same. */
  private readonly made = new Set<number>();
  private readonly report: RecoveryReport = {
    segmentCount: 0,
    bytes: 0,
    nextSequence: 0,
    segmentsChecked: 0,
    bytesChecked: 0,
    bytesCut: 0,
    quarantined: [],
    damagedRecords: 0,
    damagedBytes: 0,
    damagedLines: 0,
  };

  constructor(
    files: LogFiles,
    directory: string,
    onEvent: (event: LaneEvent) => void,
    distrusted: ReadonlySet<number>,
  ) {
    this.files = files;
    this.directory = directory;
    this.onEvent = onEvent;
    this.distrusted = distrusted;
  }

  run(): RecoveryReport {
    const names = this.files.readdir(this.directory);
    this.removeLeftovers(names);
    for (const firstSequence of segmentsAmong(names)) {
      if (this.made.has(firstSequence)) continue;
      const seal = this.trySealed(firstSequence);
      if (seal !== null && !this.distrusted.has(firstSequence)) this.count(firstSequence, seal);
      else this.check(firstSequence);
    }
    this.files.fsyncDirectory(this.directory);
    return this.report;
  }

  private count(firstSequence: number, total: IndexRecord): void {
    if (total.offset === 0) return;
    this.report.segmentCount++;
    this.report.bytes += total.offset;
    this.report.nextSequence = Math.max(this.report.nextSequence, firstSequence + total.lines);
  }

  /** Half-made files of a recovery that was killed, and indexes whose segment retention has deleted. */
  private removeLeftovers(names: string[]): void {
    const segments = new Set(segmentsAmong(names));
    for (const sequence of indexesAmong(names))
      if (!segments.has(sequence)) this.files.unlink(indexPath(this.directory, sequence));
    for (const name of names)
      if (/\.(idx|jsonl)\.tmp$/.test(name)) this.files.unlink(join(this.directory, name));
    if (!names.includes(QUARANTINE)) return;
    const folder = join(this.directory, QUARANTINE);
    for (const name of this.files.readdir(folder))
      if (name.endsWith(".tmp")) this.files.unlink(join(folder, name));
  }

  /** The seal of a segment that may be trusted by its size, or null. Bytes past a seal were refused when they were written. */
  private trySealed(firstSequence: number): IndexRecord | null {
    const seal = readSeal(this.files, this.directory, firstSequence);
    const path = segmentPath(this.directory, firstSequence);
    const size = this.files.stat(path)!.bytes;
    if (seal === null || seal.offset > size) return null;
    if (seal.offset < size) this.cutRefused(firstSequence, seal.offset, size);
    return seal;
  }

  /** Reads the segment, takes out of it what is not good, and seals what it has become. */
  private check(firstSequence: number): void {
    const { files, directory } = this;
    const path = segmentPath(directory, firstSequence);
    const size = files.stat(path)!.bytes;
    const isUnindexed = files.stat(indexPath(directory, firstSequence)) === null;
    this.report.segmentsChecked++;
    this.report.bytesChecked += size;
    const fd = files.openReadWrite(path);
    try {
      for (const naming of NAMINGS) {
        const repair = new SegmentRepair(files, directory, firstSequence, fd, naming);
        try {
          const scan = scanFiles(files, directory, firstSequence, fd, size, repair);
          const unseal = () => {
            if (scan.seal !== null) dropSeal(files, directory, firstSequence);
          };
          if (scan.linesFrom >= 0) storeAgain(files, fd, scan.linesFrom, repair.keptBytes);
          if (!repair.tryFinish(size, unseal)) continue;
          this.tell(path, size, repair, scan);
          if (scan.recordsBad > 0 || isUnindexed)
            this.onEvent({ kind: "index_rebuilt", path, isMissing: isUnindexed });
          return;
        } finally {
          repair.discard();
        }
      }
      assert(false, "a repair that makes no segments takes no name");
    } finally {
      files.close(fd);
    }
  }

  private tell(path: string, size: number, repair: SegmentRepair, scan: SegmentScan): void {
    const { report } = this;
    let lines = 0;
    for (const [firstSequence, total] of repair.segments()) {
      lines += total.lines;
      this.made.add(firstSequence);
      this.count(firstSequence, total);
    }
    for (const stretch of repair.damage) {
      report.bytesCut += stretch.bytes;
      report.quarantined.push(stretch.path);
      lines += stretch.lines;
      this.tellDamage({ kind: "damaged", segment: path, ...stretch });
    }
    if (repair.tornBytes > 0) this.tellCut(repair.tornPath, repair.tornBytes);
    const { seal } = scan;
    // a seal is written when its bytes are on the disk: they were there
    if (seal !== null && seal.offset > size)
      this.tellDamage({
        kind: "damaged",
        segment: path,
        offset: size,
        bytes: seal.offset - size,
        records: Math.max(1, scan.recordsBeyond),
        lines: Math.max(0, seal.lines - lines),
        path: "",
      });
  }

  private tellDamage(event: LaneEvent & { kind: "damaged" }): void {
    this.report.damagedRecords += event.records;
    this.report.damagedBytes += event.bytes;
    this.report.damagedLines += event.lines;
    this.onEvent(event);
  }

  private tellCut(path: string, bytes: number): void {
    this.report.bytesCut += bytes;
    this.report.quarantined.push(path);
    this.onEvent({ kind: "quarantined", path, bytes });
  }

  private cutRefused(firstSequence: number, from: number, to: number): void {
    const { files, directory } = this;
    const fd = files.openReadWrite(segmentPath(directory, firstSequence));
    try {
      const path = quarantine(files, directory, firstSequence, fd, from, to);
      files.ftruncate(fd, from);
      files.sync(fd);
      this.tellCut(path, to - from);
    } catch (error) {
      const why = (error as Error).message;
      throw new TidemarkError(
        `cannot repair ${segmentPath(directory, firstSequence)} because what stands behind its end cannot be put aside (${why}); try again with ${to - from} bytes of disk free`,
      );
    } finally {
      files.close(fd);
    }
  }
}
