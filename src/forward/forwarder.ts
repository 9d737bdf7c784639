// Sends the log of a data folder to a Prometheus-compatible store, at least once, in the order of each lane.
//
//   lanes ─▶ blocks ─▶ lines, the oldest first ─▶ samples, by series ─▶ shard ─▶ connection ─▶ store
//     ▲        │                                                          │
//     │        └── bounded: what is read and not taken                    └─▶ dead letters
//   cursor file ◀── once a second: what the store has for good ◀──────────────── blocks that are done
//
// One event loop, of the process's or of a thread's own: a few milliseconds of lines, then the sockets' turn.
// HOT: feed() runs once a line.

import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import { retryMs } from "../follow/backoff.ts";
import { CursorFile } from "../follow/cursor-file.ts";
import {
  FOLLOW_POLL_MS,
  FOLLOW_RETRY_MS_MAX,
  FOLLOW_RETRY_MS_MIN,
  FOLLOW_SAVE_MS,
  FORWARD_BEAT_MS,
  FORWARD_CLOSE_MS_MAX,
  FORWARD_WINDOW_BYTES_PER_SAMPLE,
} from "../limits.ts";
import type { LogFiles } from "../log/files.ts";
import { BatchPool } from "./batch-pool.ts";
import { type DeadLetter, DeadLetters } from "./dead-letters.ts";
import { ForwardCounts } from "./forward-counts.ts";
import type { ForwardFigures } from "./forward-figures.ts";
import type { ForwardSettings } from "./forward-settings.ts";
import { LineParts, timestampMsAt } from "./line-parts.ts";
import type { LogBlock } from "./log-block.ts";
import { LogLanes } from "./log-lanes.ts";
import { Pause } from "./pause.ts";
import { SelfReport } from "./self-report.ts";
import { SeriesCache } from "./series-cache.ts";
import { Shard } from "./shard.ts";
import { type ForwardLog, StoreState } from "./store-state.ts";

export interface ForwarderOptions {
  dataFolder: string;
  files: LogFiles;
  clock: Clock;
  settings: ForwardSettings;
  /** "tidemark/…" */
  userAgent: string;
  log: ForwardLog;
}

/** Lines between two turns of the sockets: some 4 ms. */
const LINES_PER_TURN = 2_500;
/** Times that the same lines are sent again because the store may have lost them; a bad network must not keep it from going on. */
const RESENDS_MAX = 10;
const NO_END = Number.POSITIVE_INFINITY;

/** Goes on until close(). Throws TidemarkError where the cursors cannot be read, or the file system's error. */
export function startForwarder(options: ForwarderOptions): Forwarder {
  const forwarder = new Forwarder(options);
  forwarder.runInBackground();
  return forwarder;
}

export class Forwarder {
  private readonly options: ForwarderOptions;
  private readonly cursors: CursorFile;
  private readonly letters: DeadLetters;
  private readonly counts = new ForwardCounts();
  private readonly state: StoreState;
  private readonly shards: Shard[];
  private readonly lanes: LogLanes;
  private readonly cache = new SeriesCache();
  private readonly parts = new LineParts();
  private readonly report: SelfReport;
  private unreadable: { block: LogBlock; letter: DeadLetter }[] = [];
  private resends = 0;
  private resentFrom = -1;
  private savedLines = -1;
  private isClosing = false;
  private running: Promise<unknown> = Promise.resolve();
  private readonly loopPause = new Pause();
  private readonly watchPause = new Pause();
  /** Of who waits for something to be done or kept. */
  private readonly progress = new Pause();

  constructor(options: ForwarderOptions) {
    this.options = options;
    const { dataFolder, files, clock, settings, log, userAgent } = options;
    const name = `forward-${settings.name}`;
    this.cursors = new CursorFile(files, dataFolder, name);
    this.state = new StoreState(settings, clock, log);
    this.letters = new DeadLetters({
      files,
      dataFolder,
      name,
      wallMs: () => clock.wallMs(),
      onDropped: (path) => {
        this.counts.droppedLetterFiles++;
        log("error", "a file of dead letters was deleted to make room for newer ones", { path });
      },
    });
    const batches = new BatchPool(settings.batchSamples);
    this.shards = Array.from({ length: settings.connections }, () => {
      const { state, letters, counts } = this;
      return new Shard({
        settings,
        userAgent,
        state,
        letters,
        counts,
        batches,
        onSettled: () => this.settle(),
        onAway: () => this.resend(),
        onRecovered: () => {
          for (const shard of this.shards) shard.retryNow();
        },
        onError: (error) => this.tell("cannot write dead letters; it is tried again", error),
      });
    });
    const windowBytes = settings.connections * settings.batchSamples * FORWARD_WINDOW_BYTES_PER_SAMPLE;
    this.lanes = new LogLanes({ dataFolder, files, cursors: this.cursors, windowBytes, log });
    this.report = new SelfReport({ data: dataFolder, forward: settings.name, instance: hostname() });
    this.lanes.look();
  }

  runInBackground(): void {
    this.shards[0]!.beat(0);
    this.running = Promise.all([this.loop(), this.watch(), ...this.shards.map((shard) => shard.run())]);
  }

  /** Resolves when everything that the log holds now is with the store for good, or with close(). */
  async untilEnd(): Promise<void> {
    const isReached = this.lanes.untilNow();
    while (!this.isClosing && !isReached()) await this.progress.wait(null);
  }

  figures(): ForwardFigures {
    const { state, counts, lanes } = this;
    const { oldestMs } = lanes;
    const states = { "": "flowing", later: "waiting", settings: "refused" } as const;
    return {
      state: states[state.trouble],
      samples: counts.samples,
      lagLines: lanes.lagLines,
      lagMs: oldestMs === null ? 0 : Math.max(0, this.options.clock.wallMs() - oldestMs),
      requests: counts.requests,
      retries: counts.retries,
      resends: counts.resends,
      sentBytes: counts.sentBytes,
      deadLetters: Object.fromEntries(counts.deadLetters),
      droppedLetterFiles: counts.droppedLetterFiles,
    };
  }

  /** Ends what is under way, within `msMax` and where the store takes, and stores the cursors. */
  async close(msMax = FORWARD_CLOSE_MS_MAX): Promise<void> {
    this.isClosing = true;
    this.loopPause.wake();
    this.watchPause.wake();
    const untilMs = performance.now() + msMax;
    for (let left = msMax; left > 0 && this.lanes.isUnderWay && this.state.trouble === ""; ) {
      for (const shard of this.shards) shard.flush();
      await this.progress.wait(left);
      left = untilMs - performance.now();
    }
    for (const shard of this.shards) shard.close();
    this.progress.wake();
    await this.running;
    this.lanes.close();
    this.letters.close();
    this.keep();
  }

  private async loop(): Promise<void> {
    for (let failures = 0; !this.isClosing; ) {
      try {
        if (this.turn()) await nextTurn();
        else await this.loopPause.wait(FOLLOW_POLL_MS);
        failures = 0;
      } catch (error) {
        this.tell("cannot follow the log; it is tried again", error);
        this.lanes.close();
        await this.loopPause.wait(retryMs(failures++, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random));
      }
    }
    // A block that is begun can be done only as a whole.
    for (const lane of this.lanes.begun()) {
      this.feed(lane.head!, NO_END, NO_END);
      lane.head = null;
    }
  }

  /** Makes some lines into samples; false where there is nothing to do until something changes. */
  private turn(): boolean {
    this.setAside();
    let left = LINES_PER_TURN;
    while (left > 0) {
      const next = this.lanes.next(this.options.clock.wallMs());
      if (next === "full") for (const shard of this.shards) shard.flush();
      if (next === null || next === "full") break;
      const { lane, untilMs } = next;
      left -= this.feed(lane.head!, untilMs, left);
      if (lane.head!.isRead) lane.head = null;
    }
    return left < LINES_PER_TURN;
  }

  /** At most `most` lines of the block become samples, until one is younger than `untilMs`. How many they were. */
  private feed(block: LogBlock, untilMs: number, most: number): number {
    const parts = this.parts;
    const cache = this.cache;
    const shards = this.shards;
    const { bytes, view } = block;
    const to = bytes.length;
    let lines = 0;
    for (; block.at < to && lines < most; lines++) {
      const at = block.at;
      if (lines > 0 && untilMs !== NO_END && timestampMsAt(bytes, at) > untilMs) break;
      if (parts.read(bytes, at, to) && cache.find(bytes, view, parts)) {
        const batch = shards[cache.series % shards.length]!.filling();
        batch.add(block, at, cache.arena, cache.labelsStart, cache.labelsEnd, parts.value, parts.timestampMs);
      } else this.noteUnreadable(block, at, parts.lineEnd);
      block.at = parts.lineEnd + 1;
    }
    return lines;
  }

  private noteUnreadable(block: LogBlock, at: number, end: number): void {
    const letter = {
      status: 0,
      answer: "it is no line of the log",
      line: block.bytes.toString("utf8", at, end),
    };
    block.pending++;
    this.unreadable.push({ block, letter });
  }

  /** What is no line of the log goes to the dead letters before its block counts as done. Throws the file system's errors. */
  private setAside(): void {
    if (this.unreadable.length === 0) return;
    const letters = this.unreadable.map(({ letter }) => letter);
    this.letters.add(letters);
    this.counts.taken(0, letters);
    for (const { block } of this.unreadable) block.pending--;
    this.unreadable = [];
    this.settle();
  }

  private settle(): void {
    this.lanes.settle();
    if (this.state.resendMs === 0) this.lanes.keep(0, null);
    this.loopPause.wake();
    this.progress.wake();
  }

  /** The store may have lost what it had in memory: from what it has for sure on, all is sent again. */
  private resend(): void {
    const { lanes } = this;
    const kept = lanes.keptLines;
    const atRisk = lanes.doneLines - kept;
    if (this.isClosing || this.state.resendMs === 0 || atRisk === 0) return;
    if (kept > this.resentFrom) this.resends = 0;
    if (this.resends >= RESENDS_MAX) return;
    this.resends++;
    this.resentFrom = kept;
    this.counts.resends++;
    this.options.log("warn", "the store was away; what it may have had only in memory is sent again", {
      lines: atRisk,
    });
    for (const shard of this.shards) shard.abandon();
    lanes.rewind();
    this.unreadable = [];
    this.report.forget();
    this.loopPause.wake();
  }

  /** Once a second: lanes, cursors, whether the store is still there, and now and then a report. */
  private async watch(): Promise<void> {
    const { lanes, options } = this;
    for (;;) {
      await this.watchPause.wait(FOLLOW_SAVE_MS);
      if (this.isClosing) return;
      try {
        lanes.look();
      } catch (error) {
        this.tell("cannot look for the log; it is tried again", error);
      }
      this.keep();
      this.beat();
      const report = this.report.tryWrite(() => this.figures(), options.clock.wallMs());
      if (report !== null) this.feed(report, NO_END, NO_END);
      this.progress.wake();
    }
  }

  /** What is not kept yet needs an answer later than it; and a store closes a connection that says nothing for a minute. */
  private beat(): void {
    if (this.state.trouble !== "") return;
    const isAtRisk = this.lanes.keptLines < this.lanes.doneLines;
    for (const [nth, shard] of this.shards.entries())
      shard.beat(nth === 0 && isAtRisk ? FOLLOW_SAVE_MS : FORWARD_BEAT_MS);
  }

  /** Moves the cursors on and stores them. */
  private keep(): void {
    const { lanes, state, options } = this;
    const untilMs = state.resendMs === 0 ? null : state.takenMs - state.resendMs;
    lanes.keep(options.clock.monotonicMs(), untilMs);
    if (lanes.keptLines === this.savedLines) return;
    try {
      this.cursors.save();
      this.savedLines = lanes.keptLines;
    } catch (error) {
      this.tell("cannot store the cursors; it is tried again", error);
    }
  }

  private tell(text: string, error: unknown): void {
    this.options.log("error", text, { error: String(error) });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
