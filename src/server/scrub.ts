// The scrub: reads the sealed segments of all lanes again and again, slowly, and says where their bytes are no longer what
// was written. A start trusts a sealed segment by its seal, so a flipped bit would otherwise be found by its reader.
// It changes nothing: `tidemark verify --repair` takes damage out, with no server on the folder. Main thread, off the path:
// asynchronous reads of SCRUB_BLOCK_BYTES, paced to --scrub-rate.
//
// A segment that retention deletes meanwhile is read to its end or left out. Damage found again in a later round is
// neither told nor counted twice.

import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { SCRUB_BLOCK_BYTES, SCRUB_FOUND_MAX, SCRUB_INTERVAL_MS } from "../limits.ts";
import { DamageFinder, type Finding } from "../log/damage-finder.ts";
import { INDEX_RECORD_BYTES, type IndexRecord } from "../log/index-record.ts";
import { tryDecodeSeal } from "../log/index-seal.ts";
import { isUnreadable, pageRest } from "../log/read-around.ts";
import { indexPath, segmentPath, segmentsAmong } from "../log/segment-name.ts";
import { type ScanRead, SegmentScan } from "../log/segment-scan.ts";
import type { LogFigures } from "../telemetry/probe.ts";
import type { LogLevel } from "./messages.ts";

/** Pauses shorter than this are saved up: a timer is late by about as much. */
const PAUSE_MS_MIN = 10;

export interface ScrubOptions {
  dataFolder: string;
  /** 0: no scrub. */
  bytesPerS: number;
  /** From the start of one round to that of the next; SCRUB_INTERVAL_MS where left out. */
  intervalMs?: number;
  /** Where it counts what it finds; read by the probe. */
  figures: LogFigures;
  log(level: LogLevel, text: string, fields: Record<string, unknown>): void;
}

export class Scrub {
  private readonly options: ScrubOptions;
  private readonly block = Buffer.allocUnsafeSlow(SCRUB_BLOCK_BYTES);
  private readonly found = new Set<string>();
  private isClosed = false;
  private wake: (() => void) | null = null;
  /** When the bytes read so far are paid for. */
  private dueMs = 0;

  constructor(options: ScrubOptions) {
    this.options = options;
  }

  /** Until close(); does not keep the process alive by its pauses. */
  async runInBackground(): Promise<void> {
    const { bytesPerS, figures, log, intervalMs = SCRUB_INTERVAL_MS } = this.options;
    if (bytesPerS === 0) return;
    while (!this.isClosed) {
      const startedMs = performance.now();
      try {
        await this.round();
        if (!this.isClosed) figures.scrubRounds++;
      } catch (error) {
        log("warn", "cannot go on reading the sealed segments; it is tried again", { error: String(error) });
      }
      await this.pause(Math.max(PAUSE_MS_MIN, startedMs + intervalMs - performance.now()));
    }
  }

  close(): void {
    this.isClosed = true;
    this.wake?.();
  }

  private async round(): Promise<void> {
    const { dataFolder } = this.options;
    for (const name of await readdir(dataFolder)) {
      if (!/^lane-\d+$/.test(name)) continue;
      const lane = join(dataFolder, name);
      for (const firstSequence of segmentsAmong(await readdir(lane))) {
        if (this.isClosed) return;
        await this.readSegment(lane, firstSequence);
      }
    }
  }

  private async readSegment(lane: string, firstSequence: number): Promise<void> {
    const path = segmentPath(lane, firstSequence);
    const index = await tryOpen(indexPath(lane, firstSequence));
    const segment = await tryOpen(path);
    try {
      if (index === null || segment === null) return;
      const indexBytes = (await index.stat()).size;
      const seal = await readSeal(index, indexBytes, firstSequence);
      if (seal === null) return;
      const { size } = await segment.stat();
      const finder = new DamageFinder((finding) => this.tell(path, finding));
      const bytes = Math.min(size, seal.offset);
      const scan = new SegmentScan(firstSequence, bytes, indexBytes, this.block, finder);
      if (!(await this.run(scan, segment, index))) return;
      finder.end(scan, size);
      if (scan.recordsBad > 0) this.tellIndex(path, scan.recordsBad);
    } finally {
      await index?.close();
      await segment?.close();
    }
  }

  /** False where the server ends before the segment. */
  private async run(scan: SegmentScan, segment: FileHandle, index: FileHandle): Promise<boolean> {
    const steps = scan.run();
    for (let step = steps.next(); step.done !== true; ) {
      const count = await readAround(step.value.file === "index" ? index : segment, step.value);
      this.options.figures.scrubbedBytes += count;
      await this.pay(count);
      if (this.isClosed) return false;
      step = steps.next(count);
    }
    return true;
  }

  private tell(path: string, { offset, bytes, records, lines, isMissing }: Finding): void {
    if (!this.isNew(`${path}:${offset}`)) return;
    this.options.figures.damagedRecords += records;
    this.options.log(
      "error",
      isMissing
        ? "a sealed segment is shorter than its index says; what it lacks is lost; check the disk"
        : "a sealed segment is damaged; check the disk, and take the damage out with tidemark verify --repair",
      { path, offset, bytes, records, lines },
    );
  }

  private tellIndex(path: string, records: number): void {
    if (this.isNew(`${path}:index`))
      this.options.log("warn", "the index of a sealed segment is damaged; its lines are read one by one", {
        path,
        records,
      });
  }

  private isNew(place: string): boolean {
    if (this.found.has(place) || this.found.size >= SCRUB_FOUND_MAX) return false;
    this.found.add(place);
    return true;
  }

  /** Waits until so many bytes more may be read. A late timer is made good, but never by more than a second's worth. */
  private async pay(bytes: number): Promise<void> {
    const nowMs = performance.now();
    this.dueMs = Math.max(this.dueMs, nowMs - 1_000) + (bytes / this.options.bytesPerS) * 1_000;
    if (this.dueMs - nowMs >= PAUSE_MS_MIN) await this.pause(this.dueMs - nowMs);
  }

  private pause(ms: number): Promise<void> {
    if (this.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function tryOpen(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function readSeal(
  index: FileHandle,
  bytes: number,
  firstSequence: number,
): Promise<IndexRecord | null> {
  const at = bytes - INDEX_RECORD_BYTES;
  if (at < 0 || at % INDEX_RECORD_BYTES !== 0) return null;
  const record = new Uint8Array(INDEX_RECORD_BYTES);
  const { bytesRead } = await index.read(record, 0, INDEX_RECORD_BYTES, at);
  return bytesRead === INDEX_RECORD_BYTES ? tryDecodeSeal(record, firstSequence) : null;
}

/** A page that the disk cannot give is zeros, and so is told of as damage. */
async function readAround(file: FileHandle, { bytes, at, length, position }: ScanRead): Promise<number> {
  try {
    return (await file.read(bytes, at, length, position)).bytesRead;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const count = pageRest(length, position);
  try {
    return (await file.read(bytes, at, count, position)).bytesRead;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    bytes.fill(0, at, at + count);
    return count;
  }
}
