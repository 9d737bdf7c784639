// The lanes of a data folder as one log: their blocks within a bound, and whose lines are next.
//
// Lines of several lanes go by their timestamps, so that after an outage a series that came in over several of them is sent
// in its order, as far as it has one. A lane that has nothing just now is not waited for. One whose lines do not fit is, or the
// others would overtake it; so each may have one block, whatever the bound.

import { join } from "node:path";
import type { CursorFile } from "../follow/cursor-file.ts";
import { IndexedEnd } from "../follow/indexed-end.ts";
import { FORWARD_BLOCK_BYTES_MAX } from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import { FollowedLane } from "./followed-lane.ts";
import { LogBlock } from "./log-block.ts";
import type { ForwardLog } from "./store-state.ts";

export interface LogLanesOptions {
  dataFolder: string;
  files: LogFiles;
  cursors: CursorFile;
  /** Lines read and not done. */
  windowBytes: number;
  log: ForwardLog;
}

/** Where the next lines are: in the lane's head, until one is younger than `untilMs`. */
export interface NextLines {
  lane: FollowedLane;
  untilMs: number;
}

/** Of a lane's block, where there are many lanes. */
const BLOCK_BYTES_MIN = 16 * 1024;
const BLOCKS_MIN = 4;
const LANE_NAME = /^lane-\d+$/;

export class LogLanes {
  private readonly options: LogLanesOptions;
  private readonly names = new Set<string>();
  private readonly lanes: FollowedLane[] = [];
  private readonly spare: LogBlock[] = [];
  private readonly blockBytes: number;
  private readonly blocksMax: number;
  private readonly take = () => this.spare.pop() ?? new LogBlock();
  private readonly release = (block: LogBlock): void => {
    if (this.spare.length < this.blocksMax) this.spare.push(block);
  };

  constructor(options: LogLanesOptions) {
    this.options = options;
    const { windowBytes } = options;
    const share = Math.floor(windowBytes / 4 / Math.max(1, this.folders().length));
    this.blockBytes = Math.max(BLOCK_BYTES_MIN, Math.min(FORWARD_BLOCK_BYTES_MAX, share));
    this.blocksMax = Math.max(BLOCKS_MIN, Math.floor(windowBytes / this.blockBytes));
  }

  /** Takes in lanes that are new, and asks all how far they are. Throws the file system's errors. */
  look(): void {
    for (const name of this.folders()) if (!this.names.has(name)) this.open(name);
    for (const lane of this.lanes) lane.look();
  }

  /** Null where there is nothing, "full" where it would have to be read first and there is no room. Throws as look() does. */
  next(nowMs: number): NextLines | "full" | null {
    let first: FollowedLane | null = null;
    let firstMs = Number.POSITIVE_INFINITY;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes) {
      if (lane.head === null && !this.tryReadHead(lane)) return "full";
      if (lane.head === null) continue;
      // A time to come is no reason to wait for it.
      const ms = Math.min(lane.headMs, nowMs);
      if (first === null || ms < firstMs) {
        nextMs = firstMs;
        firstMs = ms;
        first = lane;
      } else if (ms < nextMs) nextMs = ms;
    }
    return first === null ? null : { lane: first, untilMs: nextMs };
  }

  /** Lanes whose head has been begun. */
  begun(): FollowedLane[] {
    return this.lanes.filter(({ head }) => head !== null && head.at > 0);
  }

  /** Lets go of the blocks that are done. */
  settle(): void {
    for (const lane of this.lanes) lane.settle(this.release);
  }

  /** All go on at what is kept. Whoever has samples of their blocks forgets them. */
  rewind(): void {
    for (const lane of this.lanes) lane.rewind(this.release);
  }

  /** What is done is kept, where it was done before `untilMs`; null: all of it. */
  keep(nowMs: number, untilMs: number | null): void {
    for (const lane of this.lanes) {
      if (untilMs === null) lane.keepAll();
      else {
        lane.mark(nowMs);
        lane.keep(untilMs);
      }
    }
  }

  get isUnderWay(): boolean {
    return this.blocksUnderWay > 0;
  }

  /** Lines that are done and kept, each over all lanes. */
  get doneLines(): number {
    return this.lanes.reduce((lines, { done }) => lines + done, 0);
  }

  get keptLines(): number {
    return this.lanes.reduce((lines, { kept }) => lines + kept, 0);
  }

  get lagLines(): number {
    return this.lanes.reduce((lines, { lagLines }) => lines + lagLines, 0);
  }

  /** The timestamp of the oldest line that is read and not done; null where there is none. */
  get oldestMs(): number | null {
    const oldest = this.lanes.map(({ oldestMs }) => oldestMs).filter((ms) => ms !== null);
    return oldest.length === 0 ? null : Math.min(...oldest);
  }

  /** Whether all that the lanes hold now is kept, told then. */
  untilNow(): () => boolean {
    const ends = this.lanes.map((lane) => ({ lane, end: lane.end }));
    return () => ends.every(({ lane, end }) => lane.kept >= end);
  }

  /** Closes files; they are opened again where they are needed. */
  close(): void {
    for (const lane of this.lanes) lane.close();
  }

  private get blocksUnderWay(): number {
    let blocks = 0;
    for (const lane of this.lanes) blocks += lane.blocksUnderWay;
    return blocks;
  }

  /** False where the lane has lines and there is no room for them. */
  private tryReadHead(lane: FollowedLane): boolean {
    while (lane.head === null) {
      if (lane.blocksUnderWay > 0 && this.blocksUnderWay >= this.blocksMax) return false;
      if (!lane.tryRead(this.take)) return true;
    }
    return true;
  }

  private folders(): string[] {
    return this.options.files.readdir(this.options.dataFolder).filter((name) => LANE_NAME.test(name));
  }

  private open(name: string): void {
    const { files, dataFolder, cursors, log } = this.options;
    const directory = join(dataFolder, name);
    const indexed = new IndexedEnd(files, directory);
    const readEnd = () => indexed.read();
    const lane = new FollowedLane(files, directory, cursors.cursorOf(name), this.blockBytes, readEnd);
    lane.look();
    const forwarded = lane.kept;
    if (lane.cutToEnd())
      log("warn", "a lane is shorter than what was forwarded of it; it goes on at the lane's end", {
        lane: name,
        forwarded,
        end: lane.end,
      });
    this.names.add(name);
    this.lanes.push(lane);
  }
}
