// Runs plans, or a share of one: starts the generator's threads, lets them begin at one moment, and merges what they
// counted. Main thread.

import { Worker } from "node:worker_threads";
import { realClock } from "../../base/clock.ts";
import { TidemarkError } from "../../errors.ts";
import { findAddress } from "./find-address.ts";
import type { FromGenerator, GeneratorSettings, ToGenerator } from "./generator-messages.ts";
import type { LoadGenerator, StartLoadOptions } from "./load-generator.ts";
import type { LoadPlan } from "./load-plan.ts";
import type { LoadResult, LoadSlot } from "./load-result.ts";
import { type LoadShare, wholeShare } from "./load-share.ts";
import { parseLoadUrl } from "./load-url.ts";
import { mergeTallies } from "./merge-tallies.ts";
import type { ThreadTally } from "./thread-tally.ts";
import { mergeSlot, type SlotTally } from "./timeline.ts";

/** From the word to the start, milliseconds: time for it to reach every thread. */
const START_DELAY_MS = 20;

/** A share that is ready to be sent: connections that are opened first are open. */
export interface ReadyShare {
  /** At this moment of this machine's monotonic clock; resolves when all is counted. To be called once. */
  start(startMs: number): Promise<readonly ThreadTally[]>;
  /** Begin no more requests. Before the start, too: then what is started ends at once. */
  stop(): void;
}

/**
 * Threads that run one plan after another. They are kept between plans, because a new thread's code is slow until the
 * runtime's compiler has found what is hot: in levels of 2 s the first quarter of a second had 4 to 6 times the latency.
 */
export class GeneratorThreads implements LoadGenerator {
  readonly isHere = true;
  private readonly generators: Generator[] = [];

  /** Throws TidemarkError where the URL cannot be used, its host is not found, or a thread ends. One plan at a time. */
  async run(plan: LoadPlan, options: StartLoadOptions = {}): Promise<LoadResult> {
    const share = await this.prepare(plan, wholeShare(plan), options.onSlot);
    try {
      const startMs = realClock.monotonicMs() + START_DELAY_MS;
      const startedAtMs = realClock.wallMs() + START_DELAY_MS;
      const tallies = share.start(startMs);
      options.signal?.addEventListener("abort", share.stop, { once: true });
      if (options.signal?.aborted) share.stop();
      return mergeTallies(plan, startedAtMs, await tallies);
    } finally {
      options.signal?.removeEventListener("abort", share.stop);
    }
  }

  /** Throws as run() does, and has ended its threads then. The share before it has ended. */
  async prepare(
    plan: LoadPlan,
    { threads, threadsOfAll }: LoadShare,
    onSlot?: (slot: LoadSlot) => void,
  ): Promise<ReadyShare> {
    const url = parseLoadUrl(plan.url);
    const address = await findAddress(url.host, url.port);
    while (this.generators.length < threads.length)
      this.generators.push(new Generator(this.generators.length));
    const generators = this.generators.slice(0, threads.length);
    await this.endOnFailure(
      generators.map((generator, index) =>
        generator.prepare({ plan, url, address, thread: threads[index]!, threads: threadsOfAll }),
      ),
    );
    if (onSlot !== undefined) tellSlots(generators, onSlot);
    return {
      start: (startMs) => this.endOnFailure(generators.map((generator) => generator.start(startMs))),
      stop: () => {
        for (const generator of generators) generator.say({ kind: "stop" });
      },
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.generators.splice(0).map((generator) => generator.end()));
  }

  /** After a failure nobody knows what the other threads are at. */
  private async endOnFailure<T>(parts: readonly Promise<T>[]): Promise<T[]> {
    try {
      return await Promise.all(parts);
    } catch (error) {
      await this.end();
      throw error;
    }
  }
}

/** One plan on threads of its own. Throws TidemarkError as GeneratorThreads.run does. */
export async function startLoad(plan: LoadPlan, options: StartLoadOptions = {}): Promise<LoadResult> {
  const threads = new GeneratorThreads();
  try {
    return await threads.run(plan, options);
  } finally {
    await threads.end();
  }
}

/** Tells each slot once, as soon as every thread has ended it. */
function tellSlots(generators: readonly Generator[], onSlot: (slot: LoadSlot) => void): void {
  let told = 0;
  for (const generator of generators) {
    generator.onSlots = () => {
      const ended = Math.min(...generators.map((each) => each.slots.length));
      for (; told < ended; told++)
        onSlot(
          mergeSlot(
            told,
            generators.map((each) => each.slots[told]),
          ),
        );
    };
  }
}

class Generator {
  slots: SlotTally[] = [];
  onSlots: () => void = () => {};
  private readonly worker: Worker;
  private ready = Promise.withResolvers<void>();
  private done = Promise.withResolvers<ThreadTally>();

  constructor(thread: number) {
    this.worker = new Worker(new URL("./generator.worker.ts", import.meta.url));
    this.worker.on("message", (message: FromGenerator) => {
      if (message.kind === "ready") this.ready.resolve();
      else if (message.kind === "done") this.done.resolve(message.tally);
      else {
        this.slots.push(...message.slots);
        this.onSlots();
      }
    });
    const fail = (reason: string): void => {
      const error = new TidemarkError(
        `cannot go on with the load because generator thread ${thread} ${reason}`,
      );
      this.ready.reject(error);
      this.done.reject(error);
    };
    this.worker.on("error", (error) => fail(`failed: ${error.stack ?? error.message}`));
    this.worker.on("exit", (code) => fail(`ended with ${code}`));
    // Nobody may be waiting for either when the thread is ended.
    this.ready.promise.catch(() => {});
    this.done.promise.catch(() => {});
  }

  /** All that is to be done before the common start; resolves when that is done. */
  prepare(settings: GeneratorSettings): Promise<void> {
    this.ready = Promise.withResolvers<void>();
    this.done = Promise.withResolvers<ThreadTally>();
    this.done.promise.catch(() => {});
    this.slots = [];
    this.onSlots = () => {};
    this.say({ kind: "prepare", settings });
    return this.ready.promise;
  }

  start(startMs: number): Promise<ThreadTally> {
    this.say({ kind: "start", startMs });
    return this.done.promise;
  }

  say(message: ToGenerator): void {
    this.worker.postMessage(message);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
