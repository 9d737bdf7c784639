// For tests: servers whose capacity is known. A queue with one or several servers (M/M/c) is simulated event by event, and
// its capacity under "p99 ≤ x" follows from queueing theory, so that what the search finds has an answer to be held to.
// Everything is drawn from a seeded generator: the same seed gives the same run on every machine.

import type { ProbeOutcome } from "./find-capacity.ts";

/** Mulberry32: 32 bits of state, good enough to draw arrivals and service times. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface SimulatedQueue {
  readonly servers: number;
  /** Requests a second that each of them can serve, on average. */
  readonly serviceRate: number;
  readonly latencySecondsP99Max: number;
  /** Of one probe. */
  readonly requests: number;
}

/** Runs one probe: Poisson arrivals at this rate, exponential service times, first come first served. */
export function probeQueue(queue: SimulatedQueue, rate: number, random: () => number): ProbeOutcome {
  const freeAt = new Float64Array(queue.servers);
  let now = 0;
  let lastDone = 0;
  let slow = 0;
  for (let request = 0; request < queue.requests; request++) {
    now -= Math.log(1 - random()) / rate;
    let server = 0;
    for (let other = 1; other < freeAt.length; other++) if (freeAt[other]! < freeAt[server]!) server = other;
    const done = Math.max(now, freeAt[server]!) - Math.log(1 - random()) / queue.serviceRate;
    freeAt[server] = done;
    if (done - now > queue.latencySecondsP99Max) slow += 1;
    lastDone = Math.max(lastDone, done);
  }
  return { met: slow <= queue.requests * 0.01, isVoid: false, rate: queue.requests / lastDone };
}

/**
 * The highest arrival rate at which an M/M/c queue's p99 of waiting and service holds the limit, by halving.
 * With the chance C of having to wait (Erlang's formula), μ the service rate and θ = cμ − λ, a request takes longer than t
 * with the chance (1 − C)e^(−μt) + C(θe^(−μt) − μe^(−θt)) ÷ (θ − μ).
 */
export function knownCapacity(queue: SimulatedQueue): number {
  const { servers, serviceRate, latencySecondsP99Max: t } = queue;
  let low = 0;
  let high = servers * serviceRate;
  for (let step = 0; step < 60; step++) {
    // A hair off the middle: at θ = μ the formula is 0 ÷ 0.
    const rate = low + (high - low) * 0.499_999;
    const waits = erlangWaits(servers, rate / serviceRate);
    const theta = servers * serviceRate - rate;
    const served = Math.exp(-serviceRate * t);
    const queued = (theta * served - serviceRate * Math.exp(-theta * t)) / (theta - serviceRate);
    if ((1 - waits) * served + waits * queued <= 0.01) low = rate;
    else high = rate;
  }
  return low;
}

/** Chance that an arrival finds all servers busy. */
function erlangWaits(servers: number, offered: number): number {
  let blocked = 1;
  for (let count = 1; count <= servers; count++) blocked = (offered * blocked) / (count + offered * blocked);
  const utilisation = offered / servers;
  return blocked / (1 - utilisation * (1 - blocked));
}
