// The judge of the bed, on reports made by hand: what counts as right, and what as confidently wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SuspectId, Verdict } from "../../src/capacity/diagnosis/suspect.ts";
import type { ReportJson } from "../../src/capacity/report/report-json.ts";
import type { Plant } from "./plant.ts";
import { judgeReport } from "./verdict.ts";

const POOL: Plant = {
  id: "made up",
  title: "",
  why: "",
  first: ["pool"],
  alsoTrue: ["listen-queue"],
  missing: () => null,
  start: () => Promise.reject(new Error("it is never planted")),
};

function reportOf(verdicts: readonly (readonly [SuspectId, Verdict])[], isVoid = false): ReportJson {
  const suspects = verdicts.map(([id, verdict]) => ({ id, verdict }));
  return { suspects, void: isVoid ? "the generator was the limit" : null } as unknown as ReportJson;
}

test("the planted one first is right, be it confirmed or only possible", () => {
  for (const verdict of ["confirmed", "possible"] as const) {
    const judged = judgeReport(POOL, reportOf([["pool", verdict]]), 1);
    assert.ok(judged.isRight);
    assert.deepEqual(judged.confidentlyWrong, []);
    assert.equal(judged.summary, `pool ${verdict}`);
  }
});

test("what is true as well may be confirmed behind it, and is wrong before it", () => {
  const behind = judgeReport(
    POOL,
    reportOf([
      ["pool", "confirmed"],
      ["listen-queue", "confirmed"],
    ]),
    1,
  );
  assert.ok(behind.isRight);
  const before = judgeReport(
    POOL,
    reportOf([
      ["listen-queue", "confirmed"],
      ["pool", "confirmed"],
    ]),
    1,
  );
  assert.ok(!before.isRight);
  assert.deepEqual(before.confidentlyWrong, []);
});

test("anything else that is confirmed is confidently wrong, wherever it stands", () => {
  const verdicts = [
    ["pool", "confirmed"],
    ["descriptors", "confirmed"],
    ["memory", "possible"],
  ] as const;
  assert.deepEqual(judgeReport(POOL, reportOf(verdicts), 1).confidentlyWrong, ["descriptors"]);
});

test("to name nothing is right only where that is allowed, and what is ruled out or unknown is not named", () => {
  const report = reportOf([
    ["pool", "ruled-out"],
    ["memory", "unknown"],
  ]);
  assert.ok(!judgeReport(POOL, report, 0).isRight);
  assert.ok(judgeReport({ ...POOL, mayDecline: true }, report, 0).isRight);
  assert.equal(judgeReport(POOL, report, 0).first, null);
  const guessed = reportOf([["memory", "possible"]]);
  assert.ok(judgeReport({ ...POOL, mayDecline: true }, guessed, 0).isRight);
});

test("a limit of the analyser's own side must make the run void and end it with 2", () => {
  const plant = { ...POOL, first: ["generator" as const], isVoid: true };
  const report = [["generator", "confirmed"]] as const;
  assert.ok(judgeReport(plant, reportOf(report, true), 2).isRight);
  assert.ok(!judgeReport(plant, reportOf(report, true), 1).isRight);
  assert.ok(!judgeReport(plant, reportOf(report), 2).isRight);
});
