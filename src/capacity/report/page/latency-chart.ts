// Latency against load: a small chart for each kind of load (paced, unpaced, at a planned rate), as their x axes are
// different things. p50 and p99 as counted from the planned send, and dashed as counted from the actual one: where the
// two part, a tool that waits for the server would have hidden its stalls. All y axes are the same, logarithmic.

import { OBJECTIVE_DEFAULT, parseObjective } from "../../search/objective.ts";
import { countText, isKnown, msText, rateText, shareText } from "../figures.ts";
import { levelTitle, outcomeText, ownLevels } from "../level-table.ts";
import { element, type Markup, markup, NOTHING } from "../markup.ts";
import type { LatencyJson, LevelJson, ReportJson } from "../report-json.ts";
import {
  axisBottom,
  axisLeft,
  type Box,
  chart,
  drawing,
  drawLine,
  type EndLabel,
  endLabels,
  linearScale,
  logScale,
  logTicks,
  type Scale,
  ticksAt,
} from "./plot.ts";

interface Panel {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  readonly levels: readonly LevelJson[];
  readonly x: (level: LevelJson) => number;
}

const WIDTH = 330;
const HEIGHT = 270;
const PLOT: Box = { left: 44, top: 14, right: 248, bottom: 222 };

const SERIES = [
  {
    className: "p99 uncorrected",
    label: "p99 uncorr.",
    of: (level: LevelJson) => level.latency_uncorrected_ms.p99,
  },
  {
    className: "p50 uncorrected",
    label: "p50 uncorr.",
    of: (level: LevelJson) => level.latency_uncorrected_ms.p50,
  },
  { className: "p99", label: "p99", of: (level: LevelJson) => level.latency_ms.p99 },
  { className: "p50", label: "p50", of: (level: LevelJson) => level.latency_ms.p50 },
] as const;

export function latencyCharts(report: ReportJson): Markup {
  const levels = ownLevels(report).filter((level) => level.void === null);
  const panels = panelsOf(levels).filter((panel) => panel.levels.length > 0);
  const objective = objectiveLines(report);
  const heights = [
    ...panels.flatMap((panel) => panel.levels.flatMap((level) => SERIES.map((series) => series.of(level)))),
    ...objective.map((line) => line.ms),
  ].filter((ms) => isKnown(ms) && ms > 0) as number[];
  if (panels.length === 0 || heights.length === objective.length) return NOTHING;
  const y = logScale(Math.min(...heights) * 0.8, Math.max(...heights) * 1.25, PLOT.bottom, PLOT.top);
  return markup`<div class="panels">${panels.map((panel) => drawPanel(panel, y, objective))}</div>`;
}

function panelsOf(levels: readonly LevelJson[]): Panel[] {
  const pace = levels.find((level) => level.kind === "paced")?.pace_ms;
  const usable = (kind: LevelJson["kind"], x: (level: LevelJson) => number) =>
    levels.filter((level) => level.kind === kind && x(level) > 0).sort((one, other) => x(one) - x(other));
  const clients = (level: LevelJson) => level.clients;
  const planned = (level: LevelJson) => level.planned_rate ?? 0;
  return [
    {
      name: "latency-paced",
      title: `Paced, every ${countText(pace)} ms`,
      axis: "clients",
      levels: usable("paced", clients),
      x: clients,
    },
    {
      name: "latency-unpaced",
      title: "Unpaced",
      axis: "clients",
      levels: usable("unpaced", clients),
      x: clients,
    },
    {
      name: "latency-open",
      title: "Planned rate",
      axis: "planned requests a second",
      levels: usable("open", planned),
      x: planned,
    },
  ];
}

/** The objective's bounds on latency, from its text; none where it has none or cannot be read. */
function objectiveLines(report: ReportJson): { text: string; ms: number }[] {
  try {
    const { latencyMsMax } = parseObjective(report.capacity.objective || OBJECTIVE_DEFAULT);
    return latencyMsMax
      .slice(0, 2)
      .map(([quantile, ms]) => ({ text: `objective ${quantile} ≤ ${Number(ms.toPrecision(6))} ms`, ms }));
  } catch {
    return [];
  }
}

function drawPanel(panel: Panel, y: Scale, objective: readonly { text: string; ms: number }[]): Markup {
  const values = panel.levels.map(panel.x);
  const first = values[0]!;
  const last = values.at(-1)!;
  const isLog = panel.axis === "clients" && last / first > 8;
  const x = isLog
    ? logScale(first, last, PLOT.left + 8, PLOT.right - 6)
    : linearScale(last, PLOT.left, PLOT.right - 6);
  const ticks = ticksAt(x, isLog ? values : x.ticks(4), isLog ? 38 : 44, tickText);
  const merged = medians(panel);
  const ends: EndLabel[] = [];
  const lines = SERIES.map((series) => {
    const spots = merged.map((group) => ({ x: x(group.x), y: positive(series.of, group.levels, y) }));
    const end = spots.findLast((spot) => spot.y !== null);
    if (end !== undefined) ends.push({ y: end.y!, text: series.label, className: series.className });
    return drawLine(spots, series.className);
  });
  const dots = panel.levels.map((level) =>
    drawDot(level.latency_ms, level.objective_met, x(panel.x(level)), y),
  );
  const limits = objective.map(({ ms, text }) => [
    element("line", { x1: PLOT.left, x2: PLOT.right, y1: y(ms), y2: y(ms), class: "objective" }),
    element("text", { x: PLOT.left + 5, y: y(ms) - 5, class: "label objective-text" }, text),
  ]);
  const description = `${panel.title}: p50 and p99 latency in milliseconds against ${panel.axis}, ${panel.levels.length} levels`;
  const svg = drawing("only", WIDTH, HEIGHT, PLOT, description, [
    axisLeft(
      PLOT,
      y,
      logTicks(y, 13, (value) => String(value)),
      true,
    ),
    axisBottom(PLOT, x, ticks, panel.axis),
    ...limits.flat(),
    ...lines,
    ...dots,
    endLabels(PLOT.right, ends, PLOT.top, PLOT.bottom, 13),
  ]);
  const tips = panel.levels.map((level) => ({
    at: (x(panel.x(level)) - PLOT.left) / (PLOT.right - PLOT.left),
    text: tipText(level),
  }));
  return markup`<figure class="panel"><figcaption>${panel.title}<span class="unit">latency, ms</span></figcaption>${chart(panel.name, [svg], tips)}</figure>`;
}

/** Levels of the same load (repeats) are one spot of the line, at their median. */
function medians(panel: Panel): { x: number; levels: LevelJson[] }[] {
  const groups = new Map<number, LevelJson[]>();
  for (const level of panel.levels) {
    const x = panel.x(level);
    const group = groups.get(x);
    if (group === undefined) groups.set(x, [level]);
    else group.push(level);
  }
  return [...groups].map(([x, levels]) => ({ x, levels }));
}

function positive(
  of: (level: LevelJson) => number | null,
  levels: readonly LevelJson[],
  y: Scale,
): number | null {
  const known = levels.map(of).filter((ms) => isKnown(ms) && ms > 0) as number[];
  known.sort((one, other) => one - other);
  const middle = known[Math.floor((known.length - 1) / 2)];
  return middle === undefined ? null : y(middle);
}

/** Filled where the objective was met, hollow where it was missed. */
function drawDot(latency: LatencyJson, isMet: boolean, x: number, y: Scale): Markup {
  const dot = (ms: number | null, className: string) =>
    isKnown(ms) &&
    ms > 0 &&
    element("circle", { cx: x, cy: y(ms), r: 3.2, class: `dot ${className}${isMet ? "" : " missed"}` });
  return markup`${dot(latency.p50, "p50")}${dot(latency.p99, "p99")}`;
}

function tickText(value: number): string {
  return value >= 1000 ? `${Number((value / 1000).toFixed(1))}k` : String(value);
}

function tipText(level: LevelJson): string {
  const { latency_ms, latency_uncorrected_ms } = level;
  return [
    levelTitle(level),
    `rate ${rateText(level.rate)}/s, success ${shareText(level.success)}`,
    `p50 ${msText(latency_ms.p50)} ms, uncorrected ${msText(latency_uncorrected_ms.p50)}`,
    `p99 ${msText(latency_ms.p99)} ms, uncorrected ${msText(latency_uncorrected_ms.p99)}`,
    `max ${msText(latency_ms.max)} ms`,
    `objective ${outcomeText(level)}`,
  ].join("\n");
}
