// Follows one lane: hands its blocks to a sink, in order, and moves the cursor when the sink has taken them for good.
//
//     end ──▶ fresh loop ──▶ sink.send ──▶ cursor.fresh          one block under way in each loop, so order is kept
//       jump │                                                   whatever has to be tried again
//            └─▶ late loop ──▶ sink.send ──▶ cursor.late
//
// Where the fresh loop falls behind by FOLLOW_FRESH_MS_MAX, as after an outage, it leaves what is old to the late loop and goes
// on at the lane's end.
// While a block is under way the next one is read and prepared, where there is enough for a full one: a short one would keep out
// what comes meanwhile, and a group commit of publishes lives of that.
// The sink tries again by itself for as long as it takes; what it throws is for the log, and the block is sent again.

import type { Clock } from "../base/clock.ts";
import {
  FOLLOW_BLOCK_BYTES_MAX,
  FOLLOW_FRESH_MS_MAX,
  FOLLOW_JUMP_LINES_MIN,
  FOLLOW_POLL_MS,
  FOLLOW_RETRY_MS_MAX,
  FOLLOW_RETRY_MS_MIN,
} from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import { retryMs } from "./backoff.ts";
import { type BlockSink, BlocksAhead } from "./blocks-ahead.ts";
import type { LaneCursor, LineRange } from "./lane-cursor.ts";
import { LaneReader } from "./lane-reader.ts";

export interface LaneFollowerOptions {
  files: LogFiles;
  clock: Clock;
  directory: string;
  cursor: LaneCursor;
  sink: BlockSink;
  /** The number behind the last line that may be followed. */
  readEnd(): number;
  /** Resolves when there may be more, or after `msMax`. */
  untilMore(msMax: number): Promise<void>;
  /** The cursor has moved. */
  onMoved(): void;
  onError(error: unknown): void;
}

export class LaneFollower {
  private readonly options: LaneFollowerOptions;
  private isClosed = false;
  /** At `markMs` the lane ended at `markEnd`: lines before it that are not done are at least as old. */
  private markEnd = 0;
  private markMs: number;
  private wakeLate: () => void = () => {};
  /** Ends the waits for another try. */
  private readonly wakers = new Set<() => void>();

  constructor(options: LaneFollowerOptions) {
    this.options = options;
    this.markMs = options.clock.monotonicMs();
    this.markEnd = options.cursor.fresh;
  }

  /** Until close(). */
  async run(): Promise<void> {
    await Promise.all([
      this.loop((ahead) => this.freshStep(ahead)),
      this.loop((ahead) => this.lateStep(ahead)),
    ]);
  }

  /** Does these once more, before all that is late: they were done and have got lost. Those that there is room for. */
  again(ranges: readonly LineRange[]): LineRange[] {
    const taken = this.options.cursor.again(ranges);
    this.wakeLate();
    return taken;
  }

  /** Ends after the blocks under way; the sink has to let go of them. */
  close(): void {
    this.isClosed = true;
    this.wakeLate();
    for (const wake of this.wakers) wake();
  }

  /** Age of the oldest fresh line that is not done, milliseconds; at most FOLLOW_POLL_MS more than it is. */
  get freshLagMs(): number {
    const { cursor, clock, readEnd } = this.options;
    return cursor.fresh >= readEnd() ? 0 : clock.monotonicMs() - this.markMs;
  }

  private async loop(step: (ahead: BlocksAhead) => Promise<void>): Promise<void> {
    const { files, directory, sink, onError } = this.options;
    const reader = new LaneReader(files, directory, FOLLOW_BLOCK_BYTES_MAX);
    const ahead = new BlocksAhead(reader, sink);
    let failures = 0;
    while (!this.isClosed) {
      try {
        await step(ahead);
        failures = 0;
      } catch (error) {
        if (this.isClosed) break;
        onError(error);
        ahead.close();
        await this.pause(retryMs(failures++, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random));
      }
    }
    ahead.close();
  }

  private async freshStep(ahead: BlocksAhead): Promise<void> {
    const { cursor, readEnd, untilMore, onMoved } = this.options;
    const end = readEnd();
    this.mark(end);
    if (this.isFarBehind(end) && cursor.tryJump(end)) {
      this.mark(end);
      onMoved();
      this.wakeLate();
    }
    if (cursor.fresh >= end) return untilMore(FOLLOW_POLL_MS);
    const block = ahead.take(cursor.fresh, end);
    if (block === null) return untilMore(FOLLOW_POLL_MS);
    await ahead.send(block, end);
    cursor.fresh = block.end;
    onMoved();
  }

  private async lateStep(ahead: BlocksAhead): Promise<void> {
    const { cursor, onMoved } = this.options;
    cursor.takeAgain();
    const oldest = cursor.late[0];
    if (oldest === undefined) {
      ahead.close();
      await new Promise<void>((resolve) => {
        this.wakeLate = resolve;
        if (this.isClosed || cursor.needed < cursor.fresh) resolve();
      });
      return;
    }
    const block = ahead.take(oldest.from, oldest.to);
    if (block === null) return this.pause(FOLLOW_POLL_MS);
    await ahead.send(block, oldest.to);
    cursor.doneLate(block.end);
    onMoved();
  }

  private mark(end: number): void {
    const { cursor, clock } = this.options;
    if (cursor.fresh < this.markEnd) return;
    this.markEnd = end;
    this.markMs = clock.monotonicMs();
  }

  private isFarBehind(end: number): boolean {
    const { cursor, clock } = this.options;
    return (
      end - cursor.fresh >= FOLLOW_JUMP_LINES_MIN && clock.monotonicMs() - this.markMs > FOLLOW_FRESH_MS_MAX
    );
  }

  /** Or until close(). */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.wakers.add(wake);
    });
  }
}
