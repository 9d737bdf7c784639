// Gives each attack to the server's connection twice, whole and in pieces: what it makes of bytes must not depend on how
// they came. In this process; returns what differed.

import { isDeepStrictEqual } from "node:util";
import { randomFrom, wholeBetween } from "../crash/random.ts";
import { attackOf } from "./mutator.ts";
import { readAsServer } from "./own-reading.ts";
import type { AttackRange } from "./proxy-run.ts";

const CUTS_MAX = 4;

export function attackCuts(range: AttackRange): string[] {
  const differing: string[] = [];
  for (let index = range.from; index < range.to; index++) {
    const { bytes, what } = attackOf(range.seed, index);
    const random = randomFrom(range.seed + index);
    const cuts = Array.from({ length: wholeBetween(random, 1, CUTS_MAX) }, () =>
      wholeBetween(random, 0, bytes.length),
    ).sort((one, other) => one - other);
    const whole = readAsServer(bytes);
    const pieces = readAsServer(bytes, cuts);
    if (isDeepStrictEqual(whole, pieces)) continue;
    differing.push(
      `seed ${range.seed}, attack ${index} (${what}), cut at ${cuts}: ${JSON.stringify(pieces)}, not ` +
        `${JSON.stringify(whole)}; sent: ${JSON.stringify(bytes.toString("latin1"))}`,
    );
  }
  return differing;
}
