import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram } from "../../base/histogram.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import type { LoadResult } from "./load-result.ts";
import { mergeTallies } from "./merge-tallies.ts";
import { Tally } from "./tally.ts";
import { packTally } from "./thread-tally.ts";
import { voidReason } from "./void-rules.ts";

const OPEN = { kind: "open", ratePerSecond: 1000, rateEndPerSecond: 1000 } as const;
const HEALTHY = { cpuRatio: 0.5, spinRatio: 0, waitRatio: 0, loopLagMsMax: 1 };

function resultOf(parts: Partial<LoadResult>): LoadResult {
  const plan = newLoadPlan({ url: "http://127.0.0.1:1/" });
  const empty = mergeTallies(plan, 0, [packTally(new Tally(false), 0, 1, HEALTHY)]);
  return { ...empty, requests: 1000, succeeded: 1000, planned: 1000, ...parts };
}

function lagOf(ms: number): Histogram {
  const histogram = Histogram.fine();
  histogram.recordMany(ms * 1e6, 100);
  return histogram;
}

describe("a run", () => {
  test("of a generator that had time stands", () => {
    assert.equal(voidReason(resultOf({})), null);
    assert.equal(voidReason(resultOf({ plan: newLoadPlan({ arrivals: OPEN }), sendLag: lagOf(9) })), null);
  });

  test("is void where a generator thread was busy all the time, and says how many threads to try", () => {
    const reason = voidReason(resultOf({ generator: [HEALTHY, { ...HEALTHY, cpuRatio: 0.99 }] }));
    assert.match(reason!, /^a generator thread was busy 99 % of its time, .*; try --threads 2$/);
  });

  test("stands where a thread only spun for its next send, or nobody knows", () => {
    assert.equal(voidReason(resultOf({ generator: [{ ...HEALTHY, cpuRatio: 1, spinRatio: 0.4 }] })), null);
    assert.equal(voidReason(resultOf({ generator: [{ ...HEALTHY, cpuRatio: null }] })), null);
  });

  test("of a rate is void where the generator was late, or did not come to send", () => {
    const plan = newLoadPlan({ arrivals: OPEN });
    assert.match(
      voidReason(resultOf({ plan, sendLag: lagOf(12) }))!,
      /more than 12.\d ms late; try --threads 2/,
    );
    assert.match(voidReason(resultOf({ plan, planned: 2000 }))!, /only 50 % of the planned requests/);
    assert.equal(
      voidReason(resultOf({ planned: 2000 })),
      null,
      "a paced client owes what its server holds up",
    );
  });

  test("of a rate stands where lateness is one hiccup, or a small part of a slow target's latency", () => {
    const plan = newLoadPlan({ arrivals: OPEN });
    const few = Histogram.fine();
    few.recordMany(1e6, 96);
    few.recordMany(200e6, 4);
    assert.equal(voidReason(resultOf({ plan, sendLag: few })), null);
    assert.equal(voidReason(resultOf({ plan, sendLag: lagOf(12), latency: lagOf(1000) })), null);
    assert.match(voidReason(resultOf({ plan, sendLag: lagOf(12), latency: lagOf(40) }))!, /late/);
  });

  test("is void where the generator's machine had no port or no descriptor, and says all reasons", () => {
    const { errors } = resultOf({});
    assert.match(
      voidReason(resultOf({ errors: { ...errors, no_port: 3 } }))!,
      /no client port left for 3 requests; try /,
    );
    const reason = voidReason(resultOf({ errors: { ...errors, no_port: 3, no_descriptor: 4 } }));
    assert.match(reason!, /no file descriptor left for 4 requests; try .*; the generator had no client port/);
  });
});
