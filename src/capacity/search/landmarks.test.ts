import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findLandmarks } from "./landmarks.ts";
import { madeLevel } from "./made-load.ts";
import { ORIGIN_BREAKING_POINT_CLIENTS, ORIGIN_RESULTS, ORIGIN_SWEET_SPOT_CLIENTS } from "./origin-report.ts";

function unpaced(clients: number, rate: number, met = true) {
  return madeLevel(
    { kind: "unpaced", clients, met },
    { succeeded: Math.round(rate), latencyMs: (clients * 1000) / rate },
  );
}

function paced(clients: number, met: boolean, share = 1, wrong: string | null = null) {
  const planned = clients * 10;
  return madeLevel(
    { kind: "paced", clients, met },
    { succeeded: planned * share, errors: { timeout: planned * (1 - share) }, void: wrong },
  );
}

function open(rate: number, met: boolean) {
  return madeLevel(
    { kind: "open", clients: 64, rate, met, part: "search" },
    { succeeded: rate, latencyMs: 5 },
  );
}

describe("landmarks", () => {
  test("of the origin's own table are where the origin said", () => {
    const levels = ORIGIN_RESULTS.map(({ clients, rate, success, latencyMsMean }) =>
      madeLevel(
        { kind: "paced", clients, met: success >= 0.99 },
        {
          succeeded: rate,
          errors: { timeout: Math.round((rate * (1 - success)) / success) },
          latencyMs: latencyMsMean,
        },
      ),
    );
    const found = findLandmarks(levels);
    assert.equal(found.sweetSpot?.clients, ORIGIN_SWEET_SPOT_CLIENTS);
    assert.equal(found.breakingPoint?.clients, ORIGIN_BREAKING_POINT_CLIENTS);
    assert.equal(found.clientsAtBreaking, 500);
    // 500 clients every 100 ms ask for 5,000/s; 3,333 is not nine tenths of that, and 200 got all that they asked for.
    assert.equal(found.knee?.clients, 200);
    assert.ok(Math.abs(found.breakingPoint!.success - 0.6408) < 1e-3);
    assert.equal(found.sweetSpot?.level, "paced-200");
  });

  test("the knee is where clients begin to wait for each other", () => {
    // A server that does 1,000/s for each of up to 8 clients, and 8,000/s in all.
    const levels = [1, 2, 4, 8, 16, 32, 64].map((clients) => unpaced(clients, Math.min(8, clients) * 1_000));
    assert.equal(findLandmarks(levels).knee?.clients, 8);
    assert.equal(findLandmarks([...levels, unpaced(10_000, 8_000)]).knee?.clients, 8);
    assert.equal(findLandmarks(levels.reverse()).knee?.clients, 8);
  });

  test("there is no knee while more clients still bring more, or with too few levels", () => {
    assert.equal(findLandmarks([1, 2, 4, 8].map((clients) => unpaced(clients, clients * 900))).knee, null);
    assert.equal(findLandmarks([unpaced(1, 900), unpaced(2, 900)]).knee, null);
    assert.equal(findLandmarks([paced(10, true), paced(20, true)]).knee, null);
  });

  test("among rates that are as good the sweet spot is the one with the least latency", () => {
    const levels = [unpaced(4, 7_000), unpaced(8, 9_800), unpaced(16, 10_000), unpaced(64, 10_100)];
    assert.equal(findLandmarks(levels).sweetSpot?.clients, 8);
  });

  test("levels that missed the objective are no sweet spot, and none is none", () => {
    assert.equal(findLandmarks([unpaced(8, 5_000), unpaced(16, 10_000, false)]).sweetSpot?.clients, 8);
    assert.equal(findLandmarks([unpaced(8, 5_000, false)]).sweetSpot, null);
    assert.deepEqual(findLandmarks([]), {
      sweetSpot: null,
      knee: null,
      breakingPoint: null,
      clientsAtBreaking: null,
    });
  });

  test("a single miss below levels that hold is no breaking point", () => {
    const levels = [paced(20, false, 0.9), paced(50, true), paced(100, true), paced(200, false, 0.5)];
    assert.equal(findLandmarks(levels).breakingPoint?.clients, 200);
  });

  test("void levels are neither", () => {
    const levels = [paced(20, true), paced(50, false, 0.5, "the generator was late"), paced(100, false, 0.4)];
    assert.equal(findLandmarks(levels).breakingPoint?.clients, 100);
    assert.equal(findLandmarks([paced(50, true, 1, "the generator was late")]).sweetSpot, null);
  });

  test("where all paced clients are served, unpaced ones or a rate show the breaking point", () => {
    const held = [paced(20, true), paced(50, true)];
    const crowded = [unpaced(8, 5_000), unpaced(64, 4_000, false)];
    assert.equal(findLandmarks([...held, ...crowded]).breakingPoint?.level, "unpaced-64");
    assert.equal(findLandmarks([...held, ...crowded]).clientsAtBreaking, 64);
    const rates = [open(9_000, false), open(7_000, false), open(5_000, true)];
    const byRate = findLandmarks([...held, ...rates]);
    assert.equal(byRate.breakingPoint?.level, "open-7000");
    assert.equal(byRate.clientsAtBreaking, null);
  });

  test("a target that holds nothing breaks at its lowest level", () => {
    assert.equal(findLandmarks([paced(50, false, 0.2), paced(20, false, 0.3)]).clientsAtBreaking, 20);
  });

  test("a search without a ladder has a sweet spot of its own", () => {
    const found = findLandmarks([open(5_000, true), open(2_000, true), open(7_000, false)]);
    assert.equal(found.sweetSpot?.rate, 5_000);
    assert.equal(found.sweetSpot?.p99_ms?.toFixed(1), "5.0");
  });
});
