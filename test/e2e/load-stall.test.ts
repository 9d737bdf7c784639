// A server that stalls once: the corrected percentiles show it, the uncorrected ones do not, and the stall is named.
// The truth comes from the server's own log and arithmetic, so that a busy machine is in both figures.
// ALONE: the stall must be the only one.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { CountingServer, OK } from "../support/counting-server.ts";
import { loadJson } from "../support/load-process.ts";

const RATE = 500;
const SECONDS = 4;
const STALL_MS = 1000;

const servers: CountingServer[] = [];
after(() => {
  for (const server of servers) server.stop();
});

/** Blocks this thread, and so its server. */
function sleepBlocking(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * The percentile of all requests' delays by the server's own log: one is due every 1000 ÷ RATE ms, and the server answers
 * them in that order. The plan's start on the server's clock is where the promptest request puts it.
 */
function trueDelayMs(answeredMs: readonly number[], q: number): number {
  const late = answeredMs.map((ms, index) => ms - index * (1000 / RATE));
  const startMs = Math.min(...late);
  const delays = late.map((ms) => ms - startMs).sort((a, b) => a - b);
  return delays[Math.ceil(q * delays.length) - 1]!;
}

describe("a stall of one second", () => {
  test("is in the corrected percentiles as long as it was, and hidden in the others", {
    timeout: 60_000,
  }, async () => {
    let stalledMs = 0;
    const answeredMs: number[] = [];
    const server = new CountingServer((number) => {
      if (number === RATE) {
        const from = performance.now();
        sleepBlocking(STALL_MS);
        stalledMs = performance.now() - from;
      }
      answeredMs.push(performance.now());
      return OK;
    });
    servers.push(await server.start());
    const flags = ["--clients", "8", "--rate", String(RATE), "--duration", `${SECONDS}s`];
    const { json } = await loadJson(["--url", server.url, ...flags]);
    assert.equal(json.requests, RATE * SECONDS);
    assert.equal(json.success, 1);
    assert.ok(trueDelayMs(answeredMs, 0.99) > 0.9 * stalledMs, "the stall is in the server's own log");
    for (const [key, q] of [
      ["p90", 0.9],
      ["p99", 0.99],
      ["p999", 0.999],
    ] as const) {
      const truth = trueDelayMs(answeredMs, q);
      const told = json.latency_ms[key]!;
      assert.ok(Math.abs(told - truth) <= 0.05 * truth, `${key}: ${told} ms, but ${truth} ms is true`);
    }
    const { p99 } = json.latency_uncorrected_ms;
    assert.ok(p99! < 0.5 * json.latency_ms.p99!, `uncorrected p99 ${p99} ms`);
    const longest = Math.max(...json.stalls.map(({ lasted_ms }) => lasted_ms));
    assert.ok(Math.abs(longest - stalledMs) <= 0.1 * stalledMs, `${longest} ms of ${stalledMs} ms`);
  });
});
