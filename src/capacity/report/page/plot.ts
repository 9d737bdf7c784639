// What every chart of the page is made of: scales (d3-scale), paths (d3-shape), axes, and labels at the ends of lines that
// do not cover each other. All is SVG text made here, without a DOM; colours are classes of charts.css, so that charts
// follow light and dark. Text in an SVG shrinks with it: at 360 pixels a chart made for a desk would be unreadable. So a
// wide chart is drawn twice, and fitting.css shows one of the two; small ones are put beside or below each other.

import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";
import { coordinate, element, Markup, markup } from "../markup.ts";

export type Scale = ScaleContinuousNumeric<number, number>;

/** Widths that the two drawings are made for, in units of the drawing; a unit is about a pixel. */
export const WIDE = 920;
export const NARROW = 360;

/** The plot area: marks lie inside of it. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Spot {
  readonly x: number;
  /** Null is a gap in the line. */
  readonly y: number | null;
}

export interface Tick {
  readonly value: number;
  readonly text: string;
}

/** One text that the pointer shows, at a share (0 to 1) of the plot's width: the same for both drawings. */
export interface Tip {
  readonly at: number;
  readonly text: string;
}

/** From 0 to at least the largest value, ending on a round number. */
export function linearScale(largest: number, from: number, to: number): Scale {
  return scaleLinear([0, largest > 0 ? largest : 1], [from, to]).nice(5);
}

/** Decades; what is not above 0 must not be drawn with it. The bounds are kept apart where all values are one. */
export function logScale(smallest: number, largest: number, from: number, to: number): Scale {
  const low = smallest > 0 ? smallest : 1;
  const high = largest > low ? largest : low * 2;
  return scaleLog([low, high], [from, to]);
}

/** Of the values given, those whose texts have room beside each other, the first and the last preferred. */
export function ticksAt(
  scale: Scale,
  values: readonly number[],
  gap: number,
  text: (value: number) => string,
): Tick[] {
  const sorted = [...new Set(values)].sort((one, other) => one - other);
  const last = sorted.at(-1);
  if (last === undefined) return [];
  const kept = sorted.filter((value) => value === last || Math.abs(scale(last) - scale(value)) >= gap);
  const ticks: Tick[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const value of kept) {
    if (value !== last && Math.abs(scale(value) - previous) < gap) continue;
    previous = scale(value);
    ticks.push({ value, text: text(value) });
  }
  return ticks;
}

/** Of a decade 1, 2 and 5, as room allows. */
export function logTicks(scale: Scale, gap: number, text: (value: number) => string): Tick[] {
  const [low, high] = scale.domain() as [number, number];
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    powers.push(10 ** power);
  const within = (value: number) => value >= low * 0.999 && value <= high * 1.001;
  const decades = powers.filter(within);
  const finer = powers.flatMap((power) => [power, power * 2, power * 5]).filter(within);
  const fits = finer.every(
    (value, index) => index === 0 || Math.abs(scale(value) - scale(finer[index - 1]!)) >= gap,
  );
  return (fits || decades.length < 2 ? finer : decades).map((value) => ({
    value: Number(value.toPrecision(1)),
    text: text(Number(value.toPrecision(1))),
  }));
}

/** Horizontal lines with their figures on the left. */
export function axisLeft(box: Box, scale: Scale, ticks: readonly Tick[], hasTexts: boolean): Markup {
  return markup`<g class="axis">${ticks.map(({ value, text }) => {
    const y = scale(value);
    return [
      element("line", { x1: box.left, x2: box.right, y1: y, y2: y, class: "grid" }),
      hasTexts && element("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, text),
    ];
  })}</g>`;
}

/** The base line with its figures and what they are of. */
export function axisBottom(box: Box, scale: Scale, ticks: readonly Tick[], title: string): Markup {
  return markup`<g class="axis">${element("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "base" })}${ticks.map(
    ({ value, text }) => {
      const x = scale(value);
      return [
        element("line", { x1: x, x2: x, y1: box.bottom, y2: box.bottom + 4, class: "base" }),
        element("text", { x, y: box.bottom + 17, "text-anchor": "middle" }, text),
      ];
    },
  )}${element("text", { x: (box.left + box.right) / 2, y: box.bottom + 35, "text-anchor": "middle", class: "title" }, title)}</g>`;
}

/** A line through the spots, broken where one is missing; a spot with no neighbour is drawn as a dot. */
export function drawLine(spots: readonly Spot[], className: string): Markup {
  const path = line<Spot>()
    .defined((spot) => spot.y !== null)
    .x((spot) => spot.x)
    .y((spot) => spot.y ?? 0)
    .digits(1)(spots);
  const alone = spots.filter(
    (spot, index) =>
      spot.y !== null && (spots[index - 1]?.y ?? null) === null && (spots[index + 1]?.y ?? null) === null,
  );
  return markup`${path !== null && element("path", { d: path, class: `line ${className}` })}${alone.map(
    (spot) => element("circle", { cx: spot.x, cy: spot.y, r: 2.5, class: `dot ${className}` }),
  )}`;
}

export function drawBand(
  spots: readonly { readonly x: number; readonly low: number; readonly high: number }[],
  className: string,
): Markup {
  const path = area<(typeof spots)[number]>()
    .x((spot) => spot.x)
    .y0((spot) => spot.low)
    .y1((spot) => spot.high)
    .digits(1)(spots);
  return markup`${path !== null && element("path", { d: path, class: className })}`;
}

export interface EndLabel {
  readonly y: number;
  readonly text: string;
  readonly className: string;
}

/** Texts beside the ends of lines, moved apart by at least `gap`, and kept between top and bottom. */
export function endLabels(
  x: number,
  labels: readonly EndLabel[],
  top: number,
  bottom: number,
  gap = 14,
): Markup {
  const placed = [...labels]
    .sort((one, other) => one.y - other.y)
    .map((label) => ({ ...label, at: label.y }));
  let lowest = top + 4;
  for (const label of placed) {
    label.at = Math.max(label.at, lowest);
    lowest = label.at + gap;
  }
  let highest = bottom;
  for (const label of placed.toReversed()) {
    label.at = Math.min(label.at, highest);
    highest = label.at - gap;
  }
  return markup`${placed.map((label) => [
    Math.abs(label.at - label.y) > 3 &&
      element("path", {
        d: `M${coordinate(x + 2)},${coordinate(label.y)}L${coordinate(x + 9)},${coordinate(label.at)}`,
        class: "leader",
      }),
    element("text", { x: x + 12, y: label.at + 4, class: `label ${label.className}` }, label.text),
  ])}`;
}

/** "only" is shown at every width, the other two at theirs. */
export type Variant = "wide" | "narrow" | "only";

/** One drawing; `plot` is where its marks lie, which page.js and the tests read. */
export function drawing(
  variant: Variant,
  width: number,
  height: number,
  plot: Box,
  description: string,
  ...content: readonly (Markup | readonly Markup[] | false)[]
): Markup {
  return element(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      class: variant,
      role: "img",
      "aria-label": description,
      "data-plot": [plot.left, plot.top, plot.right, plot.bottom].map(coordinate).join(" "),
    },
    content,
    element("line", {
      x1: plot.left,
      x2: plot.left,
      y1: plot.top,
      y2: plot.bottom,
      class: "cursor",
      visibility: "hidden",
    }),
  );
}

/** The drawing or the two, with what the pointer shows over them as plain values for page.js. */
export function chart(name: string, drawings: readonly Markup[], tips: readonly Tip[]): Markup {
  const values = JSON.stringify(tips.map(({ at, text }) => [Number(at.toFixed(4)), text]));
  return markup`<div class="chart" data-chart="${name}">${drawings}${element("script", { type: "application/json" }, scriptValue(values))}</div>`;
}

/** JSON inside of a script element: nothing in it may look like markup. */
function scriptValue(json: string): Markup {
  return new Markup(
    json.replace(
      /[<>&\u2028\u2029]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}
