// The limiter under real threads. The clock is the test's, so that what must be admitted is an exact number.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { HammerOrders } from "./rate-limiter.hammer.worker.ts";
import { allocateRateLimiter } from "./rate-limiter.layout.ts";
import { RateLimiter } from "./rate-limiter.ts";

const CLOCK_WORD = 0;
const BARRIER_WORD = 1;
const TICK_MS = 5;

function startHammer(orders: HammerOrders): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./rate-limiter.hammer.worker.ts", import.meta.url), {
      workerData: orders,
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

test("threads that share one client admit exactly its budget between them, however they collide", async () => {
  const requestsPerSecond = 10_000;
  const msLast = 1_000;
  const threads = 4;
  const control = new SharedArrayBuffer(8);
  const shared = allocateRateLimiter(8);
  const limiter = new RateLimiter(shared, requestsPerSecond, { wallMs: () => 0, monotonicMs: () => 0 });
  let before = 0; // all that the time 0 gives, so that from here on the client is never idle
  while (limiter.tryTake(7, 7, 0) === 0) before++;
  assert.equal(before, requestsPerSecond);
  const orders: HammerOrders = {
    shared,
    control,
    work: "one client",
    requestsPerSecond,
    threads,
    msLast,
    rounds: 0,
    isForward: true,
  };
  const hammers = Array.from({ length: threads }, () => startHammer(orders));
  const clockWords = new Int32Array(control);
  const ticker = setInterval(() => {
    if (Atomics.load(clockWords, BARRIER_WORD) < threads) return; // not all are there yet
    if (Atomics.add(clockWords, CLOCK_WORD, TICK_MS) + TICK_MS >= msLast) clearInterval(ticker);
  }, 1);
  const admitted = (await Promise.all(hammers)).flat();
  const total = admitted.reduce((sum, count) => sum + count, 0);
  assert.equal(total, (requestsPerSecond * msLast) / 1000, `by thread: ${admitted}`);
});

test("threads that meet the same few clients at one moment admit each of them once", async () => {
  const threads = 2;
  const rounds = 3_000;
  const control = new SharedArrayBuffer(8);
  const shared = allocateRateLimiter(8); // one set, so that claims of different clients collide as well
  const base = { shared, control, work: "rounds" as const, requestsPerSecond: 1, threads, msLast: 0, rounds };
  const byThread = await Promise.all([
    startHammer({ ...base, isForward: true }),
    startHammer({ ...base, isForward: false }),
  ]);
  const wrong: string[] = [];
  for (let index = 0; index < byThread[0]!.length; index++) {
    const total = byThread.reduce((sum, admitted) => sum + admitted[index]!, 0);
    if (total !== 1) wrong.push(`take ${index}: ${total}`);
  }
  assert.deepEqual(wrong, []);
});
