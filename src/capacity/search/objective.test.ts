import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Histogram } from "../../base/histogram.ts";
import { madeLoad } from "./made-load.ts";
import { judge, OBJECTIVE_DEFAULT, parseObjective } from "./objective.ts";

describe("reading an objective", () => {
  test("shares and times are read in every unit", () => {
    assert.deepEqual(parseObjective(OBJECTIVE_DEFAULT), {
      text: "success>=99%,p99<=50ms",
      successMin: 0.99,
      latencyMsMax: [["p99", 50]],
    });
    assert.deepEqual(parseObjective(" P999 <= 0.25s , mean<=300us,success>=0.5").latencyMsMax, [
      ["p999", 250],
      ["mean", 0.3],
    ]);
    assert.equal(parseObjective("max<=7µs,success>=0.5").text, "success>=50%,max<=0.007ms");
  });

  test("what was read is written so that it reads the same", () => {
    for (const text of ["success>=99.9%,p99<=50ms", "p50<=1.1ms,p90<=2s", "success>=99.99%", "success>=0%"]) {
      const objective = parseObjective(text);
      assert.deepEqual(parseObjective(objective.text), objective);
    }
  });

  test("a share is the number that was written", () => {
    assert.equal(parseObjective("success>=99.9%").successMin, 0.999);
  });

  for (const text of [
    "",
    "p99",
    "p99<50ms",
    "p99<=50",
    "p98<=50ms",
    "p99>=50ms",
    "success<=99%",
    "success>=101%",
    "success>=99ms",
    "p99<=50ms,",
    "p99<=-1ms",
  ])
    test(`'${text}' is refused as bad usage, with an example`, () => {
      assert.throws(() => parseObjective(text), {
        name: "TidemarkError",
        exitCode: 2,
        message: /cannot read the objective's part '.*'; write for example 'success>=99%,p99<=50ms'/,
      });
    });
});

describe("holding a result to an objective", () => {
  const objective = parseObjective(OBJECTIVE_DEFAULT);

  test("the origin's 200 clients met it, and its 500 did not", () => {
    const sound = madeLoad({ succeeded: 9_951, errors: { reset: 49 }, latencyMs: 0.53 });
    const broken = madeLoad({ succeeded: 6_408, errors: { reset: 3_592 }, latencyMs: 37.41 });
    assert.deepEqual(judge(sound, objective), { met: true, misses: [] });
    assert.deepEqual(judge(broken, objective), { met: false, misses: ["success 64.08 % < 99 %"] });
  });

  test("exactly enough is enough", () => {
    const all = parseObjective("success>=99.9%,p50<=1ms");
    const load = madeLoad({ succeeded: 999, errors: { timeout: 1 }, latencyMs: 0.99 });
    assert.ok(judge(load, all).met);
    const one = madeLoad({ succeeded: 998, errors: { timeout: 2 }, latencyMs: 0.99 });
    assert.ok(!judge(one, all).met);
  });

  test("each part that is missed is named with both figures", () => {
    const load = madeLoad({ succeeded: 900, errors: { unavailable: 100 }, slowMs: 120, slowShare: 0.05 });
    const { misses } = judge(load, parseObjective("success>=99%,p50<=2ms,p99<=50ms"));
    assert.deepEqual(misses, ["success 90 % < 99 %", "p99 120 ms > 50 ms"]);
  });

  test("latency is the corrected one", () => {
    const latency = Histogram.fine();
    for (let index = 0; index < 100; index++) latency.record(200e6);
    assert.ok(judge(madeLoad({ succeeded: 100 }), objective).met);
    assert.ok(!judge({ ...madeLoad({ succeeded: 100 }), latency }, objective).met);
  });

  test("nothing sent and nothing timed meets no objective", () => {
    assert.deepEqual(judge(madeLoad({ succeeded: 0 }), objective).misses, [
      "nothing was sent",
      "p99 unknown > 50 ms",
    ]);
    assert.ok(!judge(madeLoad({ succeeded: 0, errors: { refused: 9 } }), parseObjective("p99<=1s")).met);
  });

  test("a planned load that was not sent is missed, however well the sent part did", () => {
    const open = { plan: { arrivals: { kind: "open", ratePerSecond: 100, rateEndPerSecond: 100 } } } as const;
    assert.ok(judge(madeLoad({ succeeded: 96, planned: 100, ...open }), objective).met);
    assert.deepEqual(judge(madeLoad({ succeeded: 94, planned: 100, ...open }), objective).misses, [
      "sent 94 % of the planned requests",
    ]);
    // 50 paced clients of which 16 hold all threads: the other 34 have one request under way each, and owe the rest.
    const paced = { plan: { arrivals: { kind: "closed", paceMs: 100 } } } as const;
    const starved = madeLoad({ succeeded: 16 * 100, planned: 50 * 100, errors: {}, ...paced });
    assert.deepEqual(judge(starved, objective).misses, ["sent 32 % of the planned requests"]);
  });
});
