// Which level shows the limit, and which the server in health. Pure.
//
// The limiting level is the first that missed the objective, in the order of the run: the gentlest load that was too
// much, where the cause stands alone and has not yet drawn others after it. A miss does not count where the same kind of
// load held at the same size or a larger one: then it was the machine's mood. Where none missed, it is the unpaced level
// with the highest rate, for its clients push as hard as the server lets them; where only the generator gave up (every
// unpaced level void), the first void one. Levels must be of one server with the same settings.

import type { Level } from "../level.ts";
import type { DiagnosedLevel } from "./reading.ts";

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
  const missed = sound.filter((index) => !levels[index]!.objective.met);
  const firm = missed.find((index) => !heldElsewhere(levels, sound, levels[index]!));
  if (firm !== undefined) return firm;
  const unpaced = sound.filter((index) => levels[index]!.kind === "unpaced");
  const pushed = highestRate(levels, unpaced);
  if (pushed !== null) return pushed;
  const firstVoid = levels.findIndex(({ load }) => load.void !== null);
  if (firstVoid >= 0) return firstVoid;
  return missed[0] ?? highestRate(levels, sound) ?? 0;
}

/** The same kind of load, at least as large, met the objective. */
function heldElsewhere(levels: readonly Level[], sound: readonly number[], missed: Level): boolean {
  return sound.some((index) => {
    const level = levels[index]!;
    return (
      level.kind === missed.kind &&
      level.objective.met &&
      level.paceMs === missed.paceMs &&
      level.load.plan.keepAlive === missed.load.plan.keepAlive &&
      sizeOf(level) >= sizeOf(missed)
    );
  });
}

function sizeOf(level: Level): number {
  return level.kind === "open" ? (level.plannedRate ?? 0) : level.clients;
}

function highestRate(levels: readonly Level[], indexes: readonly number[]): number | null {
  let best: number | null = null;
  for (const index of indexes)
    if (best === null || levels[index]!.load.rate > levels[best]!.load.rate) best = index;
  return best;
}
