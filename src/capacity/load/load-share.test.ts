import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { LoadPlan } from "./load-plan.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import { offeredLoad, splitPlan, wholeShare } from "./load-share.ts";

const arrivals = fc.oneof(
  fc.record({
    kind: fc.constant("open" as const),
    ratePerSecond: fc.double({ min: 0.5, max: 5000, noNaN: true }),
    rateEndPerSecond: fc.double({ min: 0.5, max: 5000, noNaN: true }),
  }),
  fc.record({ kind: fc.constant("closed" as const), paceMs: fc.integer({ min: 0, max: 500 }) }),
);

const plans: fc.Arbitrary<LoadPlan> = fc
  .record({
    clients: fc.integer({ min: 1, max: 60 }),
    threads: fc.integer({ min: 1, max: 5 }),
    arrivals,
    seconds: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ seconds, ...parts }) => newLoadPlan({ ...parts, stop: { kind: "seconds", seconds } }));

describe("the shares of a plan", () => {
  test("hold every thread once, and differ by one thread at most", () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 9 }), (plan, generators) => {
        const shares = splitPlan(plan, generators);
        assert.equal(shares.length, generators);
        const { threadsOfAll } = shares[0]!;
        const threads = shares.flatMap((share) => share.threads).sort((a, b) => a - b);
        assert.deepEqual(
          threads,
          Array.from({ length: threadsOfAll }, (_, thread) => thread),
        );
        assert.ok(threadsOfAll <= plan.clients && threadsOfAll <= plan.threads * generators);
        const counts = shares.map((share) => share.threads.length);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
        assert.ok(Math.max(...counts) <= plan.threads);
      }),
    );
  });

  test("add up to the plan's clients and requests, however many share it", () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 9 }), (plan, generators) => {
        const whole = offeredLoad(plan, wholeShare(plan));
        const parts = splitPlan(plan, generators).map((share) => offeredLoad(plan, share));
        assert.equal(
          parts.reduce((sum, part) => sum + part.clients, 0),
          plan.clients,
        );
        if (whole.planned === null) return;
        assert.equal(
          parts.reduce((sum, part) => sum + part.planned!, 0),
          whole.planned,
        );
      }),
    );
  });

  test("are empty for who would have no client", () => {
    const plan = newLoadPlan({ clients: 2, threads: 1 });
    assert.deepEqual(
      splitPlan(plan, 3).map(({ threads }) => threads),
      [[0], [1], []],
    );
    assert.deepEqual(offeredLoad(plan, { threads: [], threadsOfAll: 2 }), { clients: 0, planned: 0 });
  });

  test("count requests of each client, and say where nothing is planned", () => {
    const each = { kind: "requests-each", requests: 10, secondsMax: 5 } as const;
    const [, second] = splitPlan(newLoadPlan({ clients: 5, threads: 1, stop: each }), 2);
    assert.deepEqual(offeredLoad(newLoadPlan({ clients: 5, stop: each }), second!), {
      clients: 2,
      planned: 20,
    });
    const unpaced = newLoadPlan({ clients: 5 });
    assert.deepEqual(offeredLoad(unpaced, wholeShare(unpaced)), { clients: 5, planned: null });
  });
});
