// One connection's part of the series: batches in the order of the log, one under way. So no sample of a series overtakes another,
// whatever has to be tried again.
//
//   add ─▶ queue: │ batch │ batch │ filling │ ─▶ deliver ─▶ taken                 the blocks wait for them no longer
//                                                  │  ▲
//                                  413, refused ───┴──┘ in halves, until what is refused is alone ─▶ dead letter
//
// It tries for as long as it takes. The queue's bound is the forwarder's: lines read and not done.

import { retryMs } from "../follow/backoff.ts";
import {
  FOLLOW_RETRY_MS_MAX,
  FOLLOW_RETRY_MS_MIN,
  FORWARD_LINGER_MS,
  FORWARD_SETTINGS_RETRY_MS,
} from "../limits.ts";
import type { BatchPool } from "./batch-pool.ts";
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";
import type { ForwardCounts } from "./forward-counts.ts";
import type { ForwardSettings } from "./forward-settings.ts";
import { Pause } from "./pause.ts";
import type { RequestBatch } from "./request-batch.ts";
import { SnappyBuffer } from "./snappy.ts";
import { StoreConnection } from "./store-connection.ts";
import type { StoreState } from "./store-state.ts";
import { type StoreAnswer, type Verdict, verdictOf } from "./verdict.ts";

export interface ShardOptions {
  settings: ForwardSettings;
  userAgent: string;
  state: StoreState;
  letters: DeadLetters;
  counts: ForwardCounts;
  batches: BatchPool;
  /** Blocks may be done. */
  onSettled(): void;
  /** The store may have lost what it had in memory. */
  onAway(): void;
  /** The store takes again: nobody needs to wait for longer. */
  onRecovered(): void;
  /** The disk does not take a dead letter; it is tried again. */
  onError(error: unknown): void;
}

export class Shard {
  private readonly options: ShardOptions;
  private readonly connection: StoreConnection;
  private readonly snappy = new SnappyBuffer();
  private queue: RequestBatch[] = [];
  /** What is under way counts only while this stands. */
  private generation = 0;
  private isClosed = false;
  private isFlushing = false;
  private sentMs = Number.NEGATIVE_INFINITY;
  /** Less than --batch-samples once the store has said 413. */
  private samplesMax: number;
  private readonly pause = new Pause();

  constructor(options: ShardOptions) {
    this.options = options;
    this.connection = new StoreConnection(options.settings, options.onAway);
    this.samplesMax = options.settings.batchSamples;
  }

  /** The batch that the next sample goes into. */
  filling(): RequestBatch {
    const last = this.queue.at(-1);
    if (last !== undefined && !last.isFull) return last;
    this.pause.wake();
    const batch = this.options.batches.take();
    this.queue.push(batch);
    return batch;
  }

  /** Sends what there is, full or not. */
  flush(): void {
    if (this.queue.length === 0) return;
    this.isFlushing = true;
    this.pause.wake();
  }

  /** Asks whether the store is there, by a request without samples, where nothing was sent for so long. */
  beat(quietMs: number): void {
    if (performance.now() - this.sentMs < quietMs || this.queue.length > 0) return;
    this.filling();
    this.flush();
  }

  /** Where it waits to try again, it tries. */
  retryNow(): void {
    this.pause.wake();
  }

  /** Forgets what is queued and under way: it is read again. */
  abandon(): void {
    this.generation++;
    for (const batch of this.queue.splice(0)) this.options.batches.giveBack(batch);
  }

  /** Until close(). */
  async run(): Promise<void> {
    for (;;) {
      const batch = await this.next();
      if (batch === null) return;
      const { generation } = this;
      const letters: DeadLetter[] = [];
      const isDelivered = await this.deliver(batch, letters, generation);
      if (isDelivered && (await this.setAside(letters, generation)) && generation === this.generation) {
        this.options.counts.taken(batch.samples - letters.length, letters);
        batch.settle();
      }
      this.options.batches.giveBack(batch);
      this.options.onSettled();
    }
  }

  /** What is under way is given up. */
  close(): void {
    this.isClosed = true;
    this.generation++;
    this.connection.close();
    this.pause.wake();
  }

  private async next(): Promise<RequestBatch | null> {
    for (;;) {
      if (this.isClosed) return null;
      const head = this.queue[0];
      const lingerMs = this.sentMs + FORWARD_LINGER_MS - performance.now();
      if (head !== undefined && (head.isFull || this.isFlushing || lingerMs <= 0)) {
        this.queue.shift();
        if (this.queue.length === 0) this.isFlushing = false;
        return head;
      }
      await this.pause.wait(head === undefined ? null : lingerMs);
    }
  }

  /** True when every sample is taken or in `letters`; false where it is given up. */
  private async deliver(batch: RequestBatch, letters: DeadLetter[], generation: number): Promise<boolean> {
    const ranges = [{ from: 0, to: batch.samples }];
    let isPlaceKnown = false;
    for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
      const { from, to } = range;
      const middle = (from + to) >> 1;
      if (to - from > this.samplesMax) {
        ranges.push({ from: middle, to }, { from, to: middle });
        continue;
      }
      const outcome = await this.send(batch, from, to, isPlaceKnown, generation);
      if (outcome === null) return false;
      if (outcome.verdict === "taken") continue;
      isPlaceKnown = true;
      if (to - from > 1) {
        if (outcome.verdict === "too large") this.samplesMax = middle - from;
        ranges.push({ from: middle, to }, { from, to: middle });
      } else if (to > from) {
        const { status, text } = outcome.answer;
        letters.push({ status, answer: text, line: batch.line(from) });
      }
    }
    return true;
  }

  /** Until it is taken, or the store says no to what it holds. Null where it is given up. */
  private async send(
    batch: RequestBatch,
    from: number,
    to: number,
    isPlaceKnown: boolean,
    generation: number,
  ): Promise<{ verdict: Verdict; answer: StoreAnswer } | null> {
    const { state, counts, settings } = this.options;
    for (let failures = 0; ; failures++) {
      await this.untilOpen(generation);
      if (generation !== this.generation) return null;
      const body = this.snappy.compress(batch.request(from, to));
      this.sentMs = performance.now();
      const answer = await this.post(body);
      if (generation !== this.generation) return null;
      let verdict = verdictOf(answer);
      if (!isPlaceKnown && (verdict === "refused" || verdict === "too large")) {
        const place = await this.askPlace();
        if (generation !== this.generation) return null;
        if (place !== "taken") verdict = place === "later" ? "later" : "settings";
      }
      if (verdict === "taken") {
        const { recoveries } = state;
        state.taken(answer);
        if (state.recoveries > recoveries) this.options.onRecovered();
      }
      if (verdict !== "later" && verdict !== "settings") return { verdict, answer };
      counts.retries++;
      state.notTaken(verdict, answer);
      if (answer.status === 401) settings.forgetAuthorization();
      const ms =
        verdict === "settings"
          ? retryMs(0, FORWARD_SETTINGS_RETRY_MS, FORWARD_SETTINGS_RETRY_MS, Math.random)
          : retryMs(failures, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random);
      await this.pauseUnlessGivenUp(ms, generation);
    }
  }

  /** What the store says to an empty request: whether it is a store, and lets us in. */
  private async askPlace(): Promise<Verdict> {
    return verdictOf(await this.post(new SnappyBuffer().compress(new Uint8Array(0))));
  }

  private post(body: Buffer): Promise<StoreAnswer> {
    this.options.counts.requests++;
    this.options.counts.sentBytes += body.length;
    return this.connection.post(body, this.options.userAgent);
  }

  /** Where the store asked to be left alone, over whichever connection. */
  private async untilOpen(generation: number): Promise<void> {
    for (
      let ms = this.options.state.pauseMs;
      ms > 0 && generation === this.generation;
      ms = this.options.state.pauseMs
    )
      await this.pause.wait(ms);
  }

  private async pauseUnlessGivenUp(ms: number, generation: number): Promise<void> {
    const untilMs = performance.now() + ms;
    const { recoveries } = this.options.state;
    for (let left = ms; left > 0 && generation === this.generation; left = untilMs - performance.now()) {
      if (this.options.state.recoveries > recoveries) return;
      await this.pause.wait(left);
    }
  }

  /** False where it is given up. */
  private async setAside(letters: DeadLetter[], generation: number): Promise<boolean> {
    for (let failures = 0; letters.length > 0; failures++) {
      try {
        this.options.letters.add(letters);
        break;
      } catch (error) {
        this.options.onError(error);
        const ms = retryMs(failures, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random);
        await this.pauseUnlessGivenUp(ms, generation);
        if (generation !== this.generation) return false;
      }
    }
    return true;
  }
}
