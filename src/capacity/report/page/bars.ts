// Rows of bars: phases, sweeps, gains before and after, and the stages of the latency budget. The texts are HTML, which
// wraps at any width; only the bars are drawings, stretched to the room there is, so nothing in them is text.

import {
  gainText,
  isKnown,
  msUnitText,
  partText,
  plainLine,
  rateText,
  rateUnitText,
  shareText,
} from "../figures.ts";
import { type Content, element, type Markup, markup, NOTHING } from "../markup.ts";
import type { BudgetRowJson, ReportJson, SweepJson, VerificationJson } from "../report-json.ts";

/** Units of a bar's drawing from its left to its right end. */
const LENGTH = 1000;

/** Shortest bar that is not lost to the eye. */
const SEEN_MIN = 4;

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly className: string;
}

export function phaseBars(report: ReportJson): Markup {
  const most = largest(report.phases.flatMap((row) => [row.rate, row.origin?.rate]));
  return markup`<div class="bars" data-bars="phases">${report.phases.map((row) => {
    const flags = row.flags.length === 0 ? "defaults" : row.flags.map(plainLine).join(" ");
    return markup`<div class="bar-row"><div class="bar-name"><b>${plainLine(row.phase)}</b> ${plainLine(row.architecture)} <code>${flags}</code></div>${barLine(
      { from: 0, to: share(row.rate, most), className: "rate" },
      [
        markup`<b>${rateUnitText(row.rate)}</b>`,
        `, p99 ${msUnitText(row.p99_ms)}, ${shareText(row.success_100)} success at 100 clients, limit ${row.limit === null ? "unknown" : plainLine(row.limit)}`,
      ],
    )}${
      row.origin !== null &&
      barLine(
        { from: 0, to: share(row.origin.rate, most), className: "origin" },
        `${rateUnitText(row.origin.rate)}, ${shareText(row.origin.success_100)} at the origin`,
      )
    }</div>`;
  })}</div>`;
}

export function sweepBars(sweep: SweepJson): Markup {
  const most = largest(sweep.rows.map((row) => row.rate));
  return markup`<div class="bars compact" data-bars="sweep">${sweep.rows.map(
    (row) =>
      markup`<div class="bar-row"><div class="bar-name"><b>${plainLine(row.value)}</b></div>${barLine(
        { from: 0, to: share(row.rate, most), className: "rate" },
        row.error === null
          ? [
              markup`<b>${rateUnitText(row.rate)}</b>`,
              `, ${isKnown(row.gain) ? gainText(row.gain) : "gain unknown"}, p99 ${msUnitText(row.p99_ms)}, ${shareText(row.success)} success`,
            ]
          : markup`<span class="bad">${plainLine(row.error)}</span>`,
      )}</div>`,
  )}</div>`;
}

/** Before, predicted and measured after, on one scale for all fixes tried. */
export function verificationBars(report: ReportJson): Markup {
  const most = largest(
    report.verification.flatMap((row) => [row.rate_before, row.rate_after, predictedRate(row)]),
  );
  return markup`<div class="verifications">${report.verification.map(
    (
      row,
    ) => markup`<article class="verification" data-bars="verification"><h3>${row.suspect}: <code>${plainLine(row.remedy)}</code></h3>
${verificationLine("before", row.rate_before, null, "before", most)}
${verificationLine("predicted", predictedRate(row), row.predicted, "predicted", most)}
${verificationLine("measured", row.rate_after, row.measured, "rate", most)}
<p>${plainLine(row.conclusion)}${row.next_suspect !== null && `. Next limit: ${row.next_suspect}.`}</p></article>`,
  )}</div>`;
}

function verificationLine(
  name: string,
  rate: number | null,
  gain: number | null,
  className: string,
  most: number,
): Markup {
  const text = isKnown(rate) ? `${rateText(rate)} req/s` : "";
  const factor = isKnown(gain) ? gainText(gain) : "";
  const figures = [text, factor].filter((part) => part !== "").join(", ");
  return markup`<div class="bar-row inline"><div class="bar-name">${name}</div>${barLine({ from: 0, to: share(rate, most), className }, figures === "" ? "unknown" : figures)}</div>`;
}

function predictedRate(row: VerificationJson): number | null {
  return isKnown(row.predicted) && isKnown(row.rate_before) ? row.rate_before * row.predicted : null;
}

/** The whole as one bar made of its stages, and below it each stage where it lies in the whole. */
export function budgetBars(report: ReportJson): Markup {
  const total = sum(report.budget.map((row) => row.ms));
  const origin = sum(report.budget.map((row) => row.origin_ms));
  const most = Math.max(total, origin);
  if (!(total > 0)) return NOTHING;
  let before = 0;
  let originBefore = 0;
  const spans = report.budget.map((row, index) => {
    const from = before;
    before += isKnown(row.ms) ? Math.max(0, row.ms) : 0;
    const originFrom = originBefore;
    originBefore += row.origin_ms ?? 0;
    const className = `stage-${index % 8}`;
    return {
      row,
      measured: { from: scaled(from, most), to: scaled(before, most), className },
      origin: { from: scaled(originFrom, most), to: scaled(originBefore, most), className },
    };
  });
  return markup`<div class="bars budget" data-bars="budget">
<div class="bar-row"><div class="bar-name"><b>measured</b></div>${barLine(
    spans.map((span) => span.measured),
    `${msUnitText(total)} on average`,
  )}</div>
${spans.map(
  ({ row, measured }) =>
    markup`<div class="bar-row thin"><div class="bar-name">${plainLine(row.stage)}</div>${barLine(seen(measured, row.ms), budgetText(row, total))}</div>`,
)}
${
  origin > 0 &&
  markup`<div class="bar-row"><div class="bar-name"><b>the origin's estimate</b></div>${barLine(
    spans.map((span) => span.origin),
    `${msUnitText(origin)} in the stages it named`,
  )}</div>`
}
</div>`;
}

/** However short a stage was, where it lies can be seen. */
function seen(bar: Bar, ms: number): Bar {
  if (!(ms > 0) || bar.to - bar.from >= SEEN_MIN) return bar;
  const from = Math.min(bar.from, LENGTH - SEEN_MIN);
  return { ...bar, from, to: from + SEEN_MIN };
}

function budgetText(row: BudgetRowJson, total: number): Content {
  const origin = row.origin_ms === null ? "" : `, origin ${msUnitText(row.origin_ms)}`;
  return [
    markup`<b>${msUnitText(row.ms)}</b>`,
    `, ${partText(row.ms, total)}`,
    markup`<span class="quiet">${origin}</span>`,
  ];
}

function barLine(bars: Bar | readonly Bar[], text: Content): Markup {
  const list = Array.isArray(bars) ? (bars as readonly Bar[]) : [bars as Bar];
  const rects = list
    .filter((bar) => bar.to > bar.from)
    .map((bar) =>
      element("rect", { x: bar.from, width: bar.to - bar.from, y: 0, height: 10, class: bar.className }),
    );
  return markup`<div class="bar"><svg viewBox="0 0 ${LENGTH} 10" preserveAspectRatio="none" aria-hidden="true">${rects}</svg><span class="bar-text">${text}</span></div>`;
}

function scaled(value: number, most: number): number {
  return (value / most) * LENGTH;
}

function share(value: number | null | undefined, most: number): number {
  return isKnown(value) && most > 0 ? Math.max(SEEN_MIN, scaled(Math.max(0, value), most)) : 0;
}

function largest(values: readonly (number | null | undefined)[]): number {
  return values.filter(isKnown).reduce((most, value) => Math.max(most, value), 0);
}

function sum(values: readonly (number | null)[]): number {
  return values.filter(isKnown).reduce((total, value) => total + Math.max(0, value), 0);
}
