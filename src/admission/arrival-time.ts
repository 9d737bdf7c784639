// HOT: time as the limiter counts it: 32 bits that wrap, in units of which one request costs a whole number.
//
// A 64-bit atomic would need a BigInt a request, and an allocation each. 32 bits are enough if the unit follows the
// rate (their lowest 2 are lent to the slot's generation, so all figures here are multiples of 4): a request costs exactly `unitsPerRequest`, a second is exactly rate × unitsPerRequest, so nothing rounds from
// one request to the next and nothing drifts. The unit is chosen so that the circle takes at least 128 s to go round:
//
//                    now
//        ahead ·······|······· behind
//        max 1/4    . | .    the rest: idle, a full budget
//                 .   |   .
//               A     |     .        A: arrival ahead of now by up to one second's worth (1/128 of the circle), the
//                .    |    .            client has used that much. Up to 1/4 still reads as ahead, so that a thread
//                 B .....D              whose `now` is 31 s old sees debt where there is debt.
//                     C              B, C, D: an idle client falls behind as now moves on. At 3/4 of the circle (B)
//                                       it would come round and read as ahead.
//
// Two rules keep it from getting to B. At read, more than 1/4 ahead is no debt: it is idle. And the sweep drags
// whatever is more than 1/4 behind (D) back to 1/8 behind, which changes nothing for anyone, since idle is idle: with
// a sweep at least every SWEEP_INTERVAL_MS_MAX (1/4 of the circle) no arrival is ever more than 1/2 behind (C).
// Should the sweep stop altogether, a client idle for a whole circle (128 s) is told to wait up to 1/4 of it, once.

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
