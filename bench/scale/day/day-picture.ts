// The simulated day as one SVG: what was offered, stored and refused; what waited on the nodes and in the streams; what failed
// when. Drawn from the recorded day with d3's scales and shapes, so that the same record gives the same bytes.
import { type ScaleLinear, scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { withUnit } from "../units.ts";
import type { FailureKind } from "./failures.ts";
import { DRAWN, type RecordedDay } from "./recorded-day.ts";
import type { Sample } from "./run-day.ts";

interface Series {
  readonly label: string;
  readonly color: string;
  readonly isFilled: boolean;
  readonly value: (sample: Sample) => number;
}

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 24;
const PANEL_HEIGHT = 130;
const PANEL_GAP = 50;
const TOP = 40;
const STRIP_ROW = 18;
const HOUR = 3_600;
const INK = "#1f2933";
const FAINT = "#d9dee3";
const BLUE = "#2563a8";
const GREEN = "#2f855a";
const RED = "#c53030";
const AMBER = "#b7791f";

const STRIP: readonly (readonly [string, readonly FailureKind[]])[] = [
  ["cluster away", ["cluster-away"]],
  ["NATS server, election", ["server-away", "election"]],
  ["ingest node away", ["node-away", "node-lost"]],
  ["disk destroyed", ["node-lost"]],
  ["disk slow", ["disk-slow"]],
  ["drain away", ["drain-away", "drain-lost"]],
];

export function dayPicture({ settings, scenarios }: RecordedDay): string {
  const { samples, failures } = scenarios.find(({ name }) => name === DRAWN)!;
  const x = scaleLinear([0, settings.seconds], [LEFT, WIDTH - RIGHT]);
  const tops = [0, 1, 2].map((index) => TOP + index * (PANEL_HEIGHT + PANEL_GAP));
  const stripTop = tops[2]! + PANEL_HEIGHT + PANEL_GAP;
  const height = stripTop + STRIP.length * STRIP_ROW + 40;
  const outages = failures.flatMap((failure) =>
    failure.kind === "cluster-away"
      ? [band(x, failure.atS, failure.seconds, TOP, stripTop - PANEL_GAP + 8)]
      : [],
  );
  const panels = [
    panel(x, tops[0]!, samples, "metrics a second", "/s", [
      { label: "offered", color: BLUE, isFilled: true, value: ({ offered }) => offered },
      { label: "stored", color: GREEN, isFilled: false, value: ({ stored }) => stored },
      { label: "refused", color: RED, isFilled: true, value: ({ refused }) => refused },
    ]),
    panel(x, tops[1]!, samples, "on nodes", "", [
      {
        label: "metrics on their disks, not yet in a stream",
        color: AMBER,
        isFilled: true,
        value: ({ onNodes }) => onNodes,
      },
    ]),
    panel(x, tops[2]!, samples, "in streams", "", [
      {
        label: "metrics that no drain has yet",
        color: BLUE,
        isFilled: true,
        value: ({ inStreams }) => inStreams,
      },
    ]),
  ];
  const strip = STRIP.flatMap(([label, kinds], row) => {
    const top = stripTop + row * STRIP_ROW;
    const marks = failures.flatMap((failure) => {
      if (!kinds.includes(failure.kind)) return [];
      const seconds = "seconds" in failure ? failure.seconds : 0;
      const width = Math.max(2, x(Math.min(failure.atS + seconds, settings.seconds)) - x(failure.atS));
      return [
        `<rect x="${px(x(failure.atS))}" y="${top + 3}" width="${px(width)}" height="${STRIP_ROW - 6}" fill="${RED}"/>`,
      ];
    });
    const floor = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${top + STRIP_ROW}" y2="${top + STRIP_ROW}" stroke="${FAINT}"/>`;
    return [floor, text(LEFT - 8, top + 13, label, "end"), ...marks];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<title>A simulated day of a fleet: what was offered, what waited, what failed</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...outages,
    ...panels,
    text(LEFT, stripTop - 10, "what failed", "start", true),
    ...strip,
    ...hours(x, settings.seconds, height - 16),
    "</svg>",
    "",
  ].join("\n");
}

function panel(
  x: Scale,
  top: number,
  samples: readonly Sample[],
  title: string,
  unit: string,
  series: readonly Series[],
): string {
  const most = Math.max(1, ...samples.flatMap((sample) => series.map(({ value }) => value(sample))));
  const y = scaleLinear([0, most], [top + PANEL_HEIGHT, top]).nice(4);
  const grid = y
    .ticks(4)
    .flatMap((tick) => [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y(tick))}" y2="${px(y(tick))}" stroke="${FAINT}"/>`,
      text(LEFT - 8, y(tick) + 4, tick === 0 ? "0" : withUnit(tick, unit).replace(/ $/, ""), "end"),
    ]);
  const shapes = series.map(({ color, isFilled, value }) => {
    if (isFilled) {
      const shape = area<Sample>(
        (sample) => x(sample.atS),
        y(0),
        (sample) => y(value(sample)),
      );
      return `<path d="${tidy(shape([...samples])!)}" fill="${color}" fill-opacity="0.25" stroke="${color}" stroke-width="1"/>`;
    }
    const shape = line<Sample>(
      (sample) => x(sample.atS),
      (sample) => y(value(sample)),
    );
    return `<path d="${tidy(shape([...samples])!)}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  let at = LEFT + 150;
  const legend = series.flatMap(({ label, color }) => {
    const entry = [
      `<rect x="${at}" y="${top - 19}" width="10" height="10" fill="${color}"/>`,
      text(at + 15, top - 10, label, "start"),
    ];
    at += 40 + label.length * 6.5;
    return entry;
  });
  return [text(LEFT, top - 10, title, "start", true), ...legend, ...grid, ...shapes].join("\n");
}

type Scale = ScaleLinear<number, number>;

function hours(x: Scale, seconds: number, top: number): string[] {
  const gap = seconds >= 12 * HOUR ? 3 * HOUR : HOUR / 4;
  const count = Math.floor(seconds / gap) + 1;
  return Array.from({ length: count }, (_, index) => {
    const minutes = (index * gap) / 60;
    const label = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    return text(x(index * gap), top, label, index === 0 ? "start" : index === count - 1 ? "end" : "middle");
  });
}

function band(x: Scale, atS: number, seconds: number, top: number, bottom: number): string {
  return `<rect x="${px(x(atS))}" y="${top}" width="${px(x(atS + seconds) - x(atS))}" height="${bottom - top}" fill="${RED}" fill-opacity="0.07"/>`;
}

function text(
  x: number,
  y: number,
  words: string,
  anchor: "start" | "middle" | "end",
  isBold = false,
): string {
  const weight = isBold ? ' font-weight="600"' : "";
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}"${weight}>${words.replace(/&/g, "&amp;").replace(/</g, "&lt;")}</text>`;
}

/** A tenth of a pixel is enough, and the same on every runtime. */
function tidy(path: string): string {
  return path.replace(/-?\d+\.\d+(e-?\d+)?/g, (number) => px(Number(number)));
}

function px(value: number): string {
  return String(Number(value.toFixed(1)));
}
