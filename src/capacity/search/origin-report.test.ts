import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { madeLevel } from "./made-load.ts";
import {
  ORIGIN_BUDGET,
  ORIGIN_PACE_MS,
  ORIGIN_RESULTS,
  originBudgetMs,
  originRows,
} from "./origin-report.ts";
import { PHASES } from "./phases.ts";

describe("the origin's figures", () => {
  test("its rates are its pace, but for the one at which its server broke", () => {
    const atPace = ORIGIN_RESULTS.filter(({ clients, rate }) => rate === (clients * 1000) / ORIGIN_PACE_MS);
    assert.deepEqual(
      ORIGIN_RESULTS.filter((result) => !atPace.includes(result)).map(({ test: name }) => name),
      ["stress"],
    );
  });

  test("its budget adds up to the latency it was to explain", () => {
    const sum = ORIGIN_BUDGET.reduce((total, { ms }) => total + ms, 0);
    assert.ok(Math.abs(sum - 0.53) < 1e-9);
    assert.equal(originBudgetMs("JSON parsing"), 0.15);
    assert.equal(originBudgetMs("commit"), null);
  });

  test("ours stand beside them where a level was run as its test was", () => {
    const stop = { kind: "requests-each", requests: 50, secondsMax: 9 } as const;
    const load = { succeeded: 990, errors: { reset: 10 }, seconds: 5, latencyMs: 2, plan: { stop } };
    const rows = originRows([
      madeLevel({ kind: "paced", clients: 20, met: true }, load),
      madeLevel({ kind: "paced", clients: 50, met: true }, load),
      madeLevel({ kind: "paced", clients: 200, met: true, part: "phase" }, load),
      madeLevel({ kind: "paced", clients: 200, met: true, paceMs: 50 }, load),
    ]);
    assert.equal(rows.length, 5);
    const [light, ...others] = rows;
    assert.deepEqual(
      [light?.test, light?.requests_each, light?.origin],
      ["light", 50, { success: 1, rate: 200, latency_ms: 0.01 }],
    );
    assert.deepEqual([light?.measured?.success, light?.measured?.rate], [0.99, 198]);
    assert.ok(Math.abs(light!.measured!.latency_ms! - 2) < 0.02);
    for (const row of others) assert.equal(row.measured, null, row.test);
  });
});

describe("the origin's phases", () => {
  test("grow from one thread to sixteen, and end at today's defaults", () => {
    const threads = PHASES.map(({ flags }) => flags[flags.indexOf("--threads") + 1]);
    assert.deepEqual(threads.slice(0, 3), ["1", "8", "16"]);
    assert.deepEqual([PHASES.at(-1)?.flags, PHASES.at(-1)?.origin], [[], null]);
    assert.deepEqual(
      PHASES.map(({ origin }) => origin?.rate ?? null),
      [200, 1_500, 2_000, null],
    );
    assert.deepEqual(
      PHASES.map(({ origin }) => origin?.success_100 ?? null),
      [0.802, 0.95, 1, null],
    );
  });

  test("keep connections only where the server does", () => {
    for (const { flags, keepAlive, id } of PHASES)
      assert.equal(flags[flags.indexOf("--keep-alive") + 1] !== "off", keepAlive, id);
  });

  test("name flags in pairs, and have names of their own", () => {
    for (const { flags } of PHASES)
      assert.ok(flags.every((word, index) => word.startsWith("--") === (index % 2 === 0)));
    assert.equal(new Set(PHASES.map(({ id }) => id)).size, PHASES.length);
  });
});
