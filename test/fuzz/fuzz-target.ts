// What can be fuzzed: something that makes an input from a generator, and something that throws where the input is dealt
// with wrongly. The same seed makes the same input; a check may draw more from its own generator (where to cut it, say).

import { randomOf } from "../../src/metric/batch-samples.ts";
import type { Random } from "../crash/random.ts";

export interface FuzzTarget<Input = unknown> {
  readonly name: string;
  make(random: Random): Input;
  /** Throws where something is wrong; returns whether the input was taken. */
  check(input: Input, random: Random): boolean;
  /** For a person, and to put into a test. */
  show(input: Input): string;
}

export interface FuzzTally {
  inputs: number;
  taken: number;
  /** Slowest input, milliseconds, of those that were looked at again the least of all looks. */
  msMax: number;
  /** Inputs that were slow every time, and those that were dealt with wrongly. */
  slow: string[];
  wrong: string[];
}

/** No input may hold a thread up for longer, milliseconds. */
export const INPUT_MS_MAX = 50;
/** A slow input counts once it was slow alone too: others use the machine, and memory is collected at times. */
const LOOKS_AGAIN = 10;

export function emptyTally(): FuzzTally {
  return { inputs: 0, taken: 0, msMax: 0, slow: [], wrong: [] };
}

/** Makes and checks the inputs `from` to `to` of that seed; each is the same in whatever range it is. */
export function fuzz(target: FuzzTarget, seed: number, from: number, to: number, tally: FuzzTally): void {
  for (let index = from; index < to; index++) {
    const random = randomOf(Math.imul(seed, 0x9e3779b1) + index);
    const input = target.make(random);
    const what = () => `${target.name}, seed ${seed}, input ${index}: ${target.show(input)}`;
    tally.inputs++;
    try {
      let ms = timed(() => {
        if (target.check(input, random)) tally.taken++;
      });
      for (let look = 0; look < LOOKS_AGAIN && ms > INPUT_MS_MAX; look++)
        ms = Math.min(
          ms,
          timed(() => target.check(input, random)),
        );
      tally.msMax = Math.max(tally.msMax, ms);
      if (ms > INPUT_MS_MAX) tally.slow.push(`${ms.toFixed(0)} ms: ${what()}`);
    } catch (error) {
      tally.wrong.push(`${what()}: ${error}`);
    }
  }
}

function timed(run: () => void): number {
  const startedMs = performance.now();
  run();
  return performance.now() - startedMs;
}
