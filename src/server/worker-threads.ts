// Starts ingest threads and replaces those that die. Main thread.
//
//   start ─▶ opening its lane ─▶ listening ─▶ (drain) ─▶ drained ─▶ exit
//     ▲                              │ dies
//     └────── after RESTART_DELAY_MS ┘   its connections and its accept queue are lost, no other thread's are
//
// Where a thread cannot even start when the server does, the operator is told why and the server stops. One that takes a
// dead one's place is tried HEIR_STARTS_MAX times in a row first: what killed the one may have killed the other too.

import { Worker } from "node:worker_threads";
import type { ServeConfig } from "../config.ts";
import { TidemarkError } from "../errors.ts";
import { HEIR_STARTS_MAX, RESTART_DELAY_MS, THREAD_END_MS_MAX, THREAD_HEAP_MIB_MAX } from "../limits.ts";
import type { TlsIdentity } from "../net/transport.ts";
import type { FromIngest, IngestSettings, LogLevel, ToIngest } from "./messages.ts";

export interface WorkerThreadsOptions {
  settingsFor(thread: number, port: number | null): IngestSettings;
  log(level: LogLevel, text: string, fields: Record<string, unknown>): void;
  /** It is gone, and will be replaced. */
  onDeath(thread: number): void;
  /** No thread could be started in a dead one's place: the server cannot go on as promised. */
  onHopeless(error: TidemarkError): void;
}

export class WorkerThreads {
  private readonly options: WorkerThreadsOptions;
  private readonly workers: (Worker | null)[] = [];
  private port = 0;
  private readonly chosenPort = Promise.withResolvers<number>();
  private isDraining = false;

  constructor(options: WorkerThreadsOptions) {
    this.options = options;
  }

  /** Starts all at once, since each has a lane to recover; the first chooses the port, which is returned. Throws TidemarkError. */
  async start(threads: number, port: number): Promise<number> {
    const first = this.startOne(0, port).then((chosen) => {
      this.port = chosen;
      this.chosenPort.resolve(chosen);
    });
    const others = Array.from({ length: threads - 1 }, (_, index) => this.startOne(index + 1, null));
    await Promise.all([first, ...others]);
    return this.port;
  }

  /** Lets all of them finish what they have taken; resolves when all are gone. */
  async drain(): Promise<void> {
    this.isDraining = true;
    const gone = this.workers.map(
      (worker) => worker && new Promise<void>((resolve) => worker.once("exit", () => resolve())),
    );
    for (const worker of this.workers) worker?.postMessage({ kind: "drain" } satisfies ToIngest);
    await Promise.all(gone);
  }

  /** Gives every thread the tokens and the certificate in force; resolves when each has them, or is gone. */
  async reload(config: ServeConfig, tls: TlsIdentity | null): Promise<void> {
    const message: ToIngest = { kind: "reload", config, tls };
    await Promise.all(this.workers.map((worker) => worker && tellAndWait(worker, message, "reloaded")));
  }

  /** Ends a thread that spins; another takes its place. Where even that does not end it, the process is given up. */
  endSpinning(thread: number): void {
    const worker = this.workers[thread];
    if (worker == null || this.isDraining) return;
    const giveUp = setTimeout(() => {
      this.options.onHopeless(
        new TidemarkError(`cannot end ingest thread ${thread}, which spins; the server ends instead`),
      );
    }, THREAD_END_MS_MAX);
    worker.once("exit", () => clearTimeout(giveUp));
    worker.terminate();
  }

  private startOne(thread: number, port: number | null): Promise<number> {
    const worker = new Worker(new URL("./ingest.worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB_MAX },
      workerData: this.options.settingsFor(thread, port),
    });
    this.workers[thread] = worker;
    let isListening = false;
    let failure: string | null = null;
    return new Promise((resolve, reject) => {
      worker.on("message", (message: FromIngest) => {
        if (message.kind === "log") {
          this.options.log(message.level, message.text, message.fields);
        } else if (message.kind === "awaits-port") {
          // Asked for, and not told at once: a thread that is still loading might not hear it.
          this.chosenPort.promise.then((chosen) =>
            worker.postMessage({ kind: "listen", port: chosen } satisfies ToIngest),
          );
        } else if (message.kind === "listening") {
          isListening = true;
          resolve(message.port);
        } else if (message.kind === "cannot-start") {
          failure = message.message;
          worker.terminate();
        } else if (message.kind === "drained") {
          worker.terminate();
        }
      });
      worker.on("error", (error) => {
        this.options.log("error", "an ingest thread failed", {
          thread,
          error: String(error),
          stack: error.stack,
        });
      });
      worker.on("exit", (code) => {
        this.workers[thread] = null;
        failure ??= `cannot start ingest thread ${thread} because it ended with ${code}`;
        if (!isListening) reject(new TidemarkError(failure));
        else if (!this.isDraining) this.replace(thread);
      });
    });
  }

  private replace(thread: number, start = 1): void {
    this.options.log("warn", "an ingest thread died and is replaced", { thread });
    this.options.onDeath(thread);
    setTimeout(() => {
      if (this.isDraining) return;
      this.startOne(thread, this.port).catch((error) => {
        if (this.isDraining) return;
        if (start === HEIR_STARTS_MAX) this.options.onHopeless(error);
        else this.replace(thread, start + 1);
      });
    }, RESTART_DELAY_MS);
  }
}

function tellAndWait(worker: Worker, message: ToIngest, answer: FromIngest["kind"]): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      worker.off("message", hear);
      worker.off("exit", settle);
      resolve();
    };
    const hear = (heard: FromIngest): void => {
      if (heard.kind === answer) settle();
    };
    worker.on("message", hear);
    worker.on("exit", settle);
    worker.postMessage(message);
  });
}
