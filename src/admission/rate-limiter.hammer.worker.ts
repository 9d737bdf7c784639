// One of the threads that rate-limiter.threads.test.ts lets loose on one table; runs in no server.
// "one client": takes for one client at whatever the shared clock says, until it was refused at the last time there is.
// "rounds": round by round, all threads at once take for the same few clients, new ones and some that were idle since an
// earlier round; forward or backward, so that while one thread charges a client another makes room in its place.

import { parentPort, workerData } from "node:worker_threads";
import { RateLimiter } from "./rate-limiter.ts";

export interface HammerOrders {
  shared: SharedArrayBuffer;
  /** Words: the clock's milliseconds, how many have come to the barriers so far. */
  control: SharedArrayBuffer;
  work: "one client" | "rounds";
  isForward: boolean;
  requestsPerSecond: number;
  threads: number;
  msLast: number;
  rounds: number;
}
const CLOCK_WORD = 0;
const BARRIER_WORD = 1;
const ROUND_CLIENTS = 4;
const TAKES = 2;
/** Two more than a set has room for. */
const POOL_CLIENTS = 10;
const ROUND_MS = 2_000;
const LOOKS = 10_000;

const orders = workerData as HammerOrders;
const control = new Int32Array(orders.control);
const clock = { wallMs: () => 0, monotonicMs: () => 0 };
const limiter = new RateLimiter(orders.shared, orders.requestsPerSecond, clock);
parentPort!.postMessage(orders.work === "one client" ? takeForOneClient() : takeRoundByRound());

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

/** How often each round's clients were admitted here: one never seen before, the rest of a pool that the set has not room for. */
function takeRoundByRound(): number[] {
  const admitted = new Array<number>(orders.rounds * ROUND_CLIENTS).fill(0);
  for (let round = 0; round < orders.rounds; round++) {
    meet(round + 1);
    for (let take = 0; take < TAKES * ROUND_CLIENTS; take++) {
      const place = (orders.isForward ? take : TAKES * ROUND_CLIENTS - 1 - take) % ROUND_CLIENTS;
      const client = place === 0 ? POOL_CLIENTS + round : (round * 7 + place) % POOL_CLIENTS;
      if (limiter.tryTake(0, (client + 1) << 2, round * ROUND_MS) === 0)
        admitted[round * ROUND_CLIENTS + place]!++;
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
