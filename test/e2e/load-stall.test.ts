// A server that stalls once: the corrected percentiles show it, the uncorrected ones do not, and the stall is named.
// The truth comes from the server's own log of its stall, and arithmetic.
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
 * The percentile of all requests' delays, were the stall the only delay: one is due every 1000 ÷ RATE ms. Those that came
 * first in the stall are answered first behind it; for later ones (the 90th percentile) the server's catching up counts too.
 */
function trueDelayMs(stalledMs: number, q: number): number {
  const all = RATE * SECONDS;
  const gapMs = 1000 / RATE;
  const delays = Array.from({ length: all }, (_, index) => Math.max(0, stalledMs - index * gapMs)).sort(
    (a, b) => a - b,
  );
  return delays[Math.ceil(q * all) - 1]!;
}

describe("a stall of one second", () => {
  test("is in the corrected percentiles as long as it was, and hidden in the others", {
    timeout: 60_000,
  }, async () => {
    let stalledMs = 0;
    const server = new CountingServer((number) => {
      if (number === RATE) {
        const from = performance.now();
        sleepBlocking(STALL_MS);
        stalledMs = performance.now() - from;
      }
      return OK;
    });
    servers.push(await server.start());
    const flags = ["--clients", "8", "--rate", String(RATE), "--duration", `${SECONDS}s`];
    const { json } = await loadJson(["--url", server.url, ...flags]);
    assert.equal(json.requests, RATE * SECONDS);
    assert.equal(json.success, 1);
    for (const [key, q] of [
      ["p99", 0.99],
      ["p999", 0.999],
    ] as const) {
      const truth = trueDelayMs(stalledMs, q);
      const told = json.latency_ms[key]!;
      assert.ok(Math.abs(told - truth) <= 0.05 * truth, `${key}: ${told} ms, but ${truth} ms is true`);
    }
    const { p99 } = json.latency_uncorrected_ms;
    assert.ok(p99! < 0.5 * json.latency_ms.p99!, `uncorrected p99 ${p99} ms`);
    const longest = Math.max(...json.stalls.map(({ lasted_ms }) => lasted_ms));
    assert.ok(Math.abs(longest - stalledMs) <= 0.1 * stalledMs, `${longest} ms of ${stalledMs} ms`);
  });
});
