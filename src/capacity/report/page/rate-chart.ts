// Rate against clients: what was measured as points, the fitted Universal Scalability Law as a line with its interval as
// a band, and the capacity that the search found as a level line. Points that missed the objective are hollow.

import { countText, isKnown, rateText } from "../figures.ts";
import { levelTitle, outcomeText, ownLevels } from "../level-table.ts";
import { element, type Markup, markup, NOTHING } from "../markup.ts";
import type { LevelJson, ReportJson, ScalabilityJson } from "../report-json.ts";
import {
  axisBottom,
  axisLeft,
  type Box,
  chart,
  drawBand,
  drawing,
  drawLine,
  type EndLabel,
  endLabels,
  linearScale,
  logScale,
  NARROW,
  type Scale,
  ticksAt,
  type Variant,
  WIDE,
} from "./plot.ts";

interface Point {
  readonly clients: number;
  readonly rate: number;
  readonly kind: "paced" | "unpaced";
  readonly isMet: boolean;
  readonly text: string;
}

const HEIGHT = 346;
const BOXES: Readonly<Record<"wide" | "narrow", Box>> = {
  wide: { left: 62, top: 34, right: WIDE - 130, bottom: 298 },
  narrow: { left: 48, top: 34, right: NARROW - 92, bottom: 298 },
};

export function rateChart(report: ReportJson): Markup {
  const points = pointsOf(report);
  if (!points.some((point) => point.rate > 0)) return NOTHING;
  const plot = BOXES.wide;
  const x = scaleX(report, points, plot);
  const tips = points.map((point) => ({
    at: (x(point.clients) - plot.left) / (plot.right - plot.left),
    text: point.text,
  }));
  return chart("rate", [draw(report, points, "wide"), draw(report, points, "narrow")], tips);
}

/** Closed-loop levels of the ladder, and those points of the fit that are no level. */
function pointsOf(report: ReportJson): Point[] {
  const points = ownLevels(report)
    .filter(
      (level) => level.kind !== "open" && level.void === null && level.clients > 0 && isKnown(level.rate),
    )
    .map((level) => pointOfLevel(level));
  for (const { clients, rate } of report.scalability?.points ?? []) {
    if (!isKnown(rate) || !(clients > 0)) continue;
    if (points.some((point) => point.kind === "unpaced" && point.clients === clients)) continue;
    const text = `${countText(clients)} clients\nrate ${rateText(rate)}/s`;
    points.push({ clients, rate, kind: "unpaced", isMet: true, text });
  }
  return points.sort((one, other) => one.clients - other.clients);
}

function pointOfLevel(level: LevelJson): Point {
  return {
    clients: level.clients,
    rate: level.rate,
    kind: level.kind === "paced" ? "paced" : "unpaced",
    isMet: level.objective_met,
    text: `${levelTitle(level)}\nrate ${rateText(level.rate)}/s\nobjective ${outcomeText(level)}`,
  };
}

function scaleX(report: ReportJson, points: readonly Point[], plot: Box): Scale {
  const clients = [...points, ...curveOf(report)].map((point) => point.clients);
  const least = Math.min(...clients);
  const most = Math.max(...clients);
  return most / least > 8
    ? logScale(least, most, plot.left + 10, plot.right - 8)
    : linearScale(most, plot.left, plot.right);
}

function curveOf(report: ReportJson): ScalabilityJson["curve"] {
  return (report.scalability?.curve ?? []).filter(
    (spot) => spot.clients > 0 && isKnown(spot.rate) && isKnown(spot.low) && isKnown(spot.high),
  );
}

function draw(report: ReportJson, points: readonly Point[], variant: Variant & ("wide" | "narrow")): Markup {
  const plot = BOXES[variant];
  const { capacity } = report;
  const curve = curveOf(report);
  const x = scaleX(report, points, plot);
  const highest = Math.max(
    ...points.map((point) => point.rate),
    ...curve.map((spot) => Math.min(spot.high, spot.rate * 1.5)),
    capacity.high ?? 0,
    capacity.rate ?? 0,
  );
  const y = linearScale(highest * 1.02, plot.bottom, plot.top);
  const clamp = (rate: number) => y(Math.min(Math.max(rate, 0), y.domain()[1]!));
  const ticks = ticksAt(
    x,
    points.map((point) => point.clients),
    variant === "wide" ? 40 : 34,
    tickText,
  );
  const ends: EndLabel[] = [];
  const end = curve.at(-1);
  if (end !== undefined)
    ends.push({
      y: clamp(end.rate),
      text: variant === "wide" ? "fitted law, 95 %" : "fitted law",
      className: "law",
    });
  for (const kind of ["unpaced", "paced"] as const) {
    const last = points.findLast((point) => point.kind === kind);
    if (last !== undefined) ends.push({ y: clamp(last.rate), text: kind, className: kind });
  }
  if (isKnown(capacity.rate))
    ends.push({
      y: clamp(capacity.rate),
      text: variant === "wide" ? `capacity ${rateText(capacity.rate)}` : "capacity",
      className: "capacity",
    });
  const description = `Requests a second against clients: ${points.length} measured points${curve.length > 0 ? " and the fitted law with its 95 % interval" : ""}`;
  return drawing(variant, variant === "wide" ? WIDE : NARROW, HEIGHT, plot, description, [
    axisLeft(
      plot,
      y,
      y.ticks(5).map((value) => ({ value, text: tickText(value) })),
      true,
    ),
    axisBottom(plot, x, ticks, "clients"),
    element("text", { x: plot.left, y: plot.top - 14, class: "lane-title" }, "requests a second"),
    drawBand(
      curve.map((spot) => ({ x: x(spot.clients), low: clamp(spot.low), high: clamp(spot.high) })),
      "band law",
    ),
    drawCapacity(report, plot, clamp),
    drawLine(
      curve.map((spot) => ({ x: x(spot.clients), y: clamp(spot.rate) })),
      "law",
    ),
    drawLine(
      points
        .filter((point) => point.kind === "paced")
        .map((point) => ({ x: x(point.clients), y: clamp(point.rate) })),
      "paced",
    ),
    markup`${points.map((point) => drawPoint(point, x(point.clients), clamp(point.rate)))}`,
    endLabels(plot.right, ends, plot.top, plot.bottom),
  ]);
}

function drawCapacity(report: ReportJson, plot: Box, y: (rate: number) => number): Markup {
  const { rate, low, high } = report.capacity;
  if (!isKnown(rate)) return NOTHING;
  const hasBand = isKnown(low) && isKnown(high) && high > low;
  return markup`${
    hasBand &&
    element("rect", {
      x: plot.left,
      width: plot.right - plot.left,
      y: y(high),
      height: y(low) - y(high),
      class: "band capacity",
    })
  }${element("line", { x1: plot.left, x2: plot.right, y1: y(rate), y2: y(rate), class: "line capacity" })}`;
}

function drawPoint(point: Point, x: number, y: number): Markup {
  const className = `dot ${point.kind}${point.isMet ? "" : " missed"}`;
  return point.kind === "unpaced"
    ? element("circle", { cx: x, cy: y, r: 4.5, class: className })
    : element("rect", { x: x - 3.6, y: y - 3.6, width: 7.2, height: 7.2, class: className });
}

function tickText(value: number): string {
  return value >= 1000 ? `${Number((value / 1000).toFixed(1))}k` : String(value);
}
