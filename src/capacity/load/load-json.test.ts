import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toLoadJson } from "./load-json.ts";
import type { LoadPlan } from "./load-plan.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import type { LoadResult } from "./load-result.ts";
import { describeFailure, describePlan, describeResult, describeSlot } from "./load-text.ts";
import { mergeTallies } from "./merge-tallies.ts";
import { Tally } from "./tally.ts";
import { packTally } from "./thread-tally.ts";

/** 98 answers of 1 ms, a 429 and a timeout, in two seconds. */
function exampleResult(parts: Partial<LoadPlan> = {}): LoadResult {
  const tally = new Tally(true);
  tally.start(0, 2000);
  tally.connected(0.5);
  for (let request = 0; request < 99; request++) {
    tally.begin(request * 10 + 1);
    const isRefused = request === 50;
    tally.answer(request * 10, request * 10 + 1, request * 10 + (isRefused ? 4 : 2), isRefused ? 429 : 200);
  }
  tally.begin(1000);
  tally.lag(0.25);
  tally.tick(1990);
  tally.fail("timeout", 1000, 1000, 2000);
  tally.endSending(2000);
  tally.bytesSent = 4096;
  tally.bytesReceived = 2048;
  const plan = newLoadPlan({ arrivals: { kind: "open", ratePerSecond: 50, rateEndPerSecond: 50 }, ...parts });
  const health = { cpuRatio: 0.3, spinRatio: 0.1, waitRatio: 0.05, loopLagMsMax: 2 };
  return mergeTallies(plan, 0, [packTally(tally, 100, 2, health)]);
}

describe("a result as JSON", () => {
  test("has the figures that scripts read, in milliseconds", () => {
    const json = toLoadJson(exampleResult());
    assert.equal(json.rate, 49);
    assert.equal(json.requests, 100);
    assert.equal(json.success, 0.98);
    assert.deepEqual(json.errors, { timeout: 1, rate_limited: 1 });
    assert.deepEqual(json.statuses, { 200: 98, 429: 1 });
    assert.equal(json.seconds, 2);
    assert.equal(json.planned, 100);
    assert.ok(Math.abs(json.latency_ms.p50! - 2) < 0.01);
    assert.ok(Math.abs(json.latency_uncorrected_ms.p50! - 1) < 0.01);
    assert.equal(json.latency_ms.max, 1000);
    assert.ok(Math.abs(json.latency_refused_ms.max! - 3) < 0.01);
    assert.ok(Math.abs(json.connect_ms.p99! - 0.5) < 0.01);
    assert.equal(json.send_lag_ms.max, 0.25);
    assert.deepEqual(json.connections, { opened: 1, failed: 0, clients_answered: 0, open_max: 1 });
    assert.equal(json.little.measured, 0.5505);
    assert.equal(json.little.agrees, true);
    assert.deepEqual(json.generator, { threads: 1, busy_ratio: 0.2, wait_ratio: 0.05, loop_lag_ms_max: 2 });
    assert.equal(json.void, null);
  });

  test("says null, not NaN, where nothing was measured", () => {
    const empty = mergeTallies(newLoadPlan({}), 0, [
      packTally(new Tally(false), 0, 0, { cpuRatio: null, spinRatio: 0, waitRatio: null, loopLagMsMax: 0 }),
    ]);
    const json = toLoadJson(empty);
    assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
    assert.equal(json.success, 0);
    assert.equal(json.latency_ms.p99, null);
    assert.equal(json.generator.busy_ratio, null);
    assert.equal(json.little.expected, null);
  });
});

describe("a result for people", () => {
  test("shows both latencies to 99.99 % side by side, in lines that fit a terminal", () => {
    const text = describeResult(exampleResult());
    for (const label of ["mean", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "max"])
      assert.match(text, new RegExp(`\n {2}${label} +[\\d.,]+ ms +[\\d.,]+ ms\n`));
    assert.match(text, /^rate +49 req\/s over 2\.00 s\n/);
    assert.match(text, /success +98 % of 100 requests\n/);
    assert.match(text, /timeout +1 +no answer before/);
    assert.match(text, /\nrefused +50 % within 3\.00 ms, 99 % within 3\.00 ms, all within 3\.00 ms\n/);
    assert.match(text, /generator +20 % of a core busy/);
    assert.doesNotMatch(text, /NaN|undefined|VOID/);
    for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
  });

  test("says why it is void, and what to try", () => {
    const text = describeResult({ ...exampleResult(), void: "a generator thread was busy; try --threads 2" });
    assert.match(text, /\nVOID: a generator thread was busy; try --threads 2\.\n$/);
  });

  test("of which nothing succeeded names the commonest error", () => {
    const result = exampleResult();
    const errors = { ...result.errors, refused: 90, timeout: 5 };
    assert.match(
      describeFailure({ ...result, succeeded: 0, errors }),
      /^no request succeeded: 90 of 100 failed as refused/,
    );
    assert.match(describeFailure({ ...result, requests: 0 }), /nothing was sent/);
  });

  test("has the plan as one line, and each slot as one", () => {
    const lines = [
      describePlan(exampleResult().plan),
      describePlan(newLoadPlan({ arrivals: { kind: "open", ratePerSecond: 1, rateEndPerSecond: 1000 } })),
      describePlan(
        newLoadPlan({
          arrivals: { kind: "closed", paceMs: 100 },
          stop: { kind: "requests-each", requests: 5, secondsMax: 9 },
        }),
      ),
    ];
    assert.match(lines[0]!, /50 req\/s/);
    assert.match(lines[1]!, /1 req\/s to 1,000 req\/s/);
    assert.match(lines[2]!, /50 clients, one request every 100 ms each, 5 requests each$/);
    const slot = { atMs: 250, sent: 10, succeeded: 8, failed: 2, latencyMsMean: 1, latencyMsMax: 4 };
    assert.equal(describeSlot(slot), "0.5 s: 32 req/s, 8 failed/s, mean 1.00 ms, max 4.00 ms");
  });
});
