// From totals to what they grew by. Samples hold totals since whenever they began; what is not known is null and is left
// out. Pure.

import type { MachineSample, Sample } from "./sample.ts";

export type Figure = (sample: Sample) => number | null | undefined;

/** The known figures, in order. */
export function knownFigures(samples: readonly Sample[], figure: Figure): number[] {
  return samples.map(figure).filter((value) => value !== null && value !== undefined);
}

export function largestFigure(samples: readonly Sample[], figure: Figure): number | null {
  const known = knownFigures(samples, figure);
  return known.length === 0 ? null : Math.max(...known);
}

export function smallestFigure(samples: readonly Sample[], figure: Figure): number | null {
  const known = knownFigures(samples, figure);
  return known.length === 0 ? null : Math.min(...known);
}

/** The middle one; of an even number the lower of the two in the middle. */
export function medianFigure(samples: readonly Sample[], figure: Figure): number | null {
  const known = knownFigures(samples, figure).sort((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor((known.length - 1) / 2)]!;
}

/** The last known one. */
export function lastFigure(samples: readonly Sample[], figure: Figure): number | null {
  return knownFigures(samples, figure).at(-1) ?? null;
}

/** From the first known to the last; null with fewer than two, and where it went back: what was counted changed. */
export function growthOf(samples: readonly Sample[], figure: Figure): number | null {
  const known = knownFigures(samples, figure);
  if (known.length < 2) return null;
  const growth = known.at(-1)! - known[0]!;
  return growth < 0 ? null : growth;
}

/** growthOf() a second of the time between the two samples it is from. */
export function rateOf(samples: readonly Sample[], figure: Figure): number | null {
  const growth = growthOf(samples, figure);
  const known = samples.filter((sample) => (figure(sample) ?? null) !== null);
  const seconds = known.length < 2 ? 0 : (known.at(-1)!.atMs - known[0]!.atMs) / 1e3;
  return growth === null || seconds <= 0 ? null : growth / seconds;
}

/** Growth of a counter that begins again at 0 when its server is started again: what it then shows is growth too. */
export function growthOverRestarts(known: readonly number[]): number {
  let growth = 0;
  for (let index = 1; index < known.length; index++) {
    const step = known[index]! - known[index - 1]!;
    growth += step < 0 ? known[index]! : step;
  }
  return growth;
}

/** a ÷ b, null where either is not known or b is 0. */
export function ratioOf(a: number | null | undefined, b: number | null | undefined): number | null {
  if (a === null || a === undefined || b === null || b === undefined || b === 0) return null;
  return a / b;
}

/** a + b, null where either is not known. */
export function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** Growth of a figure of CPU seconds as a share of all CPU time that the machine had meanwhile. */
export function machineShare(
  samples: readonly Sample[],
  figure: (machine: MachineSample) => number | null,
): number | null {
  const all: Figure = ({ machine }) => sumOf(sumOf(machine.busyS, machine.stolenS), machine.idleS);
  return ratioOf(
    growthOf(samples, ({ machine }) => figure(machine)),
    growthOf(samples, all),
  );
}
