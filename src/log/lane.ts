// A lane: the log of one ingest thread. Lines go in on the event loop, and reach their file by group commit:
//
//     append ─▶ filling buffer ─▶ (schedule) ─▶ write in flight ─▶ written: answered ─▶ sync in flight ─▶ synced: answered
//                    ▲                               │
//                    └──────── change places ◀───────┘
//
// While one write is in flight the other buffer fills; when it returns, all that waited for it is settled in one call.
// Both full, or a longer wait than queue-bound.ts allows: "no" (queue), never growth. The next write may go out while a
// sync is in flight, so that nobody who asked for `written` waits for another's sync.
//
// A write that fails leaves nothing: the file is cut back to the commit's start, synced, and all of it is refused. A full
// disk keeps the segment; any other error ends it. After either the lane is in an outage: it refuses at once, but for a probe
// every DISK_PROBE_INTERVAL_MS. A full disk is over when a write works, a failing one when a sync has.
//
// HOT: tryReserve and append run once a request. One thread; nothing here is shared.

import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import { DIRECT_BYTES_MIN, LANE_SEALING_MAX, LANE_WAITERS_MAX } from "../limits.ts";
import { CommitBuffer } from "./commit-buffer.ts";
import { CommitWrite } from "./commit-write.ts";
import { DIRECT_ALIGNMENT, tryAlign } from "./direct-memory.ts";
import { ACK_SYNCED, ACK_WRITTEN, type FileError, type LogFiles } from "./files.ts";
import { blankIndexRecord } from "./index-record.ts";
import type { LaneOptions } from "./lane-options.ts";
import { Outage, refusalOf } from "./outage.ts";
import { QueueBound } from "./queue-bound.ts";
import { type RecoveryReport, recoverLane } from "./recovery.ts";
import { applyRetention, type RetentionReport } from "./retention.ts";
import { Segment } from "./segment.ts";
import { Syncer } from "./syncer.ts";
import { type LaneHandler, STORED, WaiterGroup } from "./waiter-group.ts";

export class Lane<W> {
  private readonly options: LaneOptions<W>;
  private readonly files: LogFiles;
  private readonly clock: Clock;
  private readonly handler: LaneHandler<W>;
  private syncer!: Syncer<W>;
  private write!: CommitWrite<W>;
  readonly outage: Outage;
  /** Its size has reached its bound, and a follower still needs what would have to go. */
  isFull = false;

  /** The filling buffer. The caller writes lines from `position` on, after tryReserve said yes, and then appends. */
  buffer: Uint8Array;
  position = 0;
  private start = 0;
  private limit: number;
  private filling: CommitBuffer<W>;
  private flying: CommitBuffer<W>;
  private spare = new WaiterGroup<W>();

  private segment: Segment<W> | null = null;
  private nextSequence = 0;
  private commitScheduled = false;
  private closing = false;
  private closed: (() => void) | null = null;

  // the commit in flight
  private writing = false;
  private writeStart = 0;
  private writeBytes = 0;
  private writeStartedMs = 0;
  private openError: FileError | null = null;
  private readonly record = blankIndexRecord();
  /** The commit in flight has failed with this, and waits to say so for the syncs of those before it and of the cut. */
  private heldRefusal: Refusal | typeof STORED = STORED;

  // figures for telemetry; written here, read by anybody
  commits = 0;
  failures = 0;
  bytesInFlight = 0;
  writeMs = 0;
  syncMs = 0;
  readonly bound: QueueBound;
  private segmentsClosed = 0;
  private bytesClosed = 0;

  private readonly commitBound = () => this.commit();
  private readonly openFailedBound = () => this.commitFailed(null, this.openError!);

  constructor(options: LaneOptions<W>) {
    this.options = options;
    this.files = options.files;
    this.clock = options.clock;
    this.handler = options.handler;
    this.outage = new Outage(options);
    this.bound = new QueueBound(options.clock);
    this.filling = new CommitBuffer(options.bufferBytes, options.writesEach);
    this.flying = new CommitBuffer(options.bufferBytes, options.writesEach);
    this.buffer = this.filling.bytes;
    this.limit = options.bufferBytes;
  }

  /** Repairs what the last run left and decides the next sequence. The segment's file comes with the first commit. */
  open(): RecoveryReport {
    const { files, directory } = this.options;
    const report = recoverLane(files, directory, this.options.onEvent);
    this.nextSequence = report.nextSequence;
    this.segmentsClosed = report.segmentCount;
    this.bytesClosed = report.bytes;
    const bytesMin = this.options.directBytesMin ?? DIRECT_BYTES_MIN;
    const direct =
      bytesMin < Number.POSITIVE_INFINITY && tryAlign(files, directory, this.filling, this.flying);
    this.write = new CommitWrite<W>(files, direct, bytesMin, (segment, error) => this.wrote(segment, error));
    this.place(0);
    this.syncer = new Syncer(this.options, this, this.bound);
    return report;
  }

  /**
   * Room for `bytes` more in `buffer`, from `position` on: STORED (-1) for yes, else why not. Good until the next call, and
   * free to ask: in an outage it is the append that makes a probe. A longer queue is in the way of `level` synced.
   */
  tryReserve(bytes: number, level = ACK_WRITTEN): Refusal | typeof STORED {
    if (this.outage.refusal !== STORED && !this.outage.isProbeDue()) return this.outage.refusal;
    if (this.closing) return REFUSAL.draining;
    if (this.isFull) return REFUSAL.log_full;
    if (this.position + bytes > this.limit) {
      this.commit();
      if (this.position + bytes > this.limit) return REFUSAL.queue;
    }
    if (this.waiterCount >= LANE_WAITERS_MAX || this.isQueueLong(level)) return REFUSAL.queue;
    return STORED;
  }

  /** The lines in buffer[position, end) join the filling commit; `waiter` hears of them unless `level` is accepted. */
  append(
    end: number,
    lines: number,
    timestampMsFirst: number,
    timestampMsLast: number,
    level: number,
    waiter: W | null,
  ): void {
    assert(end > this.position && end <= this.limit && lines > 0, "an append fills what was reserved");
    this.position = end;
    this.filling.ends?.push(end - this.start);
    this.filling.add(lines, timestampMsFirst, timestampMsLast, level, waiter);
    if (this.outage.refusal !== STORED) this.outage.probed();
    if (!this.commitScheduled && !this.writing) this.scheduleCommit();
  }

  /** Ends the open segment where it has reached its age and nothing is being written; for an idle lane, now and then. */
  rotateIfOld(): void {
    if (this.segment !== null && !this.writing && this.isOld(this.segment, this.clock.monotonicMs()))
      this.retire(this.segment);
  }

  /** Deletes closed segments by age and by total bytes; 0 keeps. What holds the line `neededFrom`, or later ones, stays. */
  retain(ageMsMax: number, bytesMax: number, neededFrom = Infinity): RetentionReport {
    const oldest = this.syncer.sealing[0] ?? this.segment;
    const before = oldest === null ? this.nextSequence : oldest.firstSequence;
    const nowMs = this.clock.wallMs();
    const limits = { ageMsMax, bytesMax, neededFrom };
    const report = applyRetention(this.files, this.options.directory, before, nowMs, limits);
    this.isFull = report.isBlocked;
    this.segmentsClosed -= report.segments.length;
    this.bytesClosed -= report.bytes;
    return report;
  }

  /** Refuses from now on; commits, syncs and seals what it has, then calls back. */
  close(done: () => void): void {
    assert(!this.closing, "a lane closes once");
    this.closing = true;
    this.closed = done;
    this.scheduleCommit();
  }

  get bytesFilling(): number {
    return this.position - this.start;
  }

  get waiterCount(): number {
    return this.filling.atWrite.count + this.filling.atSync.count + this.syncer.waiterCount;
  }

  get segmentCount(): number {
    return this.segmentsClosed + this.syncer.sealing.length + (this.segment === null ? 0 : 1);
  }

  get logBytes(): number {
    const open = this.segment?.bytes ?? 0;
    return this.syncer.sealing.reduce((sum, { bytes }) => sum + bytes, this.bytesClosed + open);
  }

  get oldestUnsyncedMs(): number {
    return this.syncer.oldestUnsyncedMs(this.clock.monotonicMs());
  }

  private isQueueLong(level: number): boolean {
    const { bound, bytesInFlight, bytesFilling, writeStartedMs } = this;
    if (level >= ACK_SYNCED) return this.syncer.isQueueLong(bytesInFlight + bytesFilling);
    return bound.isWriteLong(bytesInFlight, writeStartedMs, bytesFilling);
  }

  private scheduleCommit(): void {
    if (this.commitScheduled) return;
    this.commitScheduled = true;
    this.options.schedule(this.commitBound);
  }

  /** Hands the filling buffer to the disk, where nothing is in the way; what is in the way comes back here when it ends. */
  private commit(): void {
    this.commitScheduled = false;
    if (this.writing || this.syncer.sealing.length >= LANE_SEALING_MAX) return;
    if (this.position === this.start) {
      if (this.closing) this.closeIfIdle();
      return;
    }
    if (this.mayWaitForSync()) return;
    this.swap();
    this.writeStartedMs = this.clock.monotonicMs();
    try {
      this.segment = this.segmentFor(this.writeBytes);
    } catch (error) {
      this.openError = error as FileError;
      // an empty segment that could not be removed stands there; a number left out is no harm
      if (this.openError.code === "EEXIST") this.nextSequence++;
      this.options.schedule(this.openFailedBound);
      return;
    }
    this.place(this.nextOffset(this.segment));
    const bytes = this.flying.bytes.subarray(this.writeStart, this.writeStart + this.writeBytes);
    this.flying.describe(this.record, this.segment.bytes, this.writeBytes, crc32(bytes));
    this.write.begin(
      this.segment,
      this.flying.bytes,
      this.writeStart,
      this.writeBytes,
      this.flying.alignedAt,
      this.flying.ends,
    );
  }

  /**
   * True where all that waits, waits for a sync, and one is running: no write can hasten them, and one write after it is
   * cheaper than many beside it. The sync's end commits.
   */
  private mayWaitForSync(): boolean {
    const { filling, syncer, options } = this;
    if (filling.atWrite.count > 0 || !syncer.isSyncing || this.closing) return false;
    return this.bytesFilling < options.bufferBytes / 2;
  }

  private swap(): void {
    this.writing = true;
    this.writeStart = this.start;
    this.writeBytes = this.position - this.start;
    this.bytesInFlight = this.writeBytes;
    [this.filling, this.flying] = [this.flying, this.filling];
    this.place(0);
  }

  /** Starts the filling buffer where its bytes will lie in a page of the file, if they come at `fileOffset`. */
  private place(fileOffset: number): void {
    this.buffer = this.filling.bytes;
    this.start = this.filling.alignedAt + (fileOffset % DIRECT_ALIGNMENT);
    this.position = this.start;
    this.limit = this.start + this.options.bufferBytes;
  }

  private segmentFor(bytes: number): Segment<W> {
    const open = this.segment;
    if (open !== null) {
      const fits = open.bytes === 0 || open.bytes + bytes <= this.options.segmentBytesMax;
      if (fits && !this.isOld(open, this.writeStartedMs)) return open;
      this.retire(open);
    }
    return new Segment<W>(this.files, this.options.directory, this.nextSequence, this.writeStartedMs);
  }

  /** Where the commit after this one will lie in its file, if it is about as long and nothing fails. */
  private nextOffset(segment: Segment<W>): number {
    const offset = segment.bytes + this.writeBytes;
    return offset + this.writeBytes > this.options.segmentBytesMax ? 0 : offset;
  }

  private isOld(segment: Segment<W>, nowMs: number): boolean {
    return nowMs - segment.openedMs >= this.options.segmentAgeMsMax;
  }

  private retire(segment: Segment<W>): void {
    this.segment = null;
    this.syncer.seal(segment);
  }

  private wrote(segment: Segment<W>, error: FileError | null): void {
    if (segment.failed) this.commitLost(segment);
    else if (error !== null) this.commitFailed(segment, error);
    else this.commitWritten(segment);
  }

  private commitWritten(segment: Segment<W>): void {
    const nowMs = this.clock.monotonicMs();
    const ms = nowMs - this.writeStartedMs;
    this.commits++;
    this.writeMs = ms;
    this.bound.writes.add(ms, this.writeBytes, nowMs);
    this.options.onWrite?.(ms, this.writeBytes);
    this.nextSequence += this.record.lines;
    segment.add(this.record);
    if (this.outage.refusal === REFUSAL.disk_full) this.outage.end();
    this.syncer.wrote(segment, this.flying.atSync, nowMs);
    if (this.outage.refusal !== STORED) this.syncer.request();
    this.settleFlying(STORED);
  }

  /** A sync of the segment failed while this write was under way: what it wrote is worth nothing now. */
  private commitLost(segment: Segment<W>): void {
    this.failures++;
    this.nextSequence += this.record.lines;
    this.syncer.abandon(segment);
    this.refuseFlying(REFUSAL.disk);
  }

  /** `segment` is null where none could be opened. */
  private commitFailed(segment: Segment<W> | null, error: FileError): void {
    this.failures++;
    const refusal = refusalOf(error);
    if (segment !== null) {
      const kept = this.syncer.tryCutBack(segment);
      if (!kept) this.nextSequence += this.record.lines;
      if (!kept || refusal === REFUSAL.disk) this.retire(segment);
    }
    this.options.onEvent({ kind: "write_failed", error });
    this.outage.begin(refusal, error, this.writeBytes);
    if (this.syncer.holds(this.flying)) this.heldRefusal = refusal;
    else this.refuseFlying(refusal);
  }

  private refuseFlying(refusal: Refusal): void {
    this.heldRefusal = STORED;
    this.flying.atSync.moveTo(this.flying.atWrite);
    this.settleFlying(refusal);
  }

  /** Frees the buffer before the handler runs, since it may append, and sets the group aside while it does. */
  private settleFlying(outcome: Refusal | typeof STORED): void {
    const group = this.flying.atWrite;
    this.flying.atWrite = this.spare;
    this.flying.clear();
    this.writing = false;
    this.bytesInFlight = 0;
    group.settle(this.handler, outcome);
    this.spare = group;
    if (this.position > this.start || this.closing) this.scheduleCommit();
  }

  private closeIfIdle(): void {
    if (this.writing || this.position > this.start) return;
    if (this.segment !== null) this.retire(this.segment);
    if (!this.syncer.idle || this.closed === null) return;
    const done = this.closed;
    this.closed = null;
    this.syncer.close();
    done();
  }

  // what the syncer tells

  segmentSynced(segment: Segment<W>, ms: number): void {
    this.syncMs = ms;
    this.options.onSync?.(ms, segment.firstSequence + segment.linesSynced);
    if (this.outage.refusal === REFUSAL.disk && segment === this.segment) this.outage.end();
  }

  syncSettled(): void {
    if (this.heldRefusal !== STORED && !this.syncer.holds(this.flying)) this.refuseFlying(this.heldRefusal);
    if (this.position > this.start) this.scheduleCommit();
  }

  segmentFailed(segment: Segment<W>, error: FileError): void {
    this.failures++;
    if (this.segment === segment) {
      this.segment = null;
      this.segmentsClosed++;
      this.bytesClosed += segment.bytes;
    }
    if (segment === this.syncer.cut) this.nextSequence += this.record.lines;
    const bytesUnsynced = segment.bytes - segment.bytesSynced;
    this.options.onEvent({ kind: "sync_failed", path: segment.path, bytesUnsynced, error });
    this.outage.begin(REFUSAL.disk, error, 0);
  }

  segmentClosed(segment: Segment<W>): void {
    const { path, bytes, lines } = segment;
    if (bytes > 0) {
      this.segmentsClosed++;
      this.bytesClosed += bytes;
      if (!segment.failed) this.options.onEvent({ kind: "sealed", path, bytes, lines });
    }
    if (this.position > this.start || this.closing) this.scheduleCommit();
  }
}
