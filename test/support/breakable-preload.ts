// Loaded into a server's process before the program, by --import: see thread-faults.ts. `terminate` is done here, the
// other faults by the thread itself.

import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

const workers = new Map<number, Worker>();
const { on } = Worker.prototype;
const TRUE_FILE = "./ingest.worker.ts";
const BREAKABLE_FILE = new globalThis.URL("./breakable-ingest.worker.ts", import.meta.url).href;
/** Threads are made in their order, and each replacement after its like has gone. */
let threads = 0;
/** By thread, how many of its heirs are still to be ended as soon as they are made. */
const doomed = new Map<number, number>();

globalThis.URL = class extends URL {
  constructor(url: string | URL, base?: string | URL) {
    super(url === TRUE_FILE ? BREAKABLE_FILE : url, base);
  }
};

Worker.prototype.on = function (this: Worker, ...heard: Parameters<typeof on>) {
  if (![...workers.values()].includes(this)) {
    const free = [...Array(threads).keys()].find((thread) => !workers.has(thread));
    const thread = free ?? threads++;
    workers.set(thread, this);
    on.call(this, "exit", () => workers.delete(thread));
    const heirs = doomed.get(thread) ?? 0;
    doomed.set(thread, heirs - 1);
    // Not at once: Node listens to a worker before it has one.
    if (heirs > 0) setImmediate(() => this.terminate());
  }
  return on.apply(this, heard);
} as typeof on;

process.on("SIGUSR2", () => {
  for (const line of readFileSync(process.env.TIDEMARK_TEST_ORDERS!, "utf8").trim().split("\n")) {
    const [thread, fault, heirs] = line.split(" ");
    const worker = workers.get(Number(thread));
    doomed.set(Number(thread), Number(heirs));
    if (fault === "terminate") worker?.terminate();
    else worker?.postMessage({ kind: "test-fault", fault });
  }
});
