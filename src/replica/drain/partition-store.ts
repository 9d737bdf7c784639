// A drain's own lane of one partition: `<data>/lane-<p>`. Lines go in as pieces of a group, and come out as one number: where
// the lane ends when all of them are synced. Only what has been committed by that number counts; open() cuts off the rest.
//
// A full disk is waited out on the same lane: what was refused is offered again. After a failed sync nobody knows what is
// there, so that the lane has to be opened anew (isBroken), and the group appended again as a whole.

import { join } from "node:path";
import { realClock } from "../../base/clock.ts";
import { REFUSAL, REFUSALS, type Refusal } from "../../errors.ts";
import { DISK_PROBE_INTERVAL_MS, LANE_BUFFER_BYTES, SYNC_INTERVAL_MS } from "../../limits.ts";
import { type CutReport, cutLane } from "../../log/cut-lane.ts";
import { ACK_SYNCED, type LogFiles } from "../../log/files.ts";
import { Lane } from "../../log/lane.ts";
import type { LaneEvent } from "../../log/lane-options.ts";
import { STORED } from "../../log/waiter-group.ts";
import type { Piece } from "./drained-block.ts";
import { pause } from "./pause.ts";

/** While the lane is busy with what it has. */
const QUEUE_PAUSE_MS = 5;

export interface PartitionStoreOptions {
  files: LogFiles;
  directory: string;
  segmentBytesMax: number;
  segmentAgeMsMax: number;
  onEvent(event: LaneEvent): void;
  /** The disk takes nothing, and takes lines again. */
  onOutage(refusal: Refusal): void;
  onOutageOver(): void;
  isGivenUp(): boolean;
}

export type Appended = { end: number } | "broken" | "given up";

type Settled = (refusal: Refusal | typeof STORED) => void;

export class PartitionStore {
  private readonly options: PartitionStoreOptions;
  private lane: Lane<Settled> | null = null;
  private end = 0;
  private isOut = false;

  constructor(options: PartitionStoreOptions) {
    this.options = options;
  }

  /** Ends the lane at `committed`, or keeps all of it where that is not known (null). Throws as recovery does. */
  open(committed: number | null): CutReport {
    const { files, directory, segmentBytesMax, segmentAgeMsMax, onEvent } = this.options;
    const report = cutLane(files, directory, committed ?? Number.POSITIVE_INFINITY, onEvent);
    this.end = report.nextSequence;
    this.lane = new Lane<Settled>({
      directory,
      files,
      clock: realClock,
      handler: {
        settled: (waiters, _tags, _levels, count, refusal) => {
          for (let at = 0; at < count; at++) waiters[at]!(refusal);
        },
      },
      bufferBytes: LANE_BUFFER_BYTES,
      segmentBytesMax,
      segmentAgeMsMax,
      syncIntervalMs: SYNC_INTERVAL_MS,
      schedule: setImmediate,
      onEvent: (event) => this.heard(event),
      onSync: (_ms, end) => {
        this.end = Math.max(this.end, end);
      },
    });
    this.lane.open();
    return report;
  }

  /** Resolves when all of it is synced. Waits for as long as the disk is full. */
  async append(pieces: readonly Piece[]): Promise<Appended> {
    let left = pieces;
    while (left.length > 0) {
      const outcomes = await this.appendOnce(left);
      if (outcomes === null) return "given up";
      if (outcomes.includes(REFUSAL.disk)) return this.broken();
      left = left.filter((_, at) => outcomes[at] !== STORED);
      if (left.length > 0) await this.waitForDisk(REFUSAL.disk_full);
    }
    this.over();
    return { end: this.end };
  }

  rotateIfOld(): void {
    this.lane?.rotateIfOld();
  }

  /** Only where all that was appended is committed: a start takes the lane's number from its last segment. */
  retain(ageMsMax: number, bytesMax: number): number {
    return this.lane?.retain(ageMsMax, bytesMax).segments.length ?? 0;
  }

  get bytes(): number {
    return this.lane?.logBytes ?? 0;
  }

  /** Seals what it has. */
  async close(): Promise<void> {
    const { lane } = this;
    this.lane = null;
    if (lane !== null) await new Promise<void>((resolve) => lane.close(resolve));
  }

  /** What came of each piece; null where that is not waited for any more. */
  private async appendOnce(pieces: readonly Piece[]): Promise<(Refusal | typeof STORED)[] | null> {
    const outcomes: Promise<Refusal | typeof STORED>[] = [];
    for (const piece of pieces) {
      if (!(await this.waitForRoom(piece.bytes.length))) return null;
      outcomes.push(this.appendPiece(piece));
    }
    return await Promise.all(outcomes);
  }

  private async waitForRoom(bytes: number): Promise<boolean> {
    for (;;) {
      if (this.lane === null || this.options.isGivenUp()) return false;
      const refusal = this.lane.tryReserve(bytes, ACK_SYNCED);
      if (refusal === STORED) return true;
      if (refusal === REFUSAL.queue) await pause(QUEUE_PAUSE_MS);
      else await this.waitForDisk(refusal);
    }
  }

  private appendPiece({
    bytes,
    lines,
    timestampMsEarliest,
    timestampMsLatest,
  }: Piece): Promise<Refusal | typeof STORED> {
    const lane = this.lane!;
    lane.buffer.set(bytes, lane.position);
    return new Promise((resolve) => {
      const end = lane.position + bytes.length;
      lane.append(end, lines, timestampMsEarliest, timestampMsLatest, ACK_SYNCED, resolve);
    });
  }

  private async waitForDisk(refusal: Refusal): Promise<void> {
    if (!this.isOut) this.options.onOutage(refusal);
    this.isOut = true;
    this.lane?.outage.probeIfIdle();
    await pause(DISK_PROBE_INTERVAL_MS);
  }

  private broken(): "broken" {
    if (!this.isOut) this.options.onOutage(REFUSAL.disk);
    this.isOut = true;
    return "broken";
  }

  private over(): void {
    if (this.isOut) this.options.onOutageOver();
    this.isOut = false;
  }

  /** The lane's own outages come and go with each try; ours begin once and end once. */
  private heard(event: LaneEvent): void {
    if (event.kind !== "outage" && event.kind !== "outage_over" && event.kind !== "write_failed")
      this.options.onEvent(event);
  }
}

export function storeDirectory(dataFolder: string, partition: number): string {
  return join(dataFolder, `lane-${partition}`);
}

export function reasonOf(refusal: Refusal): string {
  return REFUSALS[refusal]!.reason;
}
