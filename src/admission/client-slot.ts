// HOT: where in the shared table a client's arrival time is: found, or claimed from whoever was idle longest.
//
// A slot is two words, owner and arrival, and no instruction changes both. Each carries the slot's generation, and the
// slot is its owner's only while they agree; the arrival word, which every change goes through, is the one that counts:
//
//                       owner     arrival
//   X's                 X · 1     tX · 1
//   claim, step 1       X · 1     tX · 2     X is forgotten: a charge of X's that was on its way fails here
//   claim, step 2       Y · 2     tX · 2     Y's, with the full budget that an idle arrival is
//   charge              Y · 2     tY · 2
//
// - A charge swaps the arrival it read. If X was charged first, the claim's step 1 fails; if the claim came first, the
//   charge fails. So no charge is lost, or made to another client.
// - Nobody gets two slots, although any number of threads may claim for one new client at once. A claim takes the way
//   whose arrival is oldest. Arrivals only grow, so what step 1 swaps was the oldest at that instant; it still is between
//   the steps; and until its new owner is charged every other claim in the set picks the same way, where one of them
//   fails. After that, whoever reads the new arrival reads the new owner too, because it reads it second.
// - No lock is held. A thread that is stopped between the steps holds up a claim in its set for PATIENCE looks, after
//   which its slot is claimed over its head, and its step 2 fails.
//
// What is lost: where all eight ways of a set are in debt, a ninth client takes the one with the least, whose owner
// then starts from a full budget again. So a client that has used k requests is forgotten early only once eight others
// in its set have used as much within the same second; invented names used once push out only each other.
// Measured by rate-limiter.bench.ts.

import { unitsBehind } from "./arrival-time.ts";
import type { RateLimiterWords } from "./rate-limiter.layout.ts";
import {
  arrivalAt,
  GENERATION_MASK,
  ownerAt,
  seenArrival,
  seenOwner,
  tryReplaceArrival,
  tryReplaceOwner,
  WAYS,
} from "./rate-limiter.layout.ts";

/** The client is in no slot of its set. */
export const SLOT_NONE = -1;
/** Looks at a slot that another thread is about to take, before it is taken for stopped; about 10 µs. */
const PATIENCE = 100;

/** A hash's bits as an owner word without generation; the only place where 0, nobody, is avoided. */
export function ownerTag(hash: number): number {
  return (hash & ~GENERATION_MASK) === 0 ? GENERATION_MASK + 1 : hash & ~GENERATION_MASK;
}

/** Do these two words of a slot say that it is this client's? */
export function isOwnedBy(tag: number, owner: number, arrival: number): boolean {
  return (owner & ~GENERATION_MASK) === tag && isSettled(owner, arrival);
}

/** False between the two steps of a claim. */
export function isSettled(owner: number, arrival: number): boolean {
  return ((owner ^ arrival) & GENERATION_MASK) === 0;
}

/** The client's slot in the set that starts at `first`, or SLOT_NONE. */
export function findSlot(words: RateLimiterWords, first: number, tag: number): number {
  for (let slot = first; slot < first + WAYS; slot++) {
    if (isOwnedBy(tag, seenOwner(words, slot), seenArrival(words, slot))) return slot;
  }
  return SLOT_NONE;
}

/**
 * Makes room for a client that findSlot did not find; `attempt` counts from 0 for one request. False: another thread is
 * or was at work here; look again.
 */
export function tryClaimSlot(
  words: RateLimiterWords,
  first: number,
  tag: number,
  now: number,
  attempt: number,
): boolean {
  let oldest = first;
  let oldestOwner = 0;
  let oldestArrival = 0;
  let behindMax = -Infinity;
  for (let slot = first; slot < first + WAYS; slot++) {
    const arrival = arrivalAt(words, slot); // before the owner, see above
    const owner = ownerAt(words, slot);
    if (isOwnedBy(tag, owner, arrival)) return false;
    const behind = unitsBehind(arrival & ~GENERATION_MASK, now);
    if (behind <= behindMax) continue;
    oldest = slot;
    oldestOwner = owner;
    oldestArrival = arrival;
    behindMax = behind;
  }
  if (attempt < PATIENCE && !isSettled(oldestOwner, oldestArrival)) return false;
  const generation = (oldestArrival + 1) & GENERATION_MASK;
  // An idle arrival stays, a debt goes with its owner: either way this stays the oldest.
  const arrival = behindMax >= 0 ? oldestArrival & ~GENERATION_MASK : now;
  return (
    tryReplaceArrival(words, oldest, oldestArrival, arrival | generation) &&
    tryReplaceOwner(words, oldest, oldestOwner, tag | generation)
  );
}
