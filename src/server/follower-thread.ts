// Starts a thread that follows the log (replica.worker.ts, forward.worker.ts) and starts it again where it dies: from its stored
// cursors it goes on where it was, or a little before. Nothing of the ingest threads depends on it but answers at level
// `replicated`, which wait for the heir. Main thread.

import { Worker } from "node:worker_threads";
import { FOLLOWER_HEAP_MIB_MAX, FOLLOWER_RESTART_MS, FOLLOWER_YOUNG_MIB_MAX } from "../limits.ts";
import type { ForwardThreadSettings, FromFollower, LogLevel, ReplicaSettings } from "./messages.ts";

const WORKERS = {
  replicates: new URL("./replica.worker.ts", import.meta.url),
  forwards: new URL("./forward.worker.ts", import.meta.url),
} as const;

/** Of the wait for an heir: about a minute. */
const DOUBLINGS_MAX = 6;

export interface FollowerThreadOptions {
  does: keyof typeof WORKERS;
  settings: ReplicaSettings | ForwardThreadSettings;
  log(level: LogLevel, text: string, fields: Record<string, unknown>): void;
}

export class FollowerThread {
  private readonly options: FollowerThreadOptions;
  private worker: Worker | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isClosing = false;
  /** In a row, of threads that had nothing to say. */
  private deaths = 0;

  constructor(options: FollowerThreadOptions) {
    this.options = options;
  }

  start(): void {
    const { does, settings, log } = this.options;
    const worker = new Worker(WORKERS[does], {
      resourceLimits: {
        maxOldGenerationSizeMb: FOLLOWER_HEAP_MIB_MAX,
        maxYoungGenerationSizeMb: FOLLOWER_YOUNG_MIB_MAX,
      },
      workerData: settings,
    });
    this.worker = worker;
    worker.on("message", (message: FromFollower) => {
      this.deaths = 0;
      if (message.kind === "log") log(message.level, message.text, message.fields);
      else worker.terminate();
    });
    worker.on("error", (error) =>
      log("error", `the thread that ${does} the log failed`, { error: String(error), stack: error.stack }),
    );
    worker.on("exit", () => {
      this.worker = null;
      if (this.isClosing) return;
      log("warn", `the thread that ${does} the log died and is replaced`, {});
      // What ends it at its start, such as cursors that cannot be read, is an operator's to mend, and not told every second.
      this.timer = setTimeout(
        () => this.start(),
        FOLLOWER_RESTART_MS * 2 ** Math.min(this.deaths++, DOUBLINGS_MAX),
      );
    });
  }

  /** Resolves when its cursors are stored and it is gone. */
  async close(): Promise<void> {
    this.isClosing = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const worker = this.worker;
    if (worker === null) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    worker.postMessage("close");
    await gone;
  }
}
