import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Suspect } from "../diagnosis/suspect.ts";
import type { Level, LevelKind } from "../level.ts";
import type { FoundCapacity } from "../search/find-capacity.ts";
import { madeLevel } from "../search/made-load.ts";
import { exitCodeOf } from "./exit-code.ts";
import { whyRunIsVoid } from "./run-void.ts";

const levelOf = (kind: LevelKind, succeeded: number, reason: string | null): Level =>
  madeLevel({ kind, clients: 1, met: reason === null }, { succeeded, void: reason });
const found = (isAtLeast: boolean): FoundCapacity => ({
  rate: 100,
  low: 90,
  high: isAtLeast ? null : 110,
  isAtLeast,
  probes: [],
  why: "",
});
const suspect = (id: Suspect["id"], verdict: Suspect["verdict"]): Suspect => ({
  id,
  title: `the ${id}`,
  verdict,
  weight: 1,
  for: ["It was seen."],
  against: [],
  check: "",
  fix: "",
  remedy: { kind: "none", why: "" },
  gain: { predicted: null, measured: null },
});

describe("a whole run", () => {
  test("without a level proves nothing", () => {
    assert.match(whyRunIsVoid([], null, [])!, /nothing was measured/);
  });

  test("stands where a void level is not the answer", () => {
    const levels = [levelOf("paced", 10, "too slow"), levelOf("unpaced", 100, null)];
    assert.equal(whyRunIsVoid(levels, null, []), null);
    assert.equal(whyRunIsVoid(levels, found(false), []), null);
  });

  test("is void where its fastest level is the generator's figure, or all levels are", () => {
    const fastest = [levelOf("unpaced", 10, null), levelOf("unpaced", 100, "the generator was busy")];
    assert.equal(whyRunIsVoid(fastest, null, []), "the generator was busy");
    assert.equal(whyRunIsVoid([levelOf("paced", 10, "no port")], null, []), "no port");
  });

  test("is void where the search ended at the generator, and stands where it ended at its bounds", () => {
    const ended = [levelOf("unpaced", 10, null), levelOf("open", 100, "sent late")];
    assert.match(whyRunIsVoid(ended, found(true), [])!, /at least that: sent late/);
    assert.equal(whyRunIsVoid([levelOf("open", 100, null)], found(true), []), null);
  });

  test("is void where its own side is confirmed as the limit, not where that is only possible", () => {
    const levels = [levelOf("unpaced", 100, null)];
    for (const id of ["generator", "client-ports"] as const) {
      assert.match(whyRunIsVoid(levels, null, [suspect(id, "confirmed")])!, /not the target: It was seen$/);
      assert.equal(whyRunIsVoid(levels, null, [suspect(id, "possible")]), null);
    }
    assert.equal(whyRunIsVoid(levels, null, [suspect("all-cores", "confirmed")]), null);
  });
});

describe("the exit code", () => {
  const base = { void: null, capacity: { rate: 10 }, levels: [] };
  const codeOf = (changes: object, isLadderAlone = false): number =>
    exitCodeOf({ ...base, ...changes } as never, isLadderAlone);
  const paced = (isMet: boolean) => ({ kind: "paced", objective_met: isMet });

  test("is 2 for what proves nothing, 1 for no rate that holds the objective, 0 for one", () => {
    assert.equal(codeOf({ void: "why" }), 2);
    assert.equal(codeOf({ capacity: { rate: null } }), 1);
    assert.equal(codeOf({ capacity: { rate: 0 } }), 1);
    assert.equal(codeOf({}), 0);
  });

  test("of a ladder alone is 1 as soon as one of its paced levels misses", () => {
    assert.equal(codeOf({ levels: [paced(true), paced(true)] }, true), 0);
    assert.equal(codeOf({ levels: [paced(true), paced(false)] }, true), 1);
    assert.equal(codeOf({ levels: [paced(false)] }), 0);
    assert.equal(codeOf({ levels: [{ kind: "unpaced", objective_met: false }] }, true), 0);
  });
});
