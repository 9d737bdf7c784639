// While a disk is full or failing, its lane refuses at once and lets one commit try, now and then. This keeps the state of
// that: which refusal is answered, since when, and when the next probe is due.
// Where no batch comes to be that probe (a balancer sends none to a server that is not ready), a file is written and synced
// instead, else the server would never be ready again. It is as long as the commit that failed, within bounds: a disk with
// one page left is still full.
// HOT: `refusal` is read once a request, the rest only during an outage.

import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import { DISK_PROBE_INTERVAL_MS } from "../limits.ts";
import type { FileError, LogFiles } from "./files.ts";
import type { LaneEvent } from "./lane-options.ts";
import { STORED } from "./waiter-group.ts";

/** A start removes what a killed probe has left, by its ending. */
const PROBE_NAME = "room.jsonl.tmp";
/** Bounds of the probe's length, bytes. */
const PROBE_BYTES_MIN = 64 * 1024;
const PROBE_BYTES_MAX = 1024 * 1024;

export interface OutageOptions {
  directory: string;
  files: LogFiles;
  clock: Clock;
  onEvent(event: LaneEvent): void;
}

export class Outage {
  private readonly options: OutageOptions;
  private readonly clock: Clock;
  /** What is answered, or STORED while all is well. */
  refusal: Refusal | typeof STORED = STORED;
  private sinceMs = 0;
  private probeAtMs = 0;
  private isProbing = false;
  private bytesFailed = 0;

  constructor(options: OutageOptions) {
    this.options = options;
    this.clock = options.clock;
  }

  /** After an error the first probe may come at once; a full disk is given the interval. */
  begin(refusal: Refusal, error: Error, bytesFailed: number): void {
    this.bytesFailed = bytesFailed;
    if (this.refusal === refusal) return;
    const nowMs = this.clock.monotonicMs();
    if (this.refusal === STORED) {
      this.sinceMs = nowMs;
      this.probeAtMs = refusal === REFUSAL.disk ? nowMs : nowMs + DISK_PROBE_INTERVAL_MS;
    }
    this.refusal = refusal;
    this.options.onEvent({ kind: "outage", refusal, error });
  }

  isProbeDue(): boolean {
    return this.clock.monotonicMs() >= this.probeAtMs;
  }

  /** A batch has joined a commit that will show how the disk is. */
  probed(): void {
    this.probeAtMs = this.clock.monotonicMs() + DISK_PROBE_INTERVAL_MS;
  }

  /** For now and then: tries the disk where a probe is due and no batch has been one. Off the event loop, but for the file's name. */
  probeIfIdle(): void {
    if (this.refusal === STORED || this.isProbing || !this.isProbeDue()) return;
    this.probed();
    const { files, directory } = this.options;
    const path = join(directory, PROBE_NAME);
    let fd: number;
    try {
      fd = files.createOrTruncate(path);
    } catch {
      return;
    }
    this.isProbing = true;
    const finish = (worked: boolean) => {
      this.isProbing = false;
      try {
        files.close(fd);
        files.unlink(path);
      } catch {
        // the next probe empties it, the next start removes it
      }
      if (worked && this.refusal !== STORED) this.end();
    };
    const filler = new Uint8Array(Math.min(Math.max(this.bytesFailed, PROBE_BYTES_MIN), PROBE_BYTES_MAX));
    files.write(fd, filler, 0, filler.length, 0, (error, bytes) => {
      if (error !== null || bytes < filler.length) finish(false);
      else files.fdatasync(fd, (failed) => finish(failed === null));
    });
  }

  end(): void {
    const refusal = this.refusal;
    this.refusal = STORED;
    this.options.onEvent({ kind: "outage_over", refusal, ms: this.clock.monotonicMs() - this.sinceMs });
  }
}

/** Whether an error of a write says that the disk is full, or that something is wrong with it. */
export function refusalOf(error: FileError): Refusal {
  const full = error.code === "ENOSPC" || error.code === "EDQUOT" || error.code === "EFBIG";
  return full ? REFUSAL.disk_full : REFUSAL.disk;
}
