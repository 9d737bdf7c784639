// The levels of a run as tables: in groups of the same kind of load, with what each was asked and what came of it.

import { coarseShareText, countText, msText, plainLine, rateText, shareText } from "./figures.ts";
import type { LevelJson, ReportJson } from "./report-json.ts";
import { cell, numberColumn, type Table, textColumn } from "./report-table.ts";

export interface LevelGroup {
  readonly title: string;
  readonly levels: readonly LevelJson[];
}

const PART_TITLES: Readonly<Record<string, string>> = {
  search: "Search for the highest rate",
  repeat: "Repeats at the rate found",
  verify: "With a fix applied",
  phase: "Phases",
  sweep: "Sweeps",
};

const PARTS_OF_THE_LADDER = new Set(["ladder", "search", "repeat"]);

/** Levels under the server's own settings: the others were measured under changed ones and say nothing of it. */
export function ownLevels(report: ReportJson): LevelJson[] {
  return report.levels.filter((level) => PARTS_OF_THE_LADDER.has(level.part));
}

/** In the order in which they first occur. */
export function groupLevels(levels: readonly LevelJson[]): LevelGroup[] {
  const groups = new Map<string, LevelJson[]>();
  for (const level of levels) {
    const title = groupTitle(level);
    const group = groups.get(title);
    if (group === undefined) groups.set(title, [level]);
    else group.push(level);
  }
  return [...groups].map(([title, members]) => ({ title, levels: members }));
}

function groupTitle(level: LevelJson): string {
  if (level.part !== "ladder") return PART_TITLES[level.part] ?? plainLine(level.part);
  if (level.kind === "paced") return `Each client every ${countText(level.pace_ms)} ms`;
  return level.kind === "open" ? "At a planned rate" : "Each client as soon as it is answered";
}

/** "200 clients every 100 ms", "12,000/s planned": a level in words. */
export function levelTitle(level: LevelJson): string {
  if (level.kind === "open") return `${rateText(level.planned_rate)}/s planned`;
  const clients = `${countText(level.clients)} ${level.clients === 1 ? "client" : "clients"}`;
  return level.kind === "paced" ? `${clients} every ${countText(level.pace_ms)} ms` : `${clients}, unpaced`;
}

/** What the capacity says of this level: "sweet spot", "knee", "breaking point". */
export function levelMarks(report: ReportJson, level: LevelJson): string[] {
  const { sweet_spot, knee, breaking_point } = report.capacity;
  return [
    ...(sweet_spot?.level === level.id ? ["sweet spot"] : []),
    ...(knee?.level === level.id ? ["knee"] : []),
    ...(breaking_point?.level === level.id ? ["breaking point"] : []),
  ];
}

export function outcomeText(level: LevelJson): string {
  if (level.void !== null) return "void";
  if (level.objective_met) return "met";
  return level.objective_misses.length === 0
    ? "missed"
    : `missed: ${level.objective_misses.map(plainLine).join(", ")}`;
}

/** "timeout 812, refused 4": most frequent first. */
export function errorsText(errors: LevelJson["errors"]): string {
  const pairs = Object.entries(errors).filter(([, count]) => (count ?? 0) > 0);
  if (pairs.length === 0) return "none";
  pairs.sort((one, other) => (other[1] ?? 0) - (one[1] ?? 0));
  return pairs.map(([name, count]) => `${plainLine(name)} ${countText(count)}`).join(", ");
}

export function levelTable(report: ReportJson, levels: readonly LevelJson[]): Table {
  return {
    columns: [
      numberColumn("clients"),
      numberColumn("asked req/s", 3),
      numberColumn("rate req/s"),
      numberColumn("success"),
      numberColumn("p50 ms", 1),
      numberColumn("p99 ms"),
      numberColumn("p99 uncorrected", 5),
      numberColumn("max ms", 4),
      numberColumn("busiest thread", 6),
      textColumn("errors", 7),
      textColumn("objective"),
    ],
    rows: levels.map((level) => {
      const marks = levelMarks(report, level);
      const tone = level.void !== null ? "quiet" : level.objective_met ? "good" : "bad";
      return [
        cell(countText(level.clients)),
        level.planned_rate === null ? cell("all it can", "quiet") : cell(rateText(level.planned_rate)),
        cell(rateText(level.rate), "strong"),
        cell(shareText(level.success), level.success < 0.99 ? "bad" : "plain"),
        cell(msText(level.latency_ms.p50)),
        cell(msText(level.latency_ms.p99)),
        cell(msText(level.latency_uncorrected_ms.p99), "quiet"),
        cell(msText(level.latency_ms.max)),
        cell(coarseShareText(busiestThread(level))),
        cell(errorsText(level.errors), "quiet"),
        cell([outcomeText(level), ...marks].join(" · "), tone),
      ];
    }),
  };
}

/** The highest share of one core that a thread of the target used during the level; null where no thread was seen. */
export function busiestThread(level: LevelJson): number | null {
  let highest: number | null = null;
  for (const { thread_ratio } of level.evidence)
    if (thread_ratio !== null && (highest === null || thread_ratio > highest)) highest = thread_ratio;
  return highest;
}
