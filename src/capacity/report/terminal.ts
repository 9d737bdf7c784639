// The report for a terminal: what a person reads when the run has ended. The four answers first, then the levels, the
// capacity's points, the suspects worth knowing, and the tables that were asked for. Where the files are, the caller says.
// Texts from outside have lost what could steer the terminal before they come here (plainLine).

import { plainLine, plainText } from "./figures.ts";
import { gainSentence, type Headline, isLikely, readHeadline, VERDICT_WORDS } from "./headline.ts";
import { groupLevels, levelTable } from "./level-table.ts";
import type { ReportJson, SuspectJson } from "./report-json.ts";
import type { Table, Tone } from "./report-table.ts";
import {
  budgetTable,
  originTable,
  phaseTable,
  pointTable,
  sweepTable,
  verificationTable,
} from "./section-tables.ts";
import { groupLines, type Paper, painted, tableLines, wrap } from "./terminal-table.ts";

/** Suspects shown in full at most, of those that something speaks for. */
const SUSPECTS_MAX = 4;
/** Text is not set wider than this, as long lines are hard to read; tables are. */
const TEXT_WIDTH_MAX = 100;

export function toTerminalText(report: ReportJson, options: { width: number; color: boolean }): string {
  const paper: Paper = options;
  const blocks = [
    voidNotice(report, paper),
    levels(report, paper),
    section("Sweet spot, knee, breaking point", pointTable(report), paper),
    section("The origin's tests beside ours", originTable(report), paper),
    section("Phase by phase", phaseTable(report), paper),
    ...report.sweeps.map((sweep) =>
      section(`Sweep of ${plainLine(sweep.setting)}`, sweepTable(sweep), paper),
    ),
    report.budget.length === 0 ? [] : section("Latency budget", budgetTable(report), paper),
    suspects(report, paper),
    section("Predicted and measured", verificationTable(report), paper),
    missing(report, paper),
    answers(readHeadline(report), paper),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function voidNotice(report: ReportJson, paper: Paper): string[] {
  if (report.void === null) return [];
  return paragraph(`VOID: this run proves nothing. ${plainLine(report.void)}`, "", "bad", paper);
}

function levels(report: ReportJson, paper: Paper): string[] {
  const groups = groupLevels(report.levels).map((group) => ({
    title: group.title,
    table: levelTable(report, group.levels),
  }));
  return groupLines(groups, paper);
}

function section(title: string, table: Table, paper: Paper): string[] {
  return table.rows.length === 0 ? [] : [painted(title, "strong", paper), ...tableLines(table, paper)];
}

function suspects(report: ReportJson, paper: Paper): string[] {
  if (report.suspects.length === 0) return [];
  const likely = report.suspects.filter(isLikely);
  const shown = likely.slice(0, SUSPECTS_MAX);
  const others = report.suspects.filter((one) => !shown.includes(one));
  return [
    painted("What limits it", "strong", paper),
    ...shown.flatMap((one) => suspect(report, one, paper)),
    ...(["possible", "unknown", "ruled-out"] as const).flatMap((verdict) => {
      const named = others.filter((one) => one.verdict === verdict).map((one) => one.id);
      return named.length === 0
        ? []
        : paragraph(`${VERDICT_WORDS[verdict]}: ${named.join(", ")}`, "  ", "quiet", paper);
    }),
  ];
}

function suspect(report: ReportJson, one: SuspectJson, paper: Paper): string[] {
  const place = report.suspects.indexOf(one) + 1;
  const verdict = painted(
    VERDICT_WORDS[one.verdict],
    one.verdict === "confirmed" ? "bad" : "possible",
    paper,
  );
  return [
    `${String(place).padStart(2)}. ${painted(plainLine(one.title), "strong", paper)} (${one.id}): ${verdict}`,
    ...one.for.flatMap((text) => labelled("for", text, paper)),
    ...one.against.flatMap((text) => labelled("against", text, paper)),
    ...labelled("check", plainText(one.check), paper),
    ...labelled("fix", one.fix, paper),
    ...labelled("gain", gainSentence(report, one), paper),
  ];
}

function missing(report: ReportJson, paper: Paper): string[] {
  if (report.missing.length === 0) return [];
  return [
    painted("What could not be seen", "strong", paper),
    ...report.missing.flatMap((text) => paragraph(plainLine(text), "  ", "quiet", paper)),
  ];
}

/** Last, as that is what stands above the prompt. */
function answers({ howMuch, whatStops, whatToDo, trust }: Headline, paper: Paper): string[] {
  const interval = howMuch.interval === "unknown" ? "interval unknown" : howMuch.interval;
  const remark = howMuch.remark === "" ? "" : `; ${howMuch.remark}`;
  const verdict = whatStops.suspect === null ? "" : `, ${VERDICT_WORDS[whatStops.suspect.verdict]}`;
  const figure = whatStops.figure === "" ? "" : `: ${whatStops.figure}`;
  const gain = whatToDo.gain === "" ? "" : ` (${whatToDo.gain})`;
  const failing = trust.checks.filter((check) => check.holds === false);
  return [
    ...answer("how much", `${howMuch.rate} req/s (${interval}) while ${howMuch.objective}${remark}`, paper),
    ...answer("what stops it", `${whatStops.title}${verdict}${figure}`, paper),
    ...answer("what to do", `${whatToDo.fix}${gain}`, paper),
    ...answer("trust it", [trust.summary, ...failing.map((check) => check.text)].join("; "), paper),
  ];
}

function answer(name: string, text: string, paper: Paper): string[] {
  const lines = wrap(text, textWidth(paper) - 15);
  return lines.map((line, index) =>
    `${painted((index === 0 ? name : "").padEnd(15), "quiet", paper)}${painted(line, index === 0 ? "strong" : "plain", paper)}`.trimEnd(),
  );
}

function labelled(label: string, text: string, paper: Paper): string[] {
  const lines = text.split("\n").flatMap((line) => wrap(plainLine(line), textWidth(paper) - 13));
  return lines.map((line, index) =>
    `    ${painted((index === 0 ? label : "").padEnd(9), "quiet", paper)}${line}`.trimEnd(),
  );
}

function paragraph(text: string, indent: string, tone: Tone, paper: Paper): string[] {
  return wrap(text, textWidth(paper) - indent.length).map((line) => indent + painted(line, tone, paper));
}

function textWidth({ width }: Paper): number {
  return Math.min(Math.max(width, 40), TEXT_WIDTH_MAX);
}
