// The report as one HTML page that needs nothing but itself: no network, no font, no image. Its policy forbids all of
// them, and allows exactly its own style and script, by their hashes: were a target's text ever to become an element, it
// still could not run. Charts are drawn here as SVG, so the page says everything without a script; page.js adds what
// the pointer shows and buttons that copy.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { bytesText, countText, plainLine, settingText, shareText } from "./figures.ts";
import { readHeadline } from "./headline.ts";
import { lawText } from "./law-text.ts";
import { groupLevels, levelTable } from "./level-table.ts";
import { type Content, Markup, markup, NOTHING } from "./markup.ts";
import { budgetBars, phaseBars, sweepBars, verificationBars } from "./page/bars.ts";
import { evidenceRules, evidenceSection } from "./page/evidence-section.ts";
import { latencyCharts } from "./page/latency-chart.ts";
import { masthead, overview, voidBanner } from "./page/overview.ts";
import { rateChart } from "./page/rate-chart.ts";
import { suspectCards } from "./page/suspect-cards.ts";
import { tableMarkup } from "./page/table-markup.ts";
import type { ReportJson } from "./report-json.ts";
import type { Table } from "./report-table.ts";
import { originTable, pointTable } from "./section-tables.ts";

/** In this order: the last overrides. */
const STYLE_SHEETS = ["base.css", "sections.css", "suspects.css", "charts.css", "bars.css", "fitting.css"];

interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

export function toHtml(report: ReportJson): string {
  const style = STYLE_SHEETS.map(readPart).join("\n") + evidenceRules(report);
  const script = readPart("page.js");
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const sections = sectionsOf(report).filter((section) => hasContent(section.content));
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Capacity of ${plainLine(report.target.url)}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the results</a>
${masthead(report)}
${voidBanner(report)}
${overview(readHeadline(report), report.void !== null)}
<div class="columns">
<nav aria-label="Sections"><ol>${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<main id="main">
${sections.map(({ id, title, content }) => markup`<section id="${id}"><h2>${title}</h2>${content}</section>\n`)}
</main>
</div>
<script>${new Markup(script)}</script>
</body>
</html>
`;
  return page.text;
}

function sectionsOf(report: ReportJson): Section[] {
  return [
    { id: "findings", title: "Key findings", content: findings(report) },
    { id: "suspects", title: "What limits it", content: suspects(report) },
    { id: "latency", title: "Latency against load", content: latency(report) },
    { id: "rate", title: "Rate against clients", content: rate(report) },
    { id: "evidence", title: "Evidence over time", content: evidenceSection(report) },
    { id: "levels", title: "Results by level", content: levels(report) },
    { id: "verification", title: "Predicted and measured", content: verification(report) },
    { id: "budget", title: "Latency budget", content: budget(report) },
    {
      id: "origin",
      title: "The origin's tests beside ours",
      content: whole("The origin's five tests", originTable(report)),
    },
    { id: "phases", title: "Phase by phase", content: phases(report) },
    { id: "sweeps", title: "Sweeps", content: sweeps(report) },
    { id: "conclusion", title: "Conclusion", content: paragraphs(report.conclusion) },
    { id: "next-step", title: "Next step", content: sentences(report.next_step) },
    { id: "missing", title: "What could not be seen", content: sentences(report.missing) },
    { id: "setting", title: "How it was measured", content: setting(report) },
  ];
}

function findings(report: ReportJson): Content {
  return [sentences(report.findings), whole("Sweet spot, knee, breaking point", pointTable(report))];
}

function suspects(report: ReportJson): Content {
  return report.suspects.length === 0 ? NOTHING : suspectCards(report.suspects);
}

function latency(report: ReportJson): Content {
  const charts = latencyCharts(report);
  if (charts === NOTHING) return NOTHING;
  return markup`${charts}<p class="note">Lines count from the planned send. Dashed lines count from the actual send, as a tool does that waits for a slow server: the gap is what such a tool hides. Hollow points missed the objective.</p>`;
}

function rate(report: ReportJson): Content {
  const chart = rateChart(report);
  if (chart === NOTHING) return NOTHING;
  const law = report.scalability;
  return markup`${chart}${
    law === null
      ? markup`<p class="note">No law was fitted.</p>`
      : markup`<p class="note">${plainLine(law.note)}</p><ul class="facts">${lawText(law).map((text) => markup`<li>${text}</li>`)}</ul>`
  }`;
}

function levels(report: ReportJson): Content {
  if (report.levels.length === 0) return NOTHING;
  const groups = groupLevels(report.levels).map((group) => ({
    title: group.title,
    table: levelTable(report, group.levels),
  }));
  return tableMarkup("Results by level", groups);
}

function verification(report: ReportJson): Content {
  return report.verification.length === 0 ? NOTHING : verificationBars(report);
}

function budget(report: ReportJson): Content {
  if (report.budget.length === 0) return NOTHING;
  return budgetBars(report);
}

function phases(report: ReportJson): Content {
  return report.phases.length === 0 ? NOTHING : phaseBars(report);
}

function sweeps(report: ReportJson): Content {
  return report.sweeps.map(
    (sweep) =>
      markup`<div class="sweep"><h3><code>${plainLine(sweep.setting)}</code></h3>${sweepBars(sweep)}</div>`,
  );
}

function whole(caption: string, table: Table): Content {
  return table.rows.length === 0 ? NOTHING : tableMarkup(caption, [{ title: null, table }]);
}

function setting(report: ReportJson): Content {
  const { machine, target } = report;
  const facts: [string, string][] = [
    ["command", plainLine(report.command)],
    ["analyser", `tidemark ${plainLine(report.tidemark)}`],
    ["target", `${plainLine(target.url)}${target.is_own ? ", started by this run" : ""}`],
    [
      "server",
      `${plainLine(target.software ?? "unknown")}, pid ${target.pid === null ? "unknown" : String(target.pid)}`,
    ],
    [
      "processor",
      `${plainLine(machine.processor)}, ${countText(machine.cores)} ${machine.cores === 1 ? "core" : "cores"}`,
    ],
    ["memory", machine.memory_bytes > 0 ? bytesText(machine.memory_bytes) : "unknown"],
    ["system", plainLine(machine.system)],
    ["taken by the hypervisor", shareText(machine.stolen_ratio)],
  ];
  const settings = Object.entries(target.settings ?? {});
  return markup`<dl class="setting">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${
    settings.length > 0 &&
    markup`<h3>The server's settings</h3><dl class="setting">${settings.map(([name, value]) => markup`<div><dt>${plainLine(name)}</dt><dd>${settingText(value)}</dd></div>`)}</dl>`
  }`;
}

function sentences(texts: readonly string[]): Content {
  return texts.length === 0
    ? NOTHING
    : markup`<ul class="sentences">${texts.map((text) => markup`<li>${plainLine(text)}</li>`)}</ul>`;
}

function paragraphs(texts: readonly string[]): Content {
  return texts.map((text) => markup`<p>${plainLine(text)}</p>`);
}

function hasContent(content: Content): boolean {
  if (Array.isArray(content)) return content.some(hasContent);
  return content instanceof Markup && content.text !== "";
}

/** A file of the folder page/, as it is. */
function readPart(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
