import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TidemarkError } from "../../errors.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import { newLoadPlan } from "../load/load-plan-defaults.ts";
import { decodePlan, decodeShare, encodePlan } from "./plan-codec.ts";

const URL_TEXT = "http://127.0.0.1:8080/metrics";
const travel = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const plans: fc.Arbitrary<LoadPlan> = fc
  .record({
    bodies: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
    clients: fc.integer({ min: 1, max: 100_000 }),
    threads: fc.integer({ min: 1, max: 64 }),
    arrivals: fc.oneof(
      fc.record({
        kind: fc.constant("open" as const),
        ratePerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
        rateEndPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
      }),
      fc.record({
        kind: fc.constant("closed" as const),
        paceMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      }),
    ),
    seconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
    timeoutMs: fc.integer({ min: 1, max: 600_000 }),
    namesClients: fc.boolean(),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  })
  .map(({ seconds, ...parts }) =>
    newLoadPlan({
      // Cloned, because fast-check makes records without a prototype.
      ...structuredClone(parts),
      url: URL_TEXT,
      method: "POST",
      headers: [["Content-Type", "application/json"]],
      stop: { kind: "seconds", seconds },
    }),
  );

describe("a plan as JSON", () => {
  test("comes back as it was, bodies to the byte", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        assert.deepEqual(decodePlan(travel(encodePlan(plan))), plan);
      }),
    );
  });

  test("is refused past every bound that the command line has", () => {
    const good = travel(encodePlan(newLoadPlan({ url: URL_TEXT }))) as Record<string, unknown>;
    decodePlan(good);
    const wrong: readonly (readonly [name: string, value: unknown])[] = [
      ["url", "https://127.0.0.1/"],
      ["url", "file:///etc/passwd"],
      ["method", "GET /\r\n"],
      ["headers", [["A", "b\r\nC: d"]]],
      ["headers", [["A"]]],
      ["bodies", [1]],
      ["clients", 0],
      ["clients", 100_001],
      ["threads", 65],
      ["arrivals", { kind: "closed", paceMs: -1 }],
      ["arrivals", { kind: "open", ratePerSecond: 1e9, rateEndPerSecond: 1 }],
      ["arrivals", { kind: "other" }],
      ["stop", { kind: "seconds", seconds: 86_401 }],
      ["stop", { kind: "seconds", seconds: null }],
      ["stop", { kind: "requests-each", requests: 1, secondsMax: 1e9 }],
      ["keepAlive", 1],
      ["pipeline", 257],
      ["timeoutMs", 0],
      ["seed", -1],
    ];
    for (const [name, value] of wrong)
      assert.throws(
        () => decodePlan({ ...good, [name]: value }),
        TidemarkError,
        `${name} ${JSON.stringify(value)}`,
      );
    assert.throws(() => decodePlan({ ...good, pipeline: 2, keepAlive: false }), TidemarkError);
  });

  test("has a share with threads of its own, each once", () => {
    assert.deepEqual(decodeShare({ threads: [0, 2], threadsOfAll: 3 }), { threads: [0, 2], threadsOfAll: 3 });
    for (const threads of [[], [0, 0], [3], [-1], [0.5], "0"])
      assert.throws(() => decodeShare({ threads, threadsOfAll: 3 }), TidemarkError, JSON.stringify(threads));
  });
});
