import { eventually, IS_BUN } from "../../support/server-process.ts";
import { breakThread, type ThreadFault } from "../../support/thread-faults.ts";
import { tail } from "../bed.ts";
import type { Fault } from "../fault.ts";

/** A spinning thread is found out after some 5 s; a heap takes its time to fill. */
const REPLACED_MS_MAX = 60_000;
const BREAKABLE = { isBreakable: true, threadsMin: 2 };

/** One of the ingest threads breaks; another must take its place, and its lane. */
function threadFault(fault: ThreadFault, what: string): Fault {
  return {
    name: `thread: ${fault}`,
    what,
    injected: "an order to one thread of the server, which a module loaded before the program carries out",
    promise: "thread",
    async run(bed) {
      await bed.use(BREAKABLE);
      await bed.serves();
      await bed.load(50, 500);
      const before = await bed.restarts();
      breakThread(bed.server, Math.floor(bed.random() * bed.threads), fault);
      await eventually(
        `the thread is replaced: ${tail(bed.server.error)}`,
        // The asking itself may fall to the dying thread.
        async () => (await bed.restarts().catch(() => before)) > before,
        REPLACED_MS_MAX,
      );
    },
  };
}

export const THREAD_THROWS = threadFault("throw", "an ingest thread throws an error that nobody catches");
export const THREAD_ENDS = threadFault("terminate", "an ingest thread is gone between two instructions");
export const THREAD_SPINS = threadFault("spin", "an ingest thread spins");
export const THREAD_FILLS: Fault = {
  ...threadFault("oom", "an ingest thread runs out of memory"),
  missing: () => (IS_BUN ? "Bun's threads share one heap" : null),
};
