import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { newLoadPlan } from "./load-plan-defaults.ts";
import { mergeTallies } from "./merge-tallies.ts";
import { Tally } from "./tally.ts";
import { packTally, type ThreadTally } from "./thread-tally.ts";

const HEALTH = { cpuRatio: 0.5, spinRatio: 0, waitRatio: 0, loopLagMsMax: 1 };
const PLAN = newLoadPlan({ url: "http://127.0.0.1:1/", arrivals: { kind: "closed", paceMs: 100 } });

interface Ended {
  readonly sentMs: number;
  readonly tookMs: number;
  readonly status: number;
}

function tallyOf(list: readonly Ended[]): ThreadTally {
  const tally = new Tally(true);
  tally.start(0, 2000);
  const events = list.flatMap((ended) => [
    { atMs: ended.sentMs, run: () => tally.begin(ended.sentMs) },
    {
      atMs: ended.sentMs + ended.tookMs,
      run: () => tally.answer(ended.sentMs, ended.sentMs, ended.sentMs + ended.tookMs, ended.status),
    },
  ]);
  for (const event of events.sort((a, b) => a.atMs - b.atMs)) event.run();
  tally.endSending(2000);
  return packTally(tally, list.length, 2, HEALTH);
}

describe("merged tallies", () => {
  const ended = fc.record({
    sentMs: fc.integer({ min: 0, max: 900 }),
    tookMs: fc.integer({ min: 1, max: 1000 }),
    status: fc.constantFrom(200, 200, 204, 429, 500),
  });

  test("are the tally of all threads' requests", () => {
    fc.assert(
      fc.property(fc.array(fc.array(ended, { maxLength: 20 }), { minLength: 1, maxLength: 4 }), (threads) => {
        const merged = mergeTallies(PLAN, 0, threads.map(tallyOf));
        const whole = mergeTallies(PLAN, 0, [tallyOf(threads.flat())]);
        assert.deepEqual(merged.latency.words, whole.latency.words);
        assert.deepEqual(merged.latencyUncorrected.words, whole.latencyUncorrected.words);
        for (const key of ["requests", "succeeded", "planned", "rate", "seconds"] as const)
          assert.equal(merged[key], whole[key], key);
        assert.deepEqual(merged.errors, whole.errors);
        assert.deepEqual(merged.statuses, whole.statuses);
        assert.deepEqual(merged.timeline, whole.timeline);
        assert.ok(Math.abs(merged.inFlightMean - whole.inFlightMean) < 1e-9);
        assert.equal(
          merged.requests,
          merged.succeeded + Object.values(merged.errors).reduce((a, b) => a + b, 0),
        );
        const shown = merged.timeline.reduce((sum, slot) => sum + slot.succeeded + slot.failed, 0);
        assert.equal(shown, merged.requests);
      }),
    );
  });

  test("show a slot's mean and longest latency over all threads", () => {
    const threads = [
      tallyOf([
        { sentMs: 0, tookMs: 10, status: 200 },
        { sentMs: 1, tookMs: 20, status: 200 },
      ]),
      tallyOf([{ sentMs: 2, tookMs: 60, status: 200 }]),
    ];
    const [first, second] = mergeTallies(PLAN, 0, threads).timeline;
    assert.deepEqual(first, {
      atMs: 0,
      sent: 3,
      succeeded: 3,
      failed: 0,
      latencyMsMean: 30,
      latencyMsMax: 60,
    });
    assert.deepEqual(second, {
      atMs: 250,
      sent: 0,
      succeeded: 0,
      failed: 0,
      latencyMsMean: null,
      latencyMsMax: null,
    });
  });

  test("divide by the longest thread's time, and keep each thread's health", () => {
    const short = { ...tallyOf([{ sentMs: 0, tookMs: 1, status: 200 }]), seconds: 1 };
    const long = { ...short, seconds: 4, health: { ...HEALTH, cpuRatio: 0.1 } };
    const merged = mergeTallies(PLAN, 0, [short, long]);
    assert.equal(merged.seconds, 4);
    assert.equal(merged.rate, 0.5);
    assert.deepEqual(
      merged.generator.map(({ cpuRatio }) => cpuRatio),
      [0.5, 0.1],
    );
  });

  test("of nothing at all are a result all the same", () => {
    const merged = mergeTallies(PLAN, 0, [{ ...tallyOf([]), seconds: 0 }]);
    assert.equal(merged.rate, 0);
    assert.equal(merged.inFlightMean, 0);
    assert.equal(merged.void, null);
  });
});
