// What was read of both sides during one level, over time: lanes under each other that share the time axis, so that the
// moment at which a resource came to its limit can be seen in the rate and in the latency too. That moment, and each
// stall, is marked through all lanes. Lanes of which nothing is known are left out.

import { bytesText, coarseShareText, countText, isKnown, msText, plainLine, rateText } from "../figures.ts";
import { levelTitle } from "../level-table.ts";
import { coordinate, element, type Markup, markup, NOTHING } from "../markup.ts";
import type { EvidencePoint, LevelJson } from "../report-json.ts";
import { thinEvidence } from "../thin-evidence.ts";
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
  NARROW,
  type Scale,
  ticksAt,
  type Variant,
  WIDE,
} from "./plot.ts";

interface Series {
  readonly key: Exclude<keyof EvidencePoint, "at_ms">;
  readonly label: string;
  readonly className: string;
}

interface Lane {
  readonly title: string;
  readonly height: number;
  readonly series: readonly Series[];
  readonly text: (value: number) => string;
  /** The top of the axis where it is the same for all levels. */
  readonly top: number | null;
}

const LANES: readonly Lane[] = [
  {
    title: "requests a second",
    height: 78,
    top: null,
    text: shortRate,
    series: [
      { key: "rate", label: "answered", className: "rate" },
      { key: "failed_rate", label: "failed", className: "failed" },
    ],
  },
  {
    title: "mean latency, ms",
    height: 78,
    top: null,
    text: (value) => msText(value),
    series: [{ key: "latency_ms_mean", label: "latency", className: "latency" }],
  },
  {
    title: "share of its limit",
    height: 150,
    top: 1,
    text: (value) => `${Math.round(value * 100)} %`,
    series: [
      { key: "thread_ratio", label: "busiest thread", className: "thread" },
      { key: "machine_ratio", label: "all cores", className: "cores" },
      { key: "accept_queue_ratio", label: "accept queue", className: "accept" },
      { key: "queue_ratio", label: "queue", className: "queue" },
      { key: "descriptors_ratio", label: "descriptors", className: "descriptors" },
    ],
  },
  {
    title: "delays, ms",
    height: 62,
    top: null,
    text: (value) => msText(value),
    series: [
      { key: "loop_lag_ms", label: "event loop", className: "loop" },
      { key: "sync_ms", label: "sync", className: "sync" },
    ],
  },
  {
    title: "memory",
    height: 48,
    top: null,
    text: (value) => bytesText(value),
    series: [{ key: "memory_bytes", label: "resident", className: "memory" }],
  },
];

const TOP = 46;
const LANE_GAP = 26;
/** Of a bold letter of the drawings' texts, in the widest of the usual fonts. */
const LETTER_WIDTH = 8.2;
const MARGINS = { wide: { left: 70, right: 128 }, narrow: { left: 58, right: 104 } };

/** Nothing where the level has no evidence that could be drawn. */
export function evidenceChart(level: LevelJson): Markup {
  const points = thinEvidence(level.evidence);
  const lanes = lanesOf(points);
  if (lanes.length === 0) return NOTHING;
  const { start, end } = timeSpan(level, points);
  const tips = points.map((point) => ({ at: (point.at_ms - start) / (end - start), text: tipText(point) }));
  return chart("evidence", [draw(level, points, lanes, "wide"), draw(level, points, lanes, "narrow")], tips);
}

export function hasEvidence(level: LevelJson): boolean {
  return lanesOf(level.evidence).length > 0;
}

function lanesOf(points: readonly EvidencePoint[]): Lane[] {
  return LANES.map((lane) => ({
    ...lane,
    series: lane.series.filter(({ key }) => points.some((point) => isKnown(point[key]))),
  })).filter((lane) => lane.series.length > 0);
}

function timeSpan(level: LevelJson, points: readonly EvidencePoint[]): { start: number; end: number } {
  const start = Math.min(0, points[0]!.at_ms);
  return { start, end: Math.max(points.at(-1)!.at_ms, level.seconds * 1000, start + 1) };
}

function draw(
  level: LevelJson,
  points: readonly EvidencePoint[],
  lanes: readonly Lane[],
  variant: Variant & ("wide" | "narrow"),
): Markup {
  const width = variant === "wide" ? WIDE : NARROW;
  const { left, right } = MARGINS[variant];
  const height = lanes.reduce((sum, lane) => sum + lane.height + LANE_GAP, TOP) + 22;
  const all: Box = { left, top: TOP, right: width - right, bottom: height - 22 - LANE_GAP };
  const { start, end } = timeSpan(level, points);
  const x = linearScale(1, 0, 1).domain([start, end]).range([all.left, all.right]);
  let top = TOP;
  const drawn = lanes.map((lane) => {
    const box = { ...all, top, bottom: top + lane.height };
    top = box.bottom + LANE_GAP;
    return drawLane(lane, box, points, x);
  });
  const seconds = ticksAt(x, x.ticks(variant === "wide" ? 8 : 4), 30, (ms) => String(ms / 1000));
  const description = `${levelTitle(level)}: evidence over ${msText(end - start)} ms; ${lanes.map((lane) => lane.title).join(", ")}`;
  return drawing(variant, width, height + 12, all, description, [
    ...level.stalls.slice(0, 50).map((stall) => drawStall(stall, all, x)),
    ...drawn,
    axisBottom({ ...all, top: all.bottom }, x, seconds, "seconds since the level's start"),
    drawSaturation(level, all, x, width),
  ]);
}

function drawLane(lane: Lane, box: Box, points: readonly EvidencePoint[], x: Scale): Markup {
  const values = points.flatMap((point) => lane.series.map(({ key }) => point[key])).filter(isKnown);
  const highest = values.reduce((most, value) => Math.max(most, value), 0);
  const isBytes = lane.series[0]!.key === "memory_bytes";
  const y = linearScale(
    isBytes ? roundBytes(highest) : Math.max(lane.top ?? 0, highest),
    box.bottom,
    box.top,
  );
  if (isBytes) y.domain([0, roundBytes(highest)]);
  const domainTop = y.domain()[1]!;
  const ticks = (lane.height > 100 ? y.ticks(4) : [0, domainTop]).map((value) => ({
    value,
    text: lane.text(value),
  }));
  const ends: EndLabel[] = [];
  const lines = lane.series.map(({ key, label, className }) => {
    const spots = points.map((point) => {
      const value = point[key];
      return { x: x(point.at_ms), y: isKnown(value) ? y(Math.max(0, value)) : null };
    });
    const last = spots.findLast((spot) => spot.y !== null);
    if (last !== undefined) ends.push({ y: last.y!, text: label, className });
    return drawLine(spots, className);
  });
  return markup`<g class="lane">${element("text", { x: box.left, y: box.top - 7, class: "lane-title" }, lane.title)}${axisLeft(box, y, ticks, true)}${lines}${endLabels(box.right, ends, box.top - 6, box.bottom + 4, 13)}</g>`;
}

/** Up to a quarter of a power of two, so that the axis ends on a round number of MiB. */
function roundBytes(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes))) - 2);
  return Math.max(1, Math.ceil(bytes / step) * step);
}

function drawStall(stall: LevelJson["stalls"][number], all: Box, x: Scale): Markup {
  const from = clamp(x(stall.at_ms), all.left, all.right);
  const to = clamp(x(stall.at_ms + stall.lasted_ms), all.left, all.right);
  const middle = (from + to) / 2;
  const text = `no answer for ${msText(stall.lasted_ms)} ms`;
  const isFree = middle > all.left + 180 && middle < all.right - 60;
  return markup`${element(
    "rect",
    { x: from, y: all.top, width: Math.max(1, to - from), height: all.bottom - all.top, class: "stall" },
    element("title", {}, text),
  )}${isFree && element("text", { x: middle, y: all.top - 7, "text-anchor": "middle", class: "stall-text" }, text)}`;
}

function drawSaturation(level: LevelJson, all: Box, x: Scale, width: number): Markup {
  if (level.saturation === null) return NOTHING;
  const at = clamp(x(level.saturation.at_ms), all.left, all.right);
  const isLate = at > width / 2;
  const letters = Math.floor(((isLate ? at : width - at) - 12) / LETTER_WIDTH);
  return markup`<g class="saturation">${element("line", { x1: at, x2: at, y1: all.top - 28, y2: all.bottom })}${element(
    "path",
    { d: `M${coordinate(at - 5)},${all.top - 36}h10l-5,8z` },
  )}${element(
    "text",
    { x: isLate ? at - 9 : at + 9, y: all.top - 27, "text-anchor": isLate ? "end" : "start" },
    shortened(`saturated: ${plainLine(level.saturation.resource)}`, letters),
  )}</g>`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function shortRate(value: number): string {
  return value >= 1000 ? `${Number((value / 1000).toFixed(1))}k` : rateText(value);
}

function tipText(point: EvidencePoint): string {
  const lines = [
    `${Number((point.at_ms / 1000).toFixed(2))} s`,
    isKnown(point.rate) && `answered ${rateText(point.rate)}/s, failed ${rateText(point.failed_rate)}/s`,
    isKnown(point.latency_ms_mean) && `mean latency ${msText(point.latency_ms_mean)} ms`,
    isKnown(point.thread_ratio) && `busiest thread ${coarseShareText(point.thread_ratio)} of a core`,
    isKnown(point.process_cores) && `its process ${Number(point.process_cores.toFixed(2))} cores`,
    isKnown(point.machine_ratio) && `all cores ${coarseShareText(point.machine_ratio)}`,
    isKnown(point.accept_queue_ratio) && `accept queue ${coarseShareText(point.accept_queue_ratio)}`,
    isKnown(point.listen_overflows) && `listen overflows ${countText(point.listen_overflows)}`,
    isKnown(point.queue_ratio) && `queue ${coarseShareText(point.queue_ratio)}`,
    isKnown(point.descriptors_ratio) && `descriptors ${coarseShareText(point.descriptors_ratio)}`,
    isKnown(point.loop_lag_ms) && `event loop late ${msText(point.loop_lag_ms)} ms`,
    isKnown(point.sync_ms) && `sync ${msText(point.sync_ms)} ms`,
    isKnown(point.memory_bytes) && `memory ${bytesText(point.memory_bytes)}`,
  ];
  return lines.filter((line) => line !== false).join("\n");
}
