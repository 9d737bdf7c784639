import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DaySettings } from "../../bench/scale/day/day-settings.ts";
import type { Failure } from "../../bench/scale/day/failures.ts";
import { Fleet } from "../../bench/scale/day/fleet.ts";
import { drawScenarios, runScenario, type ScenarioResult } from "../../bench/scale/day/scenarios.ts";
import { assertBalance, emptyTally, lostOf, refusedOf } from "../../bench/scale/day/tally.ts";

/** Six nodes, two streams, an hour for a day; a node holds five minutes of the peak. */
const SMALL: DaySettings = {
  seconds: 3_600,
  nodes: 6,
  lanesPerNode: 4,
  cells: 2,
  partitions: 16,
  drainsPerCell: 3,
  clusters: 2,
  serversPerCluster: 3,
  offeredPeak: 6_000,
  ingestMax: 1_900,
  followerMax: 1_800,
  streamMax: 6_000,
  drainMax: 3_000,
  nodeHoldMax: 300_000,
  streamHoldMax: 5_000_000,
  replicatedEvery: 4,
  electionSeconds: 5,
  leaseSeconds: 5,
  syncSeconds: 120,
};

function run(name: string, seed = 7): ScenarioResult {
  const scenario = drawScenarios(SMALL, seed).find((each) => each.name === name)!;
  return runScenario(SMALL, seed, scenario);
}

/** Seconds of 600 metrics each, failures at their time. */
function play(seconds: number, failures: readonly Failure[], offered = 600): Fleet {
  const fleet = new Fleet(SMALL);
  for (let second = 0; second < seconds; second++)
    fleet.step(
      offered,
      failures.filter(({ atS }) => atS === second),
    );
  return fleet;
}

describe("a simulated day", () => {
  test("comes out the same for the same seed, and not for another", () => {
    assert.deepEqual(run("failures"), run("failures"));
    assert.notDeepEqual(run("failures").samples, run("failures", 8).samples);
  });

  test("loses nothing and refuses nothing where nothing fails", () => {
    for (const seed of [1, 2, 3]) {
      const { tally, onNodes, inStreams } = run("quiet", seed);
      assert.equal(refusedOf(tally) + lostOf(tally) + tally.storedUnanswered, 0);
      assert.equal(tally.drained + onNodes + inStreams, tally.offered);
    }
  });

  test("loses nothing that was answered replicated, whatever fails but the streams' own power", () => {
    for (const seed of [1, 2, 3]) {
      for (const name of ["failures", "long-outage"]) {
        const { tally } = run(name, seed);
        assert.equal(tally.lostReplicated + tally.lostInStream, 0);
        assert.ok(tally.lostWritten > 0, "a node's disk was lost in an outage");
      }
      assert.ok(run("power-cut", seed).tally.lostReplicated > 0);
      assert.ok(run("drain-lost", seed).tally.lostDrained > 0);
    }
  });

  test("refuses once the log is full, and has caught up when the outage is long over", () => {
    const { tally, outages, nodeFullest } = run("long-outage");
    assert.ok(tally.refusedFull > 0);
    assert.equal(nodeFullest, 1);
    for (const { caughtUpS } of outages) assert.ok(caughtUpS !== null && caughtUpS > 0);
  });
});

describe("a simulated fleet", () => {
  test("sends what is fresh first and catches up with the rest behind it", () => {
    const away: Failure = { kind: "cluster-away", atS: 10, cluster: 0, seconds: 100 };
    const fleet = play(120, [away], 6_000);
    assert.ok(fleet.onNodes > 0);
    assert.equal(fleet.secondsFreshWaited, 0);
    assert.equal(play(600, [away], 6_000).onNodes, 0);
  });

  test("loses with a disk all that the stream did not have, and with a process nothing", () => {
    const outage: Failure = { kind: "cluster-away", atS: 10, cluster: 0, seconds: 1_000 };
    const kept = play(500, [outage, { kind: "node-away", atS: 60, node: 1, seconds: 100 }]);
    assert.equal(lostOf(kept.tally), 0);
    // Seconds 10 to 60, a sixth of 600 each.
    const lost = play(500, [outage, { kind: "node-lost", atS: 60, node: 1, seconds: 100 }]);
    assert.equal(lost.tally.lostWritten, 51 * 100);
  });

  test("goes on with two servers of three, after an election, and stands still with one", () => {
    const down = (server: number): Failure => ({
      kind: "server-away",
      atS: 10,
      cluster: 0,
      server,
      seconds: 50,
    });
    const two = play(30, [down(0)]);
    assert.equal(two.onNodes, 0);
    // A second's batches were under way; then the one node of it that answers `replicated` refuses for the rest of five.
    assert.deepEqual([two.tally.storedUnanswered, two.tally.refusedReplica], [100, 400]);
    assert.ok(play(30, [down(0), down(1)]).onNodes > 0);
  });

  test("gives a dead drain's partitions to the others when its lease is over", () => {
    const dead: Failure = { kind: "drain-away", atS: 10, cell: 0, drain: 0, seconds: 1_000 };
    assert.ok(play(13, [dead]).inStreams > 0);
    assert.equal(play(20, [dead]).inStreams, 0);
  });

  test("does not overlook a metric that is nowhere, or in two places", () => {
    const tally = { ...emptyTally(), offered: 10, stored: 9, refusedBusy: 1, drained: 4 };
    assertBalance(tally, 3, 2, 0);
    assert.throws(() => assertBalance(tally, 3, 1, 0), /stored 9, found 8/);
    assert.throws(() => assertBalance({ ...tally, offered: 11 }, 3, 2, 0), /offered 11/);
  });
});
