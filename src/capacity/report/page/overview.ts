// The first screen: how much, what stops it, what to do, and how far to trust it; above them, what was measured, and
// loudly where the run proves nothing.

import { bytesText, countText, dateText, durationText, plainLine } from "../figures.ts";
import { type Headline, VERDICT_WORDS } from "../headline.ts";
import { type Markup, markup } from "../markup.ts";
import type { ReportJson } from "../report-json.ts";
import { icon } from "./icons.ts";

export function masthead(report: ReportJson): Markup {
  const { target, machine } = report;
  const software = target.software ?? "server not known";
  const size = `${countText(machine.cores)} ${machine.cores === 1 ? "core" : "cores"}${machine.memory_bytes > 0 ? `, ${bytesText(machine.memory_bytes)}` : ""}`;
  return markup`<header class="masthead">
<p class="brand">Tidemark · capacity report</p>
<h1>${plainLine(target.url)}</h1>
<p class="meta"><span>${plainLine(software)}</span><span>${dateText(report.started_at)}</span><span>took ${durationText(report.took_s)}</span><span>${size}</span></p>
</header>`;
}

export function voidBanner(report: ReportJson): Markup | false {
  if (report.void === null) return false;
  return markup`<div class="void" role="alert">${icon("warning")}<div><strong>This run proves nothing.</strong> <span>${plainLine(report.void)}</span></div></div>`;
}

export function overview(headline: Headline, isVoid: boolean): Markup {
  const { howMuch, whatStops, whatToDo, trust } = headline;
  const verdict = whatStops.suspect?.verdict;
  return markup`<section class="answers${isVoid && " is-void"}" aria-label="At a glance">
<article class="answer" id="how-much"><h2>How much</h2>
<p class="big">${howMuch.rate}<span class="unit"> req/s</span></p>
<p>${howMuch.interval === "unknown" ? "interval unknown" : markup`<span class="interval">${howMuch.interval}</span>`}</p>
<p class="quiet">while ${unbroken(howMuch.objective)}</p>
${howMuch.remark !== "" && markup`<p class="remark">${howMuch.remark}</p>`}
${howMuch.points.length > 0 && markup`<ul>${howMuch.points.map((text) => markup`<li>${text}</li>`)}</ul>`}</article>
<article class="answer ${verdict ?? "unknown"}" id="what-stops-it"><h2>What stops it</h2>
<p class="big words">${whatStops.title}</p>
${verdict !== undefined && markup`<p class="verdict ${verdict}">${icon(verdict)}${VERDICT_WORDS[verdict]}</p>`}
${whatStops.figure !== "" && markup`<p class="quiet">${whatStops.figure}</p>`}
${whatStops.others.length > 0 && markup`<ul>${whatStops.others.slice(0, 3).map(({ title, verdict }) => markup`<li>then: ${plainLine(title)}, ${VERDICT_WORDS[verdict]}</li>`)}</ul>`}</article>
<article class="answer" id="what-to-do"><h2>What to do</h2>
<p class="fix">${whatToDo.fix}</p>
${whatToDo.gain !== "" && markup`<p class="quiet">${whatToDo.gain}</p>`}</article>
<article class="answer" id="how-far-to-trust-it"><h2>How far to trust it</h2>
<p class="fix">${trust.summary}</p>
<ul class="checks">${trust.checks.map(
    ({ holds, text }) =>
      markup`<li class="${holds === null ? "open" : holds ? "holds" : "fails"}">${icon(holds === null ? "unknown" : holds ? "holds" : "fails")}<span class="hidden">${holds === null ? "unknown: " : holds ? "holds: " : "fails: "}</span><span>${text}</span></li>`,
  )}</ul></article>
</section>`;
}

/** A bound and its unit stay on one line: "≥ 99 %". */
function unbroken(text: string): string {
  return text.replace(/ (?=[%≥≤]|ms|s\b)|(?<=[≥≤]) /g, "\u00a0");
}
