// The three places on the way up that a reader looks for: the sweet spot (where to run it), the knee (where more clients
// stop paying) and the breaking point (where it no longer holds the objective). Pure; void levels count for nothing.

import type { Level } from "../level.ts";
import type { PointJson } from "../report/report-json.ts";

export interface Landmarks {
  readonly sweetSpot: PointJson | null;
  readonly knee: PointJson | null;
  readonly breakingPoint: PointJson | null;
  /** Clients at the breaking point; null where it is a rate and not a number of clients. */
  readonly clientsAtBreaking: number | null;
}

/** Of the best rate under the objective: levels this near to it are as good, and the one with the least latency wins. */
const SWEET_SHARE = 0.9;
/** Of the rate that paced clients ask for: below it they are kept waiting. */
const KEPT_UP_SHARE = 0.9;
/** A bend has something on either side. */
const KNEE_LEVELS_MIN = 3;

/** Levels of any order and kind; of the run's parts only the ladder is a climb, the search serves where there is none. */
export function findLandmarks(levels: readonly Level[]): Landmarks {
  const sound = levels.filter((level) => level.load.void === null);
  const breaking = findBreakingPoint(sound);
  return {
    sweetSpot: pointOrNull(findSweetSpot(sound)),
    knee: pointOrNull(findKnee(sound)),
    breakingPoint: pointOrNull(breaking),
    clientsAtBreaking: breaking === null || breaking.kind === "open" ? null : breaking.clients,
  };
}

export function pointOf(level: Level): PointJson {
  const { latency, rate, requests, succeeded } = level.load;
  return {
    clients: level.clients,
    rate,
    latency_ms: toMs(latency.mean()),
    p99_ms: toMs(latency.percentile(0.99)),
    success: requests === 0 ? 0 : succeeded / requests,
    level: level.id,
  };
}

/**
 * The most throughput for its latency: among the levels that met the objective and come within a tenth of the best rate
 * of those, the one with the largest rate ÷ p99. (Over all levels that quotient would name the lightest load there is:
 * latency falls faster than rate.)
 */
function findSweetSpot(levels: readonly Level[]): Level | null {
  const met = levels.filter((level) => level.objective.met);
  const ladder = met.filter((level) => level.part === "ladder");
  const candidates = ladder.length > 0 ? ladder : met;
  const rateBest = Math.max(...candidates.map((level) => level.load.rate));
  const near = candidates.filter((level) => level.load.rate >= rateBest * SWEET_SHARE);
  return largest(near, (level) => level.load.rate / (level.load.latency.percentile(0.99) || 1));
}

/**
 * Of unpaced clients the level with the most power, rate ÷ mean latency (Kleinrock's): while clients are served side by
 * side it grows with them, once they wait for each other it falls, and so its top is the bend. A measure by the shape of
 * the drawn curve, such as Kneedle's, moves to the right when a level with more clients is added; this one does not.
 * Of paced clients the last level that got what it asked for before one that did not. Null where there is no bend.
 */
function findKnee(levels: readonly Level[]): Level | null {
  const ladder = byClients(levels.filter((level) => level.part === "ladder" && level.load.succeeded > 0));
  const unpaced = ladder.filter((level) => level.kind === "unpaced");
  if (unpaced.length >= KNEE_LEVELS_MIN) {
    const top = largest(unpaced, (level) => level.load.rate / level.load.latencyUncorrected.mean());
    return top === unpaced.at(-1) ? null : top;
  }
  const paced = ladder.filter((level) => level.kind === "paced" && level.plannedRate !== null);
  const lost = paced.findIndex((level) => level.load.rate < level.plannedRate! * KEPT_UP_SHARE);
  return lost > 0 ? paced[lost - 1]! : null;
}

/**
 * The lowest level that missed the objective and above which none of its kind met it again: a single miss below levels
 * that hold is the machine's hiccup. Looked for among paced clients, as the origin did it, then among unpaced ones, then
 * among rates.
 */
function findBreakingPoint(levels: readonly Level[]): Level | null {
  const ladder = byClients(levels.filter((level) => level.part === "ladder"));
  const kinds = [
    ladder.filter((level) => level.kind === "paced"),
    ladder.filter((level) => level.kind === "unpaced"),
    levels.filter((level) => level.kind === "open").sort((a, b) => a.plannedRate! - b.plannedRate!),
  ];
  for (const climb of kinds) {
    const breaking = climb[climb.findLastIndex((level) => level.objective.met) + 1];
    if (breaking !== undefined) return breaking;
  }
  return null;
}

function byClients(levels: readonly Level[]): Level[] {
  return [...levels].sort((a, b) => a.clients - b.clients);
}

/** The first of those with the largest figure; null of none. */
function largest(levels: readonly Level[], figureOf: (level: Level) => number): Level | null {
  return levels.reduce<Level | null>(
    (best, level) => (best === null || figureOf(level) > figureOf(best) ? level : best),
    null,
  );
}

function pointOrNull(level: Level | null): PointJson | null {
  return level === null ? null : pointOf(level);
}

function toMs(nanoseconds: number): number | null {
  return Number.isNaN(nanoseconds) ? null : nanoseconds / 1e6;
}
