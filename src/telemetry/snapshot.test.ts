import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { STAGE_SAMPLE_EVERY } from "../limits.ts";
import {
  ACCOUNT,
  ACCOUNT_SLOTS,
  allocateTelemetry,
  FIELD,
  loadAccount,
  type TelemetryMemory,
  threadRegion,
} from "./counters.layout.ts";
import { type Account, readProbe, readSnapshot } from "./snapshot.ts";
import { ThreadCounters } from "./thread-counters.ts";

function assertBalanced(account: Account): void {
  const rejected = account.rejected.reduce((sum, batches) => sum + batches, 0);
  assert.equal(account.received, account.stored + rejected);
}

/** Threads that settle and refuse as fast as they can while `body` runs. */
async function withHammers(threads: number, body: (shared: TelemetryMemory) => Promise<void>): Promise<void> {
  const shared = allocateTelemetry(threads);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from(
    { length: threads },
    (_, thread) =>
      new Worker(new URL("./hammer.worker.ts", import.meta.url), { workerData: { shared, thread, stop } }),
  );
  const ended = workers.map((worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())));
  try {
    await body(shared);
  } finally {
    stop[0] = 1;
    await Promise.all(ended);
  }
}

describe("the counters", () => {
  test("of a new region are all 0 and the probe's figures all unknown", () => {
    const shared = allocateTelemetry(2);
    const snapshot = readSnapshot(shared, 1);
    assert.equal(snapshot.threads.length, 2);
    assert.equal(snapshot.account.received, 0);
    assert.ok(Object.values(snapshot.fields).every((value) => value === 0));
    const probe = readProbe(shared);
    assert.ok(Object.values(probe.figures).every(Number.isNaN));
    assert.ok(probe.threads.every((thread) => Object.values(thread).every(Number.isNaN)));
  });

  test("of each thread stay its own, and the sum is their sum", () => {
    const shared = allocateTelemetry(3);
    const threads = [0, 1, 2].map((thread) => new ThreadCounters(shared, thread));
    threads.forEach((counters, thread) => {
      counters.settledStored(10 ** thread, 5, 100);
      counters.rejected(REFUSAL.queue);
      counters.add(FIELD.requests, thread + 1);
      counters.set(FIELD.oldestWaitMs, thread * 7);
      counters.set(FIELD.ready, thread === 1 ? 0 : 1);
      counters.histograms.write.record(1_000 * (thread + 1));
    });
    const snapshot = readSnapshot(shared, 1);
    assert.deepEqual(
      snapshot.threads.map(({ account }) => account.stored),
      [1, 10, 100],
    );
    assert.equal(snapshot.account.stored, 111);
    assert.equal(snapshot.account.metricsStored, 15);
    assert.equal(snapshot.account.bytesStored, 300);
    assert.equal(snapshot.account.rejected[REFUSAL.queue], 3);
    assert.equal(snapshot.account.received, 114);
    assert.equal(snapshot.fields.requests, 6);
    assert.equal(snapshot.fields.oldestWaitMs, 14);
    assert.equal(snapshot.fields.ready, 0);
    assert.equal(snapshot.histograms.write.count(), 3);
    assert.equal(snapshot.histograms.write.max(), 3_000);
  });

  test("keep to their own bytes: every region's parts are disjoint", () => {
    const shared = allocateTelemetry(3);
    const spans = [0, 1, 2].flatMap((thread) => {
      const { lock, account, fields, histograms } = threadRegion(shared, thread);
      return [lock, account, fields, ...histograms].map(
        (part) => [part.byteOffset, part.byteLength] as const,
      );
    });
    spans.sort((a, b) => a[0] - b[0]);
    for (let index = 1; index < spans.length; index++) {
      assert.ok(spans[index]![0] >= spans[index - 1]![0] + spans[index - 1]![1]);
    }
  });

  test("balance in every snapshot that is taken while threads settle and refuse", async () => {
    await withHammers(2, async (shared) => {
      let settled = 0;
      let changed = 0;
      let receivedBefore = 0;
      const deadline = Date.now() + 20_000;
      while (changed < 200 && Date.now() < deadline) {
        const snapshot = readSnapshot(shared, 1);
        assertBalanced(snapshot.account);
        for (const thread of snapshot.threads) {
          assertBalanced(thread.account);
          if (thread.isSettled) settled += 1;
        }
        assert.ok(snapshot.account.received >= receivedBefore, "counters only grow");
        if (snapshot.account.received > receivedBefore) changed += 1;
        receivedBefore = snapshot.account.received;
        if (changed % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(changed, 200);
      assert.ok(settled >= 200, `${settled} accounts were read whole`);
    });
  });

  test("are never half a number in a copy taken in the middle of a write: each only grows", async () => {
    await withHammers(1, async (shared) => {
      const { account } = threadRegion(shared, 0);
      const slots = new Float64Array(ACCOUNT_SLOTS);
      const before = new Float64Array(ACCOUNT_SLOTS);
      let changed = 0;
      const deadline = Date.now() + 20_000;
      while (changed < 300 && Date.now() < deadline) {
        loadAccount(account, new BigInt64Array(slots.buffer));
        for (let slot = 0; slot < ACCOUNT_SLOTS; slot++)
          assert.ok(slots[slot]! >= before[slot]!, `slot ${slot}: ${slots[slot]} after ${before[slot]}`);
        if (slots[ACCOUNT.received]! > before[ACCOUNT.received]!) changed += 1;
        before.set(slots);
        if (changed % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(changed, 300);
    });
  });

  test("of a thread that died in the middle of a write balance for readers and for the thread that replaces it", () => {
    const shared = allocateTelemetry(1);
    const first = new ThreadCounters(shared, 0);
    first.settledStored(5, 15, 500);
    first.add(FIELD.requests, 9);
    first.set(FIELD.connectionsOpen, 4);
    const { lock, account } = threadRegion(shared, 0);
    lock[0]! += 1; // it had begun a write,
    account.set(new BigInt64Array(new Float64Array([6]).buffer), ACCOUNT.received); // had moved one side, and not the other

    const torn = readSnapshot(shared, 1);
    assert.equal(torn.threads[0]!.isSettled, false);
    assertBalanced(torn.account);

    const second = new ThreadCounters(shared, 0);
    second.rejected(REFUSAL.json);
    const snapshot = readSnapshot(shared, 1);
    assert.equal(snapshot.threads[0]!.isSettled, true);
    assertBalanced(snapshot.account);
    assert.equal(snapshot.account.stored, 5);
    assert.equal(snapshot.account.received, 6);
    assert.equal(snapshot.fields.restarts, 1);
    assert.equal(snapshot.fields.requests, 9, "counters go on");
    assert.equal(snapshot.fields.connectionsOpen, 0, "gauges start anew");
  });

  test("hold numbers past 32 bits", () => {
    const shared = allocateTelemetry(1);
    const counters = new ThreadCounters(shared, 0);
    for (let round = 0; round < 3; round++) counters.settledStored(1, 1, 2 ** 40 + 1);
    assert.equal(readSnapshot(shared, 1).account.bytesStored, 3 * (2 ** 40 + 1));
  });

  test("refuse a reason that is not in the catalogue", () => {
    const counters = new ThreadCounters(allocateTelemetry(1), 0);
    assert.throws(() => counters.rejected(REFUSALS.length), /assertion failed/);
  });

  test("sample one request in STAGE_SAMPLE_EVERY on average, the first one and never in step", () => {
    const counters = new ThreadCounters(allocateTelemetry(1), 0);
    const requests = 640_000;
    const gaps = new Set<number>();
    let sampled = 0;
    let last = -1;
    for (let request = 0; request < requests; request++) {
      if (!counters.sample()) continue;
      if (request > 0) gaps.add(request - last);
      last = request;
      sampled += 1;
      if (sampled === 1) assert.equal(request, 0);
    }
    const wanted = requests / STAGE_SAMPLE_EVERY;
    assert.ok(sampled > wanted * 0.97 && sampled < wanted * 1.03, `${sampled} of ${requests}`);
    assert.ok(gaps.size > STAGE_SAMPLE_EVERY, "the gaps differ");
  });
});
