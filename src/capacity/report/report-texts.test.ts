// That the three forms of the report say what report.json says: no figure that matters is lost on the way to one of them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fullReport } from "../../../test/report/sample-report.ts";
import { countText, gainText, msText, rateText, shareText } from "./figures.ts";
import { toHtml } from "./html.ts";
import { toMarkdown } from "./markdown.ts";
import { toTerminalText } from "./terminal.ts";

const report = fullReport();
/** As it is read: without tags and marks, in one line. */
const TEXTS: Readonly<Record<string, string>> = {
  html: toHtml(report)
    .replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, " "),
  markdown: toMarkdown(report)
    .replace(/\*\*|\\/g, "")
    .replace(/&lt;/g, "<")
    .replace(/\s+/g, " "),
  terminal: toTerminalText(report, { width: 400, color: false }).replace(/\s+/g, " "),
};

function assertSaid(forms: readonly string[], figures: readonly string[]): void {
  for (const form of forms)
    for (const figure of figures)
      assert.ok(TEXTS[form]!.includes(figure.replace(/\s+/g, " ")), `${form} does not say '${figure}'`);
}

const ALL = Object.keys(TEXTS);
const FILES = ["html", "markdown"];

describe("every form of the report says", () => {
  test("each level: clients, rate, success, percentiles, errors, and why it missed", () => {
    for (const level of report.levels) {
      assertSaid(ALL, [
        countText(level.clients),
        rateText(level.rate),
        shareText(level.success),
        msText(level.latency_ms.p50),
        msText(level.latency_ms.p99),
        msText(level.latency_ms.max),
        msText(level.latency_uncorrected_ms.p99),
        ...level.objective_misses,
        ...Object.entries(level.errors).map(([name, count]) => `${name} ${countText(count)}`),
      ]);
    }
  });

  test("the capacity with its interval, its objective and its points", () => {
    const { capacity } = report;
    assertSaid(ALL, [
      `${rateText(capacity.rate)} req/s`,
      `${rateText(capacity.low)} to ${rateText(capacity.high)}`,
      ...[capacity.sweet_spot!, capacity.knee!, capacity.breaking_point!].map((point) =>
        rateText(point.rate),
      ),
      "sweet spot",
      "knee",
      "breaking point",
    ]);
  });

  test("each likely suspect with all its figures, and every other one by name", () => {
    for (const suspect of report.suspects) {
      const isLikely = suspect.verdict === "confirmed" || suspect.verdict === "possible";
      const figures = [...suspect.for, ...suspect.against, suspect.check, suspect.fix];
      assertSaid(isLikely ? ALL : FILES, [suspect.title, ...figures]);
      assertSaid(["markdown", "terminal"], [suspect.id]);
      for (const gain of [suspect.gain.predicted, suspect.gain.measured])
        if (gain !== null) assertSaid(ALL, [gainText(gain)]);
    }
  });

  test("the origin's tests, the phases and the sweeps", () => {
    for (const { test, measured } of report.origin)
      assertSaid(ALL, [
        test,
        rateText(measured!.rate),
        msText(measured!.latency_ms),
        msText(measured!.p99_ms),
      ]);
    for (const row of report.phases)
      assertSaid(ALL, [
        row.architecture,
        rateText(row.rate),
        shareText(row.success_100),
        msText(row.p99_ms),
        row.limit!,
      ]);
    for (const row of report.sweeps.flatMap((sweep) => sweep.rows))
      assertSaid(
        ALL,
        row.error === null ? [row.value, rateText(row.rate), gainText(row.gain)] : [row.value, row.error],
      );
  });

  test("the latency budget and the verification", () => {
    for (const row of report.budget) assertSaid(ALL, [row.stage, msText(row.ms)]);
    for (const row of report.verification)
      assertSaid(ALL, [
        row.remedy,
        rateText(row.rate_before),
        rateText(row.rate_after),
        gainText(row.predicted),
        gainText(row.measured),
        row.conclusion,
      ]);
  });

  test("what could not be seen; and the files also findings, law, conclusion, next step and how it was measured", () => {
    assertSaid(ALL, report.missing);
    assertSaid(FILES, [
      ...report.findings,
      ...report.conclusion,
      ...report.next_step,
      report.command,
      report.machine.processor,
      report.machine.system,
      report.target.software!,
      report.scalability!.note,
      rateText(report.scalability!.peak_rate),
    ]);
  });
});
