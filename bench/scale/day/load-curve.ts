// How much a fleet is sent: a day's wave, highest in the afternoon, with a little noise and some bursts. From the seed.
import type { SeededRandom } from "../seeded-random.ts";
import type { DaySettings } from "./day-settings.ts";

const PEAK_AT = 14 / 24;
/** Of the day's peak. */
export const LOWEST = 0.35;
const NOISE = 0.02;
export const BURSTS = 12;
export const BURST = { least: 1.1, most: 1.4, secondsLeast: 30, secondsMost: 900 };

/** Metrics offered in each second. */
export function drawLoad({ seconds, offeredPeak }: DaySettings, random: SeededRandom): Float64Array {
  const load = new Float64Array(seconds);
  for (let second = 0; second < seconds; second++) {
    const wave = (1 + Math.cos(2 * Math.PI * (second / seconds - PEAK_AT))) / 2;
    const share = LOWEST + (1 - LOWEST) * wave;
    load[second] = offeredPeak * share * (1 + NOISE * (random.next() - 1));
  }
  for (let burst = 0; burst < BURSTS; burst++) {
    const from = random.below(seconds);
    const factor = random.between(BURST.least, BURST.most);
    const length = Math.floor(random.between(BURST.secondsLeast, BURST.secondsMost));
    for (let second = from; second < Math.min(seconds, from + length); second++)
      load[second] = Math.min(load[second]! * factor, offeredPeak * BURST.most);
  }
  return load.map(Math.floor);
}
