import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { emptyReport, fullReport, minimalReport, voidReport } from "../../../test/report/sample-report.ts";
import { gainSentence, objectiveText, readHeadline } from "./headline.ts";
import type { ReportJson, SuspectJson } from "./report-json.ts";

function checkOf(report: ReportJson, word: string): boolean | null {
  const found = readHeadline(report).trust.checks.filter((check) => check.text.includes(word));
  assert.equal(found.length, 1, word);
  return found[0]!.holds;
}

function withFirst(change: Partial<SuspectJson>): ReportJson {
  const report = fullReport();
  return { ...report, suspects: report.suspects.map((one, at) => (at === 0 ? { ...one, ...change } : one)) };
}

describe("the headline", () => {
  test("says how much, what stops it, and what to do about it", () => {
    const { howMuch, whatStops, whatToDo } = readHeadline(fullReport());
    assert.equal(howMuch.rate, "21,040");
    assert.equal(howMuch.interval, "20,310 to 21,680");
    assert.equal(howMuch.objective, "success ≥ 99 %, p99 ≤ 50 ms");
    assert.equal(howMuch.remark, "");
    assert.match(
      howMuch.points.join("\n"),
      /sweet spot: 1,000 clients every 100 ms.*\nbreaks at: 1,000 clients/,
    );
    assert.equal(whatStops.suspect?.id, "one-thread");
    assert.match(whatStops.figure, /99 % of a core/);
    assert.deepEqual(
      whatStops.others.map((one) => one.id),
      ["listen-queue", "all-cores"],
    );
    assert.match(whatToDo.fix, /--threads 2/);
    assert.equal(whatToDo.gain, "predicted ×1.70, about 35,800 req/s; measured ×1.66");
  });

  test("names nobody where all suspects are unknown or ruled out", () => {
    assert.match(readHeadline(minimalReport()).whatStops.title, /^unknown: 16 of 16/);
    const report = fullReport();
    const cleared = report.suspects.map((one) => ({ ...one, verdict: "ruled-out" as const }));
    const { whatStops } = readHeadline({ ...report, suspects: cleared });
    assert.equal(whatStops.suspect, null);
    assert.equal(whatStops.title, "nothing found");
    assert.equal(readHeadline(emptyReport()).whatStops.title, "no diagnosis was made");
  });

  test("a suspect of lower rank is not named while the first is unknown", () => {
    assert.equal(readHeadline(withFirst({ verdict: "unknown" })).whatStops.suspect, null);
  });

  test("a rate that only bounds the truth is called so", () => {
    const report = fullReport();
    const { howMuch } = readHeadline({ ...report, capacity: { ...report.capacity, is_at_least: true } });
    assert.equal(howMuch.rate, "at least 21,040");
    assert.match(howMuch.remark, /the true limit is higher/);
  });

  test("without a rate it says why", () => {
    assert.equal(readHeadline(minimalReport()).howMuch.remark, "no level met the objective");
    assert.equal(readHeadline(emptyReport()).howMuch.remark, "no level was measured");
    const report = fullReport();
    const rateless = { ...report, capacity: { ...report.capacity, rate: null } };
    assert.equal(readHeadline(rateless).howMuch.remark, "the search found no rate that held the objective");
    const unsearched = { ...rateless, levels: report.levels.filter((level) => level.part === "ladder") };
    assert.equal(readHeadline(unsearched).howMuch.remark, "no search for the highest rate was made");
  });

  test("a void run is trusted not at all, whatever else holds", () => {
    const { trust, howMuch } = readHeadline(voidReport());
    assert.equal(trust.summary, "not at all: the run is void");
    assert.equal(trust.checks[0]!.holds, false);
    assert.match(howMuch.remark, /not to be relied on/);
  });

  test("a gain that cannot be said, or was not measured, is not made up", () => {
    const report = withFirst({ gain: { predicted: null, measured: null } });
    assert.equal(gainSentence(report, report.suspects[0]!), "the gain cannot be predicted; not measured");
  });

  test("each ground for doubt is told apart: holds, fails, cannot be known", () => {
    const report = fullReport();
    const { capacity, machine, levels } = report;
    assert.equal(checkOf(report, "rate within"), true);
    assert.equal(checkOf({ ...report, capacity: { ...capacity, low: 15_000 } }, "rate within"), false);
    assert.equal(checkOf({ ...report, capacity: { ...capacity, low: null } }, "no interval"), null);
    assert.equal(checkOf(report, "hypervisor"), true);
    assert.equal(checkOf({ ...report, machine: { ...machine, stolen_ratio: 0.2 } }, "hypervisor"), false);
    assert.equal(checkOf({ ...report, machine: { ...machine, stolen_ratio: null } }, "hypervisor"), null);
    const busy = levels.map((level) => ({ ...level, generator: { ...level.generator, busy_ratio: 0.97 } }));
    assert.equal(checkOf(report, "generator"), true);
    assert.equal(checkOf({ ...report, levels: busy }, "generator"), false);
    assert.equal(checkOf(report, "Little"), false);
    const agreeing = levels.map((level) => ({ ...level, little: { ...level.little, agrees: true } }));
    assert.equal(checkOf({ ...report, levels: agreeing }, "Little"), true);
    const late = levels.map((level) => ({ ...level, send_lag_ms: { ...level.send_lag_ms, p99: 8 } }));
    assert.equal(checkOf(report, "late"), true);
    assert.equal(checkOf({ ...report, levels: late }, "late"), false);
    assert.equal(checkOf(report, "suspects could be checked"), null);
    const seen = report.suspects.filter((one) => one.verdict !== "unknown");
    assert.equal(checkOf({ ...report, suspects: seen, missing: [] }, "suspects could be checked"), true);
  });

  test("objectives of any form stay readable", () => {
    assert.equal(objectiveText("success>=99.9%,p999<=1.5s"), "success ≥ 99.9 %, p999 ≤ 1.5 s");
  });
});
