// Which level is held to show the limit: the gentlest that missed, unless it was the machine's mood.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLevels } from "./choose-levels.ts";
import { type LevelParts, makeLevel } from "./evidence-bed.ts";

/** Of this kind and size; slow ones miss the objective. */
function paced(clients: number, isSlow = false): LevelParts {
  return { clients, latency: [[isSlow ? 200 : 1, clients * 50]] };
}

function unpaced(clients: number, rate: number, more: LevelParts = {}): LevelParts {
  return { kind: "unpaced", clients, succeeded: rate * 5, ...more };
}

function open(plannedRate: number, isSlow = false): LevelParts {
  return { kind: "open", clients: 64, plannedRate, latency: [[isSlow ? 200 : 1, plannedRate * 5]] };
}

function choose(...parts: readonly LevelParts[]): { limiting: number; healthy: number | null } {
  return chooseLevels(parts.map(makeLevel));
}

test("the first that missed shows the limit, the fastest that met it the health", () => {
  assert.deepEqual(choose(paced(50), paced(200, true), paced(500, true)), { limiting: 1, healthy: 0 });
  const run = [
    paced(50),
    unpaced(8, 2_000),
    unpaced(16, 9_000),
    open(8_000),
    open(16_000, true),
    open(12_000, true),
  ];
  assert.deepEqual(choose(...run), { limiting: 4, healthy: 2 });
});

test("a void level neither shows the limit nor the health", () => {
  const isVoid = { void: "too slow" };
  assert.deepEqual(choose({ ...paced(50, true), ...isVoid }, paced(100, true), { ...paced(20), ...isVoid }), {
    limiting: 1,
    healthy: null,
  });
});

test("a single miss that as many clients with as many requests did not repeat is a mood", () => {
  assert.deepEqual(choose(paced(50, true), unpaced(64, 9_000), open(16_000, true)), {
    limiting: 2,
    healthy: 1,
  });
});

test("a miss for which the generator was late is taken only where there is no other", () => {
  const late = { ...paced(50, true), sendLagMs: 80 };
  assert.equal(choose(late, paced(100, true)).limiting, 1);
  assert.equal(choose(late, unpaced(8, 100)).limiting, 1);
  assert.equal(choose(paced(20), late).limiting, 1);
});

test("a slow level during which the generator waited for a core is passed over, a failing one is not", () => {
  const disturbed = { generator: [{ cpuRatio: 0.2, spinRatio: 0, waitRatio: 0.4, loopLagMsMax: 90 }] };
  assert.equal(choose({ ...paced(50, true), ...disturbed }, unpaced(8, 100)).limiting, 1);
  const failing = { ...paced(50, true), ...disturbed, succeeded: 2_000, errors: { unavailable: 500 } };
  assert.equal(choose(failing, unpaced(8, 100)).limiting, 0);
});

test("a miss stands where only fewer clients, or fewer requests, held", () => {
  assert.equal(choose(paced(100, true), unpaced(64, 9_000), open(16_000, true)).limiting, 0);
  assert.equal(choose(paced(50, true), unpaced(64, 400), open(16_000, true)).limiting, 0);
});

test("misses that come again and again are a pattern, though the largest level held", () => {
  const run = [paced(20, true), paced(50, true), paced(100), unpaced(512, 9_000)];
  assert.equal(choose(...run).limiting, 0);
});

test("refusals are attempts: many 429 are no small load", () => {
  const refused = unpaced(1, 50, { errors: { rate_limited: 90_000 } });
  assert.equal(choose(refused, open(2_000), open(4_000, true)).limiting, 0);
});

test("where none missed it is the fastest without a pace, and where those are void the first of them", () => {
  assert.equal(choose(paced(50), unpaced(8, 2_000), unpaced(16, 9_000), unpaced(32, 8_000)).limiting, 2);
  assert.equal(choose(paced(50), unpaced(8, 2_000, { void: "too slow" })).limiting, 1);
  assert.equal(choose(paced(50), paced(200)).limiting, 1);
});
