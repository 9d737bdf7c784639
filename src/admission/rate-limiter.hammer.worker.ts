// One of the threads that rate-limiter.threads.test.ts lets loose on one table; runs in no server.
// "one client": takes for one client at whatever the shared clock says, until it was refused at the last time there is.
// "new clients": round by round, all threads at once take for the same four clients that nobody has seen before.

import { parentPort, workerData } from "node:worker_threads";
import { RateLimiter } from "./rate-limiter.ts";

export interface HammerOrders {
  shared: SharedArrayBuffer;
  /** Words: the clock's milliseconds, how many have come to the barriers so far. */
  control: SharedArrayBuffer;
  work: "one client" | "new clients";
  requestsPerSecond: number;
  threads: number;
  msLast: number;
  rounds: number;
}
const CLOCK_WORD = 0;
const BARRIER_WORD = 1;
const NEW_CLIENTS = 4;
const ROUND_MS = 2_000;
const LOOKS = 10_000;

const orders = workerData as HammerOrders;
const control = new Int32Array(orders.control);
const clock = { wallMs: () => 0, monotonicMs: () => 0 };
const limiter = new RateLimiter(orders.shared, orders.requestsPerSecond, clock);
parentPort!.postMessage(orders.work === "one client" ? takeForOneClient() : takeForNewClients());

function takeForOneClient(): number[] {
  let admitted = 0;
  meet(1);
  for (;;) {
    const nowMs = Atomics.load(control, CLOCK_WORD);
    const waitMs = limiter.tryTake(7, 7, nowMs);
    if (waitMs === 0) admitted++;
    else if (nowMs === orders.msLast) return [admitted];
  }
}

/** How often each client of each round was admitted here. */
function takeForNewClients(): number[] {
  const admitted = new Array<number>(orders.rounds * NEW_CLIENTS).fill(0);
  for (let round = 0; round < orders.rounds; round++) {
    meet(round + 1);
    for (let take = 0; take < 2; take++) {
      for (let client = 0; client < NEW_CLIENTS; client++) {
        const index = round * NEW_CLIENTS + client;
        if (limiter.tryTake(0, (index + 1) << 2, round * ROUND_MS) === 0) admitted[index]!++;
      }
    }
  }
  return admitted;
}

/** Returns when all threads have come here for the `time`th time: looks for a while, so as to start together, then waits. */
function meet(time: number): void {
  Atomics.add(control, BARRIER_WORD, 1);
  Atomics.notify(control, BARRIER_WORD);
  for (let look = 0; ; look++) {
    const arrived = Atomics.load(control, BARRIER_WORD);
    if (arrived >= time * orders.threads) return;
    if (look > LOOKS) Atomics.wait(control, BARRIER_WORD, arrived, 100);
  }
}
