// What a lane is given and what it tells: the settings it is opened with, and the events that the server's log gets.

import type { Clock } from "../base/clock.ts";
import type { Refusal } from "../errors.ts";
import type { LogFiles } from "./files.ts";
import type { LaneHandler } from "./waiter-group.ts";

export type LaneEvent =
  | { kind: "sealed"; path: string; bytes: number; lines: number }
  | { kind: "sync_failed"; path: string; bytesUnsynced: number; error: Error }
  | { kind: "write_failed"; error: Error }
  /** From here on the lane refuses, but for a probe now and then. */
  | { kind: "outage"; refusal: Refusal; error: Error }
  | { kind: "outage_over"; refusal: Refusal; ms: number }
  /** The torn end of a segment, put aside. */
  | { kind: "quarantined"; path: string; bytes: number }
  /** Bytes of `segment` that are not what was written; in `path`, or nowhere ("") where they are missing. */
  | {
      kind: "damaged";
      segment: string;
      offset: number;
      bytes: number;
      records: number;
      lines: number;
      path: string;
    }
  | { kind: "index_rebuilt"; path: string; isMissing: boolean };

/** One-shot timers. */
export interface Timers {
  start(run: () => void, ms: number): object;
  cancel(timer: object): void;
}

export const realTimers: Timers = {
  start: setTimeout,
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export interface LaneOptions<W> {
  directory: string;
  files: LogFiles;
  clock: Clock;
  handler: LaneHandler<W>;
  /** Of each of the two buffers; no reservation can be larger. */
  bufferBytes: number;
  segmentBytesMax: number;
  segmentAgeMsMax: number;
  syncIntervalMs: number;
  /** Runs the function after the events at hand, so that the requests of one poll share a commit: setImmediate. */
  schedule(run: () => void): void;
  onEvent(event: LaneEvent): void;
  /** realTimers, where left out. */
  timers?: Timers;
  /** One write(2) for each batch instead of one for all that came together: what the grouping is compared with. */
  writesEach?: boolean;
  /** Commits from this size on are written past the page cache where that can be had; DIRECT_BYTES_MIN, Infinity for none. */
  directBytesMin?: number;
  /** A commit's write returned, well. */
  onWrite?: (ms: number, bytes: number) => void;
  /** A sync returned, well: the lane's lines are on the disk up to the number `end`. */
  onSync?: (ms: number, end: number) => void;
}
