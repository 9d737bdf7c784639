// The report as Markdown, in the form of the page that the product started from: results, key findings, suspects with
// their evidence, phase by phase, latency against load, latency budget, conclusion, next step; but measured.
// What came from outside is escaped, so that a server's name is never a heading, a link, or a table's end.

import {
  bytesText,
  countText,
  dateText,
  durationText,
  gainText,
  isKnown,
  plainLine,
  plainText,
  settingText,
  shareText,
} from "./figures.ts";
import { type Headline, readHeadline, VERDICT_WORDS } from "./headline.ts";
import { lawText } from "./law-text.ts";
import { groupLevels, levelTable, ownLevels } from "./level-table.ts";
import type { LevelJson, ReportJson, SuspectJson } from "./report-json.ts";
import type { Table } from "./report-table.ts";
import {
  budgetTable,
  loadTable,
  originTable,
  phaseTable,
  pointTable,
  sweepTable,
  verificationTable,
} from "./section-tables.ts";

export function toMarkdown(report: ReportJson): string {
  const blocks = [
    ...opening(report),
    ...atAGlance(readHeadline(report)),
    ...results(report),
    ...keyFindings(report),
    ...suspects(report),
    ...verification(report),
    ...phases(report),
    ...latencyAgainstLoad(report),
    ...budget(report),
    ...origin(report),
    ...closing(report),
    ...method(report),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function opening(report: ReportJson): string[] {
  const { machine, target } = report;
  const facts = [
    ["Target", `${escaped(target.url)} (${escaped(target.software ?? "server not known")})`],
    ["Date", `${escaped(dateText(report.started_at))}, took ${durationText(report.took_s)}`],
    [
      "Machine",
      `${escaped(machine.processor)}, ${countText(machine.cores)} ${machine.cores === 1 ? "core" : "cores"}, ${machine.memory_bytes > 0 ? bytesText(machine.memory_bytes) : "memory unknown"}, ${escaped(machine.system)}`,
    ],
    ["Command", code(report.command)],
  ];
  return [
    `# Capacity of ${escaped(target.url)}`,
    facts.map(([name, text]) => `- **${name}:** ${text}`).join("\n"),
    ...(report.void === null ? [] : [`> **VOID: this run proves nothing.** ${escaped(report.void)}`]),
  ];
}

function atAGlance({ howMuch, whatStops, whatToDo, trust }: Headline): string[] {
  const interval = howMuch.interval === "unknown" ? "interval unknown" : howMuch.interval;
  const remark = howMuch.remark === "" ? "" : `; ${howMuch.remark}`;
  const verdict = whatStops.suspect === null ? "" : ` (${VERDICT_WORDS[whatStops.suspect.verdict]})`;
  const figure = whatStops.figure === "" ? "" : `: ${escaped(whatStops.figure)}`;
  const gain = whatToDo.gain === "" ? "" : ` (${whatToDo.gain})`;
  const marks = { true: "yes", false: "**no**", null: "unknown" };
  return [
    [
      `- **How much:** ${howMuch.rate} req/s (${interval}) while ${escaped(howMuch.objective)}${remark}`,
      `- **What stops it:** ${escaped(whatStops.title)}${verdict}${figure}`,
      `- **What to do:** ${escaped(whatToDo.fix)}${gain}`,
      `- **How far to trust it:** ${trust.summary}`,
      ...trust.checks.map(({ holds, text }) => `  - ${marks[`${holds}`]}: ${escaped(text)}`),
    ].join("\n"),
  ];
}

function results(report: ReportJson): string[] {
  if (report.levels.length === 0) return [];
  const groups = groupLevels(report.levels);
  return [
    "## Results",
    ...groups.flatMap((group) => [`### ${escaped(group.title)}`, table(levelTable(report, group.levels))]),
  ];
}

function keyFindings(report: ReportJson): string[] {
  const law = report.scalability;
  const findings = [...report.findings.map(escaped), ...(law === null ? [] : [escaped(law.note)])];
  return [
    "## Key findings",
    ...(findings.length === 0 ? [] : [list(findings)]),
    table(pointTable(report)),
    ...(law === null
      ? []
      : [`The fitted law (Universal Scalability Law, 95 % intervals): ${lawText(law).join("; ")}.`]),
  ];
}

function suspects(report: ReportJson): string[] {
  if (report.suspects.length === 0) return [];
  return ["## What limits it", "In the order of likelihood.", ...report.suspects.flatMap(suspect)];
}

function suspect(one: SuspectJson, index: number): string[] {
  const predicted = isKnown(one.gain.predicted) ? gainText(one.gain.predicted) : "cannot be said";
  const measured = isKnown(one.gain.measured) ? gainText(one.gain.measured) : "not tried";
  const sentences = (texts: readonly string[]) =>
    texts.length === 0 ? " nothing seen" : `\n${texts.map((text) => `  - ${escaped(text)}`).join("\n")}`;
  return [
    `### ${index + 1}. ${escaped(one.title)} (\`${one.id}\`): ${VERDICT_WORDS[one.verdict].toUpperCase()}`,
    [
      `- **For:**${sentences(one.for)}`,
      `- **Against:**${sentences(one.against)}`,
      `- **Check:** ${code(one.check)}`,
      `- **Fix:** ${escaped(one.fix)}`,
      `- **Gain:** predicted ${predicted}, measured ${measured}`,
    ].join("\n"),
  ];
}

function verification(report: ReportJson): string[] {
  return whole("## Predicted and measured", verificationTable(report));
}

function phases(report: ReportJson): string[] {
  return [
    ...whole("## Phase by phase", phaseTable(report)),
    ...report.sweeps.flatMap((sweep) => whole(`## Sweep of ${escaped(sweep.setting)}`, sweepTable(sweep))),
  ];
}

function latencyAgainstLoad(report: ReportJson): string[] {
  const levels: readonly LevelJson[] = ownLevels(report);
  return whole("## Latency against load", loadTable(report, levels));
}

function budget(report: ReportJson): string[] {
  return report.budget.length === 0 ? [] : whole("## Latency budget", budgetTable(report));
}

function origin(report: ReportJson): string[] {
  return whole("## The origin's tests beside ours", originTable(report));
}

function closing(report: ReportJson): string[] {
  return [
    ...(report.conclusion.length === 0 ? [] : ["## Conclusion", report.conclusion.map(escaped).join("\n\n")]),
    ...(report.next_step.length === 0
      ? []
      : ["## Next step", report.next_step.map((text, index) => `${index + 1}. ${escaped(text)}`).join("\n")]),
    ...(report.missing.length === 0 ? [] : ["## What could not be seen", list(report.missing.map(escaped))]),
  ];
}

function method(report: ReportJson): string[] {
  const { target, machine } = report;
  const settings = Object.entries(target.settings ?? {});
  return [
    "## How it was measured",
    list([
      `by tidemark ${escaped(report.tidemark)}; the target ${target.is_own ? "was started by this run" : "was running already"}, pid ${target.pid === null ? "unknown" : target.pid}`,
      "latency counts from the planned send; uncorrected latency from the actual one",
      `CPU time taken by the hypervisor: ${shareText(machine.stolen_ratio)}`,
      ...settings.map(([name, value]) => `${escaped(name)}: ${escaped(settingText(value))}`),
    ]),
  ];
}

function whole(heading: string, content: Table): string[] {
  return content.rows.length === 0 ? [] : [heading, table(content)];
}

function table({ columns, rows }: Table): string {
  const lines = [
    columns.map((column) => escaped(column.head)),
    columns.map((column) => (column.isNumber ? "---:" : "---")),
    ...rows.map((row) =>
      row.map(({ text, tone }) =>
        tone === "strong" && text !== "" ? `**${escaped(text)}**` : escaped(text),
      ),
    ),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `- ${text}`).join("\n");
}

/** Text that stays text: no mark of Markdown or HTML in it works. One line. "p99 < 50 ms" stays readable as it is. */
function escaped(text: string): string {
  return plainLine(text)
    .replace(/[\\`*_[\]|#~]/g, "\\$&")
    .replace(/&(?=#|\w+;)/g, "&amp;")
    .replace(/<(?=[a-z/!?])/gi, "&lt;")
    .replace(/^(\s*)>/, "$1\\>")
    .replace(/^(\s*)([-+]|\d+[.)])(\s)/, "$1\\$2$3");
}

/** A code span, or a fenced block where it has several lines; its fence is longer than any run of backticks inside. */
function code(text: string): string {
  const plain = plainText(text).trim();
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map((run) => run[0].length));
  if (!plain.includes("\n")) {
    const fence = "`".repeat(longest + 1);
    const pad = longest > 0 ? " " : "";
    return `${fence}${pad}${plain}${pad}${fence}`;
  }
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `\n\n  ${fence}\n${plain.replace(/^/gm, "  ")}\n  ${fence}\n`;
}
