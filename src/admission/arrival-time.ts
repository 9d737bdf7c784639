// HOT: time as the limiter counts it: 32 bits that wrap, in units of which one request costs a whole number.
// (Measured by rate-limiter.bench.ts.)
//
// A 64-bit atomic would need a BigInt a request, and an allocation each. 32 bits are enough if the unit follows the rate:
// a request costs exactly `unitsPerRequest`, a second is exactly rate × unitsPerRequest, so nothing rounds from one
// request to the next and nothing drifts. The lowest 2 bits are lent to the slot's generation, so all figures here are
// multiples of 4. The unit is chosen so that time takes at least 128 s to go round its circle:
//
//     an arrival's distance from now, in circles; the two ends are one place
//
//     -3/4            -1/2            -1/4     -1/8      0    +1/4
//      |---------------|---------------|--------|--------|------|
//      |  never seen   |  the sweep    |     idle:       | used |   a second's worth is 1/128; up to 1/4 reads as
//      |  if swept     |  drags it to  |  full budget    |      |   used, for threads whose `now` is up to 31 s old
//      |               |  -1/8         |                 |      |
//      '- time moves an idle arrival this way ◀----------'
//
// What must not happen is that an idle arrival comes to the left end and is read at the right one, as used. Two rules see
// to it. At read, more than 1/4 ahead is idle, so that there are 96 s before it could. And a sweep at least every 1/4 of
// the circle drags whatever is farther behind than that back to 1/8, which changes nothing for anyone, since idle is
// idle: so nothing is ever more than 1/2 behind. Should the sweep stop altogether, a client that comes back after one
// whole circle may be told to wait, for 1/4 of it at most.

import { assert } from "../base/assert.ts";
import { RATE_LIMIT_CEILING } from "../limits.ts";
import { GENERATION_MASK } from "./rate-limiter.layout.ts";

const CIRCLE_UNITS = 2 ** 32;
/** Shortest time in which the circle goes round, seconds. */
const CIRCLE_S_MIN = 128;
/** Farther ahead than this is no debt but an arrival from the circle before, units. */
const AHEAD_UNITS_MAX = CIRCLE_UNITS / 4;
/** Farther behind than this the sweep drags an arrival, units … */
export const BEHIND_UNITS_MAX = CIRCLE_UNITS / 4;
/** … to this far behind: what is farther is no longer remembered. The gap keeps sweeps from rewriting all each time. */
export const REMEMBERED_UNITS_MAX = CIRCLE_UNITS / 8;
/** The sweep must come round at least this often, milliseconds: a quarter of the shortest circle. */
export const SWEEP_INTERVAL_MS_MAX = (CIRCLE_S_MIN * 1000) / 4;

/** All times and costs are multiples of this: the two bits below belong to the slot (rate-limiter.layout.ts). */
const STEP_UNITS = GENERATION_MASK + 1;

/** Units that one request costs. Steps by the 1,000 where there is room: then a millisecond is whole steps as well. */
export function unitsPerRequestAt(requestsPerSecond: number): number {
  assert(
    Number.isInteger(requestsPerSecond) && requestsPerSecond >= 1 && requestsPerSecond <= RATE_LIMIT_CEILING,
    "a rate limit is 1 to RATE_LIMIT_CEILING",
  );
  const units = Math.floor(CIRCLE_UNITS / (CIRCLE_S_MIN * requestsPerSecond));
  return units - (units % (units < 1000 * STEP_UNITS ? STEP_UNITS : 1000 * STEP_UNITS));
}

/** How far `arrival` is ahead of `now`: the budget that is used, in units; 0 where the client is idle. */
export function unitsAhead(arrival: number, now: number): number {
  const ahead = (arrival - now) | 0;
  return ahead > 0 && ahead <= AHEAD_UNITS_MAX ? ahead : 0;
}

/** How long ago `arrival` was: from -1/4 of the circle (used budget) to 3/4 (idle for long). Orders all arrivals. */
export function unitsBehind(arrival: number, now: number): number {
  const behind = (now - arrival) >>> 0;
  return behind < CIRCLE_UNITS - AHEAD_UNITS_MAX ? behind : behind - CIRCLE_UNITS;
}
