// Runs a plan: starts the generator's threads, lets them begin at one moment, and merges what they counted. Main thread.

import { Worker } from "node:worker_threads";
import { realClock } from "../../base/clock.ts";
import { TidemarkError } from "../../errors.ts";
import { findAddress } from "./find-address.ts";
import type { FromGenerator, GeneratorSettings, ToGenerator } from "./generator-messages.ts";
import type { LoadPlan } from "./load-plan.ts";
import type { LoadResult, LoadSlot } from "./load-result.ts";
import { parseLoadUrl } from "./load-url.ts";
import { mergeTallies } from "./merge-tallies.ts";
import type { ThreadTally } from "./thread-tally.ts";
import { mergeSlot, type SlotTally } from "./timeline.ts";

/** From the word to the start, milliseconds: time for it to reach every thread. */
const START_DELAY_MS = 20;

export interface StartLoadOptions {
  /** Each slot of SLOT_MS as it ends, in order; the last ones come with the result only. */
  onSlot?(slot: LoadSlot): void;
  /** Ends the run early: what was measured until then is the result. */
  signal?: AbortSignal;
}

/** Throws TidemarkError where the URL cannot be used, its host is not found, or a thread ends. */
export async function startLoad(plan: LoadPlan, options: StartLoadOptions = {}): Promise<LoadResult> {
  const url = parseLoadUrl(plan.url);
  const address = await findAddress(url.host, url.port);
  const threads = Math.min(plan.threads, plan.clients);
  const generators = Array.from({ length: threads }, (_, thread) => {
    return new Generator({ plan, url, address, thread, threads });
  });
  const stop = (): void => {
    for (const generator of generators) generator.say({ kind: "stop" });
  };
  try {
    await Promise.all(generators.map((generator) => generator.ready));
    if (options.onSlot !== undefined) tellSlots(generators, options.onSlot);
    const startMs = realClock.monotonicMs() + START_DELAY_MS;
    const startedAtMs = realClock.wallMs() + START_DELAY_MS;
    for (const generator of generators) generator.say({ kind: "start", startMs });
    options.signal?.addEventListener("abort", stop, { once: true });
    if (options.signal?.aborted) stop();
    const tallies = await Promise.all(generators.map((generator) => generator.done));
    return mergeTallies(plan, startedAtMs, tallies);
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await Promise.all(generators.map((generator) => generator.end()));
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
  readonly ready: Promise<void>;
  readonly done: Promise<ThreadTally>;
  readonly slots: SlotTally[] = [];
  onSlots: () => void = () => {};
  private readonly worker: Worker;

  constructor(settings: GeneratorSettings) {
    this.worker = new Worker(new URL("./generator.worker.ts", import.meta.url), { workerData: settings });
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<ThreadTally>();
    this.ready = ready.promise;
    this.done = done.promise;
    this.done.catch(() => {});
    this.worker.on("message", (message: FromGenerator) => {
      if (message.kind === "ready") ready.resolve();
      else if (message.kind === "done") done.resolve(message.tally);
      else {
        this.slots.push(...message.slots);
        this.onSlots();
      }
    });
    const fail = (reason: string): void => {
      const error = new TidemarkError(
        `cannot go on with the load because generator thread ${settings.thread} ${reason}`,
      );
      ready.reject(error);
      done.reject(error);
    };
    this.worker.on("error", (error) => fail(`failed: ${error.stack ?? error.message}`));
    this.worker.on("exit", (code) => fail(`ended with ${code}`));
  }

  say(message: ToGenerator): void {
    this.worker.postMessage(message);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
