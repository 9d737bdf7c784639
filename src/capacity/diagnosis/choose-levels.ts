// Which level shows the limit, and which the server in health. Pure.
//
// The limiting level is the first that missed the objective, in the order of the run: the gentlest load that was too
// much, where the cause stands alone and has not yet drawn others after it. Three kinds of misses are passed over:
// a single one where as many clients with as many requests held elsewhere in the run (the machine's mood); and of those
// that missed by latency alone, those where the generator was late itself, or waited for a core (somebody disturbed it).
// Where none is left, it is the unpaced level with the highest rate, for its clients push as hard as the server lets them;
// where only the generator gave up (every unpaced level void), the first void one. Levels must be of one server with the
// same settings.

import type { Level } from "../level.ts";
import type { LoadResult } from "../load/load-result.ts";
import type { DiagnosedLevel } from "./reading.ts";
import { OTHERS_GENERATOR_WAIT, SEND_LAG_MS_LATE, SEND_LAG_SHARE } from "./thresholds.ts";

/** Misses that may be put down to the machine's mood; more of them are a pattern (a target that stalls). */
const STRAY_MISSES_MAX = 1;
const STRAY_SHARE_MAX = 0.1;

/** As judge() words a miss of a latency. */
const LATENCY_MISS = /^(mean|p\d+|max) /;

export interface ChosenLevels {
  readonly limiting: number;
  /** The level with the highest rate of those that met the objective and are not void. */
  readonly healthy: number | null;
}

/** There must be at least one level. */
export function chooseLevels(diagnosed: readonly DiagnosedLevel[]): ChosenLevels {
  const levels = diagnosed.map(({ level }) => level);
  const sound = levels.flatMap((level, index) => (level.load.void === null ? [index] : []));
  const healthy = highestRate(
    levels,
    sound.filter((index) => levels[index]!.objective.met),
  );
  return { limiting: limitingOf(levels, sound), healthy };
}

function limitingOf(levels: readonly Level[], sound: readonly number[]): number {
  const missed = sound.filter((index) => !levels[index]!.objective.met && !isDisturbed(levels[index]!));
  const stray = missed.filter((index) => heldElsewhere(levels, sound, levels[index]!));
  const areMoods = stray.length <= Math.max(STRAY_MISSES_MAX, STRAY_SHARE_MAX * sound.length);
  const firm = missed.find((index) => !areMoods || !stray.includes(index));
  if (firm !== undefined) return firm;
  const unpaced = sound.filter((index) => levels[index]!.kind === "unpaced");
  const pushed = highestRate(levels, unpaced);
  if (pushed !== null) return pushed;
  const firstVoid = levels.findIndex(({ load }) => load.void !== null);
  if (firstVoid >= 0) return firstVoid;
  const late = sound.find((index) => !levels[index]!.objective.met);
  return missed[0] ?? late ?? highestRate(levels, sound) ?? 0;
}

/** All was answered well, and what was slow may be the generator's: failures are the server's whoever disturbs. */
function isDisturbed({ load, objective }: Level): boolean {
  if (!objective.misses.every((miss) => LATENCY_MISS.test(miss))) return false;
  return isSendLate(load) || generatorWait(load) >= OTHERS_GENERATOR_WAIT;
}

/** Longest share of the time that a thread of it waited for a core. */
export function generatorWait({ generator }: LoadResult): number {
  return Math.max(0, ...generator.map(({ waitRatio }) => waitRatio ?? 0));
}

/** The generator's own lateness is a good part of the latency. */
export function isSendLate({ sendLag, latency, plan }: LoadResult): boolean {
  if (plan.arrivals.kind === "closed" && plan.arrivals.paceMs === 0) return false;
  const lagMs = sendLag.percentile(0.99) / 1e6;
  return lagMs >= SEND_LAG_MS_LATE && lagMs >= SEND_LAG_SHARE * (latency.percentile(0.99) / 1e6);
}

/** At least as many clients and requests met the objective. */
function heldElsewhere(levels: readonly Level[], sound: readonly number[], missed: Level): boolean {
  return sound.some((index) => {
    const level = levels[index]!;
    return (
      level.objective.met &&
      level.clients >= missed.clients &&
      level.load.plan.keepAlive === missed.load.plan.keepAlive &&
      level.load.rate >= attempted(missed)
    );
  });
}

/** Requests a second that it tried: refusals are quick, so that few successes may be many attempts. */
function attempted({ load, plannedRate }: Level): number {
  return plannedRate ?? (load.seconds > 0 ? load.requests / load.seconds : 0);
}

function highestRate(levels: readonly Level[], indexes: readonly number[]): number | null {
  let best: number | null = null;
  for (const index of indexes)
    if (best === null || levels[index]!.load.rate > levels[best]!.load.rate) best = index;
  return best;
}
