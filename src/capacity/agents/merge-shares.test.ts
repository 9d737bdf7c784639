import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { LoadPlan } from "../load/load-plan.ts";
import { newLoadPlan } from "../load/load-plan-defaults.ts";
import { splitPlan } from "../load/load-share.ts";
import { mergeTallies } from "../load/merge-tallies.ts";
import { Tally } from "../load/tally.ts";
import { packTally, type ThreadTally } from "../load/thread-tally.ts";
import { mergeShares, type ShareOutcome } from "./merge-shares.ts";
import { decodeTally, encodeTally } from "./tally-codec.ts";

const HEALTH = { cpuRatio: 0.2, spinRatio: 0, waitRatio: 0, loopLagMsMax: 1 };
const PLAN = newLoadPlan({
  url: "http://127.0.0.1:1/",
  clients: 6,
  arrivals: { kind: "open", ratePerSecond: 30, rateEndPerSecond: 30 },
  stop: { kind: "seconds", seconds: 1 },
});

/** A thread that answered so many requests, each after so long. */
function tallyOf(tookMs: readonly number[], planned = tookMs.length): ThreadTally {
  const tally = new Tally(true);
  tally.start(0, 1000);
  for (const [index, ms] of tookMs.entries()) {
    tally.begin(index);
    tally.lag(0.1);
    tally.answer(index, index, index + ms, index % 7 === 6 ? 503 : 200);
  }
  tally.endSending(1000);
  return packTally(tally, planned, 1, HEALTH);
}

function outcomesOf(plan: LoadPlan, each: readonly (readonly ThreadTally[] | null)[]): ShareOutcome[] {
  const shares = splitPlan(plan, each.length);
  return each.map((tallies, index) => ({
    name: `agent-${index}`,
    host: "host",
    share: shares[index]!,
    tallies,
    fault: tallies === null ? "died" : null,
    clockErrorMs: index,
  }));
}

describe("merged shares", () => {
  test("are what one generator with all their threads would have counted, to the last bucket", () => {
    const took = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.array(fc.array(took, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        (agents) => {
          const tallies = agents.map((threads) => threads.map((list) => tallyOf(list)));
          const sent = tallies.map((threads) =>
            threads.map((tally) => decodeTally(JSON.parse(JSON.stringify(encodeTally(tally))))),
          );
          const { agents: parts, void: _, ...merged } = mergeShares(PLAN, 0, outcomesOf(PLAN, sent));
          const { agents: none, void: __, ...whole } = mergeTallies(PLAN, 0, tallies.flat());
          assert.equal(none, null);
          assert.deepEqual(merged, whole);
          assert.equal(
            parts!.parts.reduce((sum, part) => sum + part.requests!, 0),
            whole.requests,
          );
        },
      ),
    );
  });

  test("say which agent died and what is missing, and keep the others' figures", () => {
    const result = mergeShares(PLAN, 0, outcomesOf(PLAN, [[tallyOf([1, 1, 1])], null, [tallyOf([1, 1])]]));
    assert.equal(
      result.void,
      "agent agent-1 on host: died; its share is missing from all figures (2 of 6 clients, 10 of 30 planned requests)",
    );
    assert.equal(result.succeeded, 5);
    assert.equal(result.planned, 15);
    assert.deepEqual(
      result.agents!.parts.map(({ requests }) => requests),
      [3, null, 2],
    );
  });

  test("say which agent was its own limit, by the rules that a generator has anyway", () => {
    const busy = { ...tallyOf([1, 1]), health: { ...HEALTH, cpuRatio: 0.99 } };
    const result = mergeShares(PLAN, 0, outcomesOf(PLAN, [[tallyOf([1, 1])], [busy]]));
    assert.match(
      result.void!,
      /^agent agent-1 on host: a generator thread was busy 99 % .*its share is void/,
    );
    assert.equal(result.agents!.parts[0]!.void, null);
    assert.equal(result.succeeded, 4);
  });

  test("say how far apart the starts were, and void a share that began a slot late", () => {
    const begun = (startLagMs: number): ThreadTally[] => [{ ...tallyOf([1]), startLagMs }];
    const near = mergeShares(PLAN, 0, outcomesOf(PLAN, [begun(0.5), begun(3)]));
    assert.equal(near.agents!.startsApartMs, 2.5);
    assert.equal(near.agents!.clockErrorMs, 1);
    assert.equal(near.void, null);
    const far = mergeShares(PLAN, 0, outcomesOf(PLAN, [begun(0), begun(251)]));
    assert.match(far.void!, /^agent agent-1 on host: it began 251 ms after the others/);
  });

  test("of nobody are a result all the same, void, with nothing in it", () => {
    const dead = mergeShares(PLAN, 0, outcomesOf(PLAN, [null, null]));
    assert.equal(dead.requests, 0);
    assert.equal(dead.seconds, 0);
    assert.equal(dead.planned, 30);
    assert.match(dead.void!, /agent-0 .*agent-1 /);
    const nobody = mergeShares(PLAN, 0, [], "0 of the 2 agents of --agents-min are left");
    assert.equal(nobody.void, "0 of the 2 agents of --agents-min are left");
    assert.equal(nobody.rate, 0);
  });
});
