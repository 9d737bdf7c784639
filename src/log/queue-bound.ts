// How long a lane's queue may get, by time: a batch that would wait longer than that for its turn is refused while the
// refusal is still quick, since a client that waits for a second in a queue is worse off than one that is sent away.
//
//     wait of a new batch = rest of the write in flight + what fills behind it        (at `written`)
//                         + rest of the sync in flight + all that it does not cover   (at `synced`)
//
// Each part is what the disk has lately taken for so many bytes (commit-time.ts). An idle lane has no queue, and never
// refuses for its length; nor does one whose disk is not known to be slow. LARGE_BYTES_MIN may always be queued: below
// it nothing is known. A disk that takes long for the smallest commit, whatever its rate, gets FIXED_TIMES that: with
// a shorter queue its commits would be mostly fixed cost, and the rate would go with them.
// HOT: isLong runs once a request; it reads the clock only where the answer depends on it.

import type { Clock } from "../base/clock.ts";
import { QUEUE_MS_MAX } from "../limits.ts";
import { CommitTime, LARGE_BYTES_MIN } from "./commit-time.ts";

/** Twenty: a commit is then ten times its fixed part, nine tenths of it are bytes; at 80 % load it is half of that by itself. */
const FIXED_TIMES = 20;

export class QueueBound {
  readonly writes = new CommitTime();
  readonly syncs = new CommitTime();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** At `written`: bytes of the write in flight since `startedMs`, and bytes that fill behind it. */
  isWriteLong(bytesFlying: number, startedMs: number, bytesFilling: number): boolean {
    return this.isLong(this.writes, bytesFlying, startedMs, bytesFilling, 0);
  }

  /** At `synced`: besides, bytes of the sync in flight since `startedMs`, written ones that it does not cover, unwritten ones. */
  isSyncLong(bytesFlying: number, startedMs: number, bytesUnsynced: number, bytesUnwritten: number): boolean {
    const writeMs = this.writes.expectedMs(bytesUnwritten);
    return this.isLong(this.syncs, bytesFlying, startedMs, bytesUnsynced + bytesUnwritten, writeMs);
  }

  private isLong(
    time: CommitTime,
    bytesFlying: number,
    startedMs: number,
    bytesBehind: number,
    besidesMs: number,
  ): boolean {
    if (bytesFlying + bytesBehind < LARGE_BYTES_MIN) return false;
    const flyingMs = time.expectedMs(bytesFlying);
    const behindMs = time.expectedMs(bytesBehind) + besidesMs;
    const msMax = Math.max(QUEUE_MS_MAX, FIXED_TIMES * time.fixedMs);
    // What is let in later shares the commit, and its time: each commit may take half of what a batch may wait.
    if (behindMs > msMax / 2) return true;
    if (flyingMs + behindMs <= msMax) return false;
    return Math.max(0, flyingMs - (this.clock.monotonicMs() - startedMs)) + behindMs > msMax;
  }
}
