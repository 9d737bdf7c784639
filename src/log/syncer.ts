// Brings a lane's written bytes to the disk: one fdatasync in flight at a time, off the event loop, segments in the order
// they were opened, so that requests that wait for a sync are answered in the order they came.
// It starts one when a written commit has somebody waiting for it, when the oldest unsynced byte has reached the interval
// (one timer, owned here), and once for each segment that ends. A segment whose sync failed is never synced again: the
// kernel may have dropped the pages and would answer "fine" the second time.
// A segment's first sync also syncs the directory, since a file that nobody can find was not stored.

import type { Clock } from "../base/clock.ts";
import { REFUSAL } from "../errors.ts";
import type { CommitBuffer } from "./commit-buffer.ts";
import type { FileError, LogFiles } from "./files.ts";
import { type LaneOptions, realTimers, type Timers } from "./lane-options.ts";
import type { QueueBound } from "./queue-bound.ts";
import type { Segment } from "./segment.ts";
import { indexPath } from "./segment-name.ts";
import { type LaneHandler, STORED, WaiterGroup } from "./waiter-group.ts";

/** What the lane does when a segment's life takes a turn here. */
export interface SyncerOwner<W> {
  segmentSynced(segment: Segment<W>, ms: number): void;
  segmentFailed(segment: Segment<W>, error: FileError): void;
  /** The waiters of a sync have been settled. */
  syncSettled(): void;
  segmentClosed(segment: Segment<W>): void;
}

export class Syncer<W> {
  private readonly files: LogFiles;
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly handler: LaneHandler<W>;
  private readonly owner: SyncerOwner<W>;
  private readonly directory: string;
  private readonly directoryFd: number;
  private readonly intervalMs: number;
  private readonly bound: QueueBound;

  /** Ended segments in order, until they are closed. */
  readonly sealing: Segment<W>[] = [];
  /** Requests that wait for a sync. */
  waiterCount = 0;
  private current: Segment<W> | null = null;
  private syncing: Segment<W> | null = null;
  /** What the running sync will have covered of its segment. */
  private syncingBytes = 0;
  private syncingLines = 0;
  private startedMs = 0;
  private flying = new WaiterGroup<W>();
  private spare = new WaiterGroup<W>();
  private wanted = false;
  /** When the oldest byte was written that the running sync covers; -1 for none. */
  private syncingSinceMs = -1;
  private timer: object | null = null;

  /** It was cut back, and no sync has brought that to the disk yet. */
  cut: Segment<W> | null = null;
  private syncingCut = false;

  private readonly timerBound = () => this.timerFired();
  private readonly entryBound = (error: FileError | null) => this.entrySynced(error);
  private readonly syncedBound = (error: FileError | null) => this.synced(error);

  constructor(options: LaneOptions<W>, owner: SyncerOwner<W>, bound: QueueBound) {
    this.files = options.files;
    this.clock = options.clock;
    this.timers = options.timers ?? realTimers;
    this.handler = options.handler;
    this.owner = owner;
    this.directory = options.directory;
    this.directoryFd = this.files.openDirectory(this.directory);
    this.intervalMs = options.syncIntervalMs;
    this.bound = bound;
  }

  /** Takes note of a commit just written to the open segment; `synced` are those who wait for more than that. */
  wrote(segment: Segment<W>, synced: WaiterGroup<W>, nowMs: number): void {
    this.current = segment;
    if (segment.unsyncedSinceMs < 0) segment.unsyncedSinceMs = nowMs;
    if (synced.count > 0) {
      this.waiterCount += synced.count;
      synced.moveTo(segment.waiting);
      this.start();
    } else if (this.timer === null) {
      this.timer = this.timers.start(this.timerBound, this.intervalMs);
    }
  }

  /** Starts a sync of the open segment now, or as soon as the running one is back. */
  request(): void {
    this.wanted = true;
    this.start();
  }

  /** Ends a segment that no write is in flight to: syncs, seals and closes it. */
  seal(segment: Segment<W>): void {
    if (this.current === segment) this.forgetCurrent();
    this.sealing.push(segment);
    if (segment.bytes === 0 && segment !== this.cut) this.end(segment);
    else this.start();
  }

  /**
   * Takes a failed commit's bytes off the file again, and syncs that: until then a power cut could bring back what was
   * refused. One cut at a time: the lane writes nothing before it has told its refusal. False where even the cut fails.
   */
  tryCutBack(segment: Segment<W>): boolean {
    const cut = segment.tryCutBack(this.files);
    if (cut === "cut") {
      this.cut = segment;
      this.current = segment;
      this.start();
    }
    return cut !== "failed";
  }

  /** Whether the refusal of a failed commit has to wait: for its cut, or for answers that go before it. */
  holds(commit: CommitBuffer<W>): boolean {
    return this.cut !== null || (commit.atSync.count > 0 && this.waiterCount > 0);
  }

  /** Closes a failed segment's files. Where a write to it is in flight the owner does so when that is back. */
  abandon(segment: Segment<W>): void {
    this.closeFile(segment);
    segment.index.abandon();
  }

  /** Whether what comes behind `bytesUnwritten` more would wait too long for its sync. */
  isQueueLong(bytesUnwritten: number): boolean {
    let bytesUnsynced = 0;
    for (const segment of this.sealing) bytesUnsynced += segment.bytes - segment.bytesSynced;
    if (this.current !== null) bytesUnsynced += this.current.bytes - this.current.bytesSynced;
    const bytesFlying = this.bytesFlying;
    return this.bound.isSyncLong(bytesFlying, this.startedMs, bytesUnsynced - bytesFlying, bytesUnwritten);
  }

  /** Bytes that the running sync covers. */
  get bytesFlying(): number {
    return this.syncing === null ? 0 : this.syncingBytes - this.syncing.bytesSynced;
  }

  get isSyncing(): boolean {
    return this.syncing !== null;
  }

  get idle(): boolean {
    return this.syncing === null && this.sealing.length === 0;
  }

  oldestUnsyncedMs(nowMs: number): number {
    let sinceMs = this.syncingSinceMs;
    for (const segment of this.sealing) if (sinceMs < 0) sinceMs = segment.unsyncedSinceMs;
    if (sinceMs < 0 && this.current !== null) sinceMs = this.current.unsyncedSinceMs;
    return sinceMs < 0 ? 0 : nowMs - sinceMs;
  }

  /** Only when idle. */
  close(): void {
    if (this.timer !== null) this.timers.cancel(this.timer);
    this.timer = null;
    this.files.close(this.directoryFd);
  }

  private timerFired(): void {
    this.timer = null;
    const current = this.current;
    if (current === null || current.unsyncedSinceMs < 0) return;
    const leftMs = current.unsyncedSinceMs + this.intervalMs - this.clock.monotonicMs();
    if (leftMs > 1) this.timer = this.timers.start(this.timerBound, leftMs);
    else this.request();
  }

  private start(): void {
    if (this.syncing !== null) return;
    const segment = this.next();
    if (segment === null) return;
    this.syncing = segment;
    this.syncingBytes = segment.bytesSynced;
    if (segment === this.current) this.wanted = false;
    this.startedMs = this.clock.monotonicMs();
    if (segment.entrySynced) this.syncBytes(segment);
    else this.files.fsync(this.directoryFd, this.entryBound);
  }

  /** Ended segments first; those that have nothing left to sync are sealed on the way. */
  private next(): Segment<W> | null {
    let at = 0;
    while (at < this.sealing.length) {
      const segment = this.sealing[at]!;
      if (segment.ended) {
        at++;
      } else if (segment.bytesSynced < segment.bytes || segment === this.cut) {
        return segment;
      } else {
        this.end(segment);
        at = 0;
      }
    }
    const current = this.current;
    if (current !== null && current === this.cut) return current;
    if (current === null || current.bytesSynced === current.bytes) return null;
    return this.wanted || current.waiting.count > 0 ? current : null;
  }

  private entrySynced(error: FileError | null): void {
    const segment = this.syncing!;
    if (error !== null) {
      this.fail(segment, error);
      return;
    }
    segment.entrySynced = true;
    this.syncBytes(segment);
  }

  private syncBytes(segment: Segment<W>): void {
    this.syncingBytes = segment.bytes;
    this.syncingLines = segment.lines;
    this.syncingCut = segment === this.cut;
    this.syncingSinceMs = segment.unsyncedSinceMs;
    segment.unsyncedSinceMs = -1;
    segment.waiting.moveTo(this.flying);
    this.files.fdatasync(segment.fd, this.syncedBound);
  }

  private synced(error: FileError | null): void {
    const segment = this.syncing!;
    if (error !== null) {
      this.fail(segment, error);
      return;
    }
    const nowMs = this.clock.monotonicMs();
    this.bound.syncs.add(nowMs - this.startedMs, this.bytesFlying, nowMs);
    segment.bytesSynced = this.syncingBytes;
    segment.linesSynced = this.syncingLines;
    if (this.syncingCut) this.cut = null;
    this.syncingSinceMs = -1;
    this.owner.segmentSynced(segment, nowMs - this.startedMs);
    this.settleFlying(STORED);
    segment.index.flush();
    this.syncing = null;
    this.start();
    this.owner.syncSettled();
  }

  private fail(segment: Segment<W>, error: FileError): void {
    segment.failed = true;
    this.syncingBytes = segment.bytesSynced;
    this.syncingSinceMs = -1;
    if (this.current === segment) this.forgetCurrent();
    segment.waiting.moveTo(this.flying);
    this.disown(segment);
    this.owner.segmentFailed(segment, error);
    if (!segment.writing) this.abandon(segment);
    if (this.cut === segment) this.cut = null;
    this.settleFlying(REFUSAL.disk);
    this.syncing = null;
    if (this.sealing.includes(segment)) this.closed(segment);
    this.start();
    this.owner.syncSettled();
  }

  /** Takes a failed segment's index away: nothing may say of its bytes that they are on the disk (store-again.ts). */
  private disown(segment: Segment<W>): void {
    try {
      this.files.unlink(indexPath(this.directory, segment.firstSequence));
    } catch {
      // records come behind the sync of their bytes, but for those of more than INDEX_FLUSH_BYTES
    }
  }

  /** The group is set aside first: the handler may append, and what it appends may end up in the next one. */
  private settleFlying(outcome: number): void {
    const group = this.flying;
    this.flying = this.spare;
    this.waiterCount -= group.count;
    group.settle(this.handler, outcome);
    this.spare = group;
  }

  /** The bytes are on the disk: seals the index. A segment that holds nothing leaves nothing. */
  private end(segment: Segment<W>): void {
    segment.ended = true;
    this.closeFile(segment);
    if (segment.bytes > 0) {
      segment.index.seal(segment.sealRecord(), () => this.closed(segment));
      return;
    }
    segment.index.abandon();
    try {
      this.files.unlink(indexPath(this.directory, segment.firstSequence));
      this.files.unlink(segment.path);
    } catch {
      // the next start removes it
    }
    this.closed(segment);
  }

  private closed(segment: Segment<W>): void {
    this.sealing.splice(this.sealing.indexOf(segment), 1);
    this.owner.segmentClosed(segment);
  }

  private closeFile(segment: Segment<W>): void {
    try {
      if (segment.directFd >= 0) this.files.close(segment.directFd);
      this.files.close(segment.fd);
    } catch {
      // what was promised had been synced; nothing more can be learnt from close(2)
    }
  }

  private forgetCurrent(): void {
    this.current = null;
    this.wanted = false;
  }
}
