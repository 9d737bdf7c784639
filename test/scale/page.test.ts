import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ASSUMED } from "../../bench/scale/assumptions.ts";
import { dayPicture } from "../../bench/scale/day/day-picture.ts";
import { daySettings } from "../../bench/scale/day/day-settings.ts";
import { readRecordedDay } from "../../bench/scale/day/recorded-day.ts";
import { type Measured, readMeasured } from "../../bench/scale/measured.ts";
import { PAGE, PICTURE, pageAsGenerated } from "../../bench/scale/page.ts";
import { DAY_GOAL, fullestDrain, PLANNED, planFleet } from "../../bench/scale/plan.ts";

/** Round figures, so that what should come of them can be worked out in the head. */
const ROUND: Measured = {
  largeMetricsPerSecond: 1e6,
  smallMetricsPerSecond: 1e6,
  requestBytesPerMetric: 100,
  bytesPerMetric: 100,
  messageBytesPerMetric: 10,
  blockBytes: 500_000,
  followerBytesPerSecond: 1e9,
  laneRoundTripMs: 4.5,
  leaderCpuSecondsPerGigabyte: 20,
  smallBlockLeaderCpuSecondsPerGigabyte: 40,
  publishCpuSecondsPerGigabyte: 40,
  drainCpuSecondsPerGigabyte: 40,
  drainBytesPerSecond: 200e6,
  commitMs: 1,
  storeMetricsPerSecond: 1e6,
};

describe("docs/scale.md", () => {
  test("is what the code makes of the measured figures and the recorded day", () => {
    assert.equal(readFileSync(PAGE, "utf8"), pageAsGenerated(), "out of date; try npm run scale -- page");
  });

  test("shows the picture of the recorded day", () => {
    assert.equal(readFileSync(PICTURE, "utf8"), dayPicture(readRecordedDay()));
  });

  test("tells of a day that ran over the plan as it is now", () => {
    const measured = readMeasured();
    const settings = daySettings(planFleet("day", DAY_GOAL, measured, ASSUMED), measured);
    assert.deepEqual(readRecordedDay().settings, settings, "out of date; try npm run scale -- simulate");
  });
});

describe("a fleet's plan", () => {
  test("counts from nodes to machines", () => {
    const plan = planFleet("", { nodes: 10 }, ROUND, ASSUMED);
    // 2 cores × 1 M/s × 0.8 is less than the follower's 10 M/s and 4 lanes × 1 M/s; 0.55 of it is planned.
    assert.equal(plan.node.stage, "ingest threads");
    assert.equal(Math.round(plan.metricsPerSecond), 8_800_000);
    assert.equal(Math.round(plan.messageBytesPerSecond), 88_000_000);
    // 2 cores ÷ 20 s/GB is 100 MB/s, half of it planned; a node makes 8.8.
    assert.equal(plan.nodesPerStream, 5);
    assert.equal(plan.streams, 2);
    // 440 MB/s of lines for drains of 100 each.
    assert.ok(plan.drainsPerStream >= 6);
    assert.deepEqual([plan.servers, plan.clusters], [3, 1]);
  });

  test("finds the nodes for a rate, and they carry it", () => {
    const plan = planFleet("", { metricsPerSecond: 100e6 }, ROUND, ASSUMED);
    assert.equal(plan.nodes, Math.ceil(100e6 / 880_000));
    assert.equal(plan.metricsPerSecond, 100e6);
  });

  test("names the stage that stops a node", () => {
    const slow = planFleet("", { nodes: 10 }, { ...ROUND, followerBytesPerSecond: 50e6 }, ASSUMED);
    assert.equal(slow.node.stage, "follower thread");
    assert.equal(slow.node.metricsPerSecond, 500_000);
  });

  test("fills no drain and no cluster, and has each with a spare", () => {
    for (const { name, goal } of PLANNED) {
      const measured = readMeasured();
      const plan = planFleet(name, goal, measured, ASSUMED);
      const fleet = { nodes: plan.nodes, streams: plan.streams, lanesPerNode: plan.node.threads };
      const lane = plan.lineBytesPerSecond / plan.nodes / plan.node.threads;
      const fullest = fullestDrain(fleet, plan.partitions, plan.drainsPerStream) * lane;
      assert.ok(fullest < plan.drainBytesPerSecondMax, `${name}: the fullest drain`);
      assert.ok(plan.servers / plan.clusters <= ASSUMED.serversPerCluster, `${name}: servers of a cluster`);
      assert.ok(plan.partitions >= plan.drainsPerStream, `${name}: partitions`);
    }
  });
});
