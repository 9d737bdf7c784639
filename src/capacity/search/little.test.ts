import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkLittle } from "./little.ts";
import { madeLoad } from "./made-load.ts";
import { seededRandom } from "./simulated-server.ts";

describe("Little's law", () => {
  test("1,000 requests a second of 20 ms are 20 in flight", () => {
    const check = checkLittle(madeLoad({ succeeded: 4_000, seconds: 4, latencyMs: 20, inFlightMean: 20 }));
    assert.ok(Math.abs(check.expected! - 20) < 1e-9);
    assert.equal(check.agrees, true);
  });

  test("half or twice of it is not", () => {
    for (const inFlightMean of [10, 40])
      assert.equal(
        checkLittle(madeLoad({ succeeded: 4_000, seconds: 4, latencyMs: 20, inFlightMean })).agrees,
        false,
      );
  });

  test("holds in a simulated queue, whose time in flight is counted in another way", () => {
    const random = seededRandom(7);
    const count = 20_000;
    let now = 0;
    let freeAt = 0;
    const moments: [at: number, change: number][] = [];
    let secondsSum = 0;
    for (let request = 0; request < count; request++) {
      now -= Math.log(1 - random()) / 800;
      freeAt = Math.max(now, freeAt) - Math.log(1 - random()) / 1_000;
      moments.push([now, 1], [freeAt, -1]);
      secondsSum += freeAt - now;
    }
    moments.sort(([a], [b]) => a - b);
    let inFlight = 0;
    let area = 0;
    let before = 0;
    for (const [at, change] of moments) {
      area += inFlight * (at - before);
      inFlight += change;
      before = at;
    }
    const load = madeLoad({
      succeeded: count,
      seconds: before,
      latencyMs: (secondsSum / count) * 1_000,
      inFlightMean: area / before,
    });
    const check = checkLittle(load);
    assert.ok(Math.abs(check.expected! / check.measured - 1) < 0.001);
    assert.equal(check.agrees, true);
  });

  test("requests that were never sent count for nothing", () => {
    const refused = madeLoad({
      succeeded: 100,
      latencyMs: 100,
      inFlightMean: 10,
      errors: { refused: 5_000, no_port: 5_000 },
    });
    assert.equal(checkLittle(refused).agrees, true);
  });

  test("with many failures that left no latency it cannot be held", () => {
    const failing = madeLoad({
      succeeded: 100,
      latencyMs: 10,
      inFlightMean: 9,
      errors: { rate_limited: 900 },
    });
    assert.deepEqual(checkLittle(failing).agrees, null);
    const few = madeLoad({
      succeeded: 1_000,
      latencyMs: 10,
      inFlightMean: 10.3,
      errors: { unavailable: 30 },
    });
    assert.equal(checkLittle(few).agrees, true);
  });

  test("what is answered in the drain is allowed for", () => {
    // 2 s of answers that take 1 s each: half of what is begun in the last second is counted, and not in flight in the run.
    const draining = madeLoad({ succeeded: 200, seconds: 2, latencyMs: 1_000, inFlightMean: 75 });
    assert.equal(checkLittle(draining).agrees, true);
  });

  test("where nothing was timed it says nothing", () => {
    const nothing = checkLittle(madeLoad({ succeeded: 0, inFlightMean: 3, errors: { reset: 10 } }));
    assert.deepEqual(nothing, { measured: 3, expected: null, agrees: null });
  });
});
