// HOT: may this client send another request now? GCRA over one table that all ingest threads share.
//
// A client has one number, its theoretical arrival time: when its next request would come if it kept exactly to its
// rate. A request moves it one emission interval (1 / rate) on, from itself or from now, whichever is later. It may run
// ahead of now by one second at most, so that a client admitted N a second can send N at once after a second's quiet,
// and in any t seconds N × t + N at most. A request that is refused moves nothing: asking costs no budget.
//
//   now                arrival                          now + 1 s
//    |--------------------|----------|----------|----------|
//       budget used         interval   one more   …        a request that would end past here is refused, and told in how
//                                                          many milliseconds it would end just here
//
// Every thread has a limiter over the same memory. Where two charge one client at once, one's swap fails and is tried
// again, so that no admission is lost or given twice.
// Invariants: one sweep at least every SWEEP_INTERVAL_MS_MAX, by one thread; the same rate in every thread.

import type { Clock } from "../base/clock.ts";
import {
  BEHIND_UNITS_MAX,
  REMEMBERED_UNITS_MAX,
  unitsAhead,
  unitsBehind,
  unitsPerRequestAt,
} from "./arrival-time.ts";
import { findSlot, isOwnedBy, isSettled, ownerTag, SLOT_NONE, tryClaimSlot } from "./client-slot.ts";
import type { RateLimiterShared, RateLimiterWords } from "./rate-limiter.layout.ts";
import {
  arrivalAt,
  firstSlotOf,
  GENERATION_MASK,
  originSecondsOf,
  ownerAt,
  rateLimiterWords,
  seenArrival,
  seenOwner,
  setsIn,
  tryReplaceArrival,
  WAYS,
} from "./rate-limiter.layout.ts";

/** Swaps that may fail before a request is sent away: each failure is another request of the same few clients. */
const ATTEMPTS_MAX = 1_000;
/** What it is told then, milliseconds. */
const CONTENDED_WAIT_MS = 1;

export class RateLimiter {
  readonly #words: RateLimiterWords;
  readonly #clock: Clock;
  readonly #setMask: number;
  readonly #originMs: number;
  /** 0 where there is no limit. */
  readonly #unitsPerRequest: number;
  /** Most that an arrival may be ahead of now: one second. */
  readonly #unitsPerSecond: number;
  readonly #unitsPerMs: number;

  /** `requestsPerSecond` of each client; 0 admits everything. */
  constructor(shared: RateLimiterShared, requestsPerSecond: number, clock: Clock) {
    this.#words = rateLimiterWords(shared);
    this.#clock = clock;
    this.#setMask = setsIn(this.#words) - 1;
    this.#originMs = originSecondsOf(this.#words, Math.floor(clock.monotonicMs() / 1000)) * 1000;
    this.#unitsPerRequest = requestsPerSecond === 0 ? 0 : unitsPerRequestAt(requestsPerSecond);
    this.#unitsPerSecond = this.#unitsPerRequest * requestsPerSecond;
    this.#unitsPerMs = this.#unitsPerSecond / 1000;
  }

  /**
   * 0: admitted, and counted. Otherwise milliseconds (≥ 1) until one request of this client would be admitted.
   * `hashLow` and `hashHigh`: 32 bits each of ClientHash, signed or not; `nowMs`: clock.monotonicMs() of a moment ago.
   */
  tryTake(hashLow: number, hashHigh: number, nowMs: number): number {
    if (this.#unitsPerRequest === 0) return 0;
    const words = this.#words;
    const now = this.#unitsAt(nowMs);
    const first = firstSlotOf(hashLow & this.#setMask);
    const tag = ownerTag(hashHigh);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const slot = findSlot(words, first, tag);
      if (slot === SLOT_NONE) {
        tryClaimSlot(words, first, tag, now, attempt);
        continue;
      }
      const arrival = seenArrival(words, slot);
      if (!isOwnedBy(tag, seenOwner(words, slot), arrival)) continue;
      const used = unitsAhead(arrival & ~GENERATION_MASK, now) + this.#unitsPerRequest;
      if (used <= this.#unitsPerSecond) {
        const moved = (now + used) | (arrival & GENERATION_MASK);
        if (tryReplaceArrival(words, slot, arrival, moved)) return 0;
      } else if (arrivalAt(words, slot) === arrival) {
        return this.#waitMs(used - this.#unitsPerSecond);
      }
    }
    return CONTENDED_WAIT_MS;
  }

  /** Forgets the clients that were idle for long, and returns how many are remembered. By one thread, see above. */
  sweep(): number {
    const words = this.#words;
    const now = this.#unitsAt(this.#clock.monotonicMs());
    let remembered = 0;
    for (let set = 0; set <= this.#setMask; set++) {
      const first = firstSlotOf(set);
      for (let slot = first; slot < first + WAYS; slot++) {
        const arrival = arrivalAt(words, slot);
        const owner = ownerAt(words, slot);
        if (!isSettled(owner, arrival)) continue; // about to be claimed, and then charged
        const behind = unitsBehind(arrival & ~GENERATION_MASK, now);
        if (behind < REMEMBERED_UNITS_MAX && owner !== 0) remembered++;
        if (behind <= BEHIND_UNITS_MAX) continue;
        const dragged = (now - REMEMBERED_UNITS_MAX) | (arrival & GENERATION_MASK);
        tryReplaceArrival(words, slot, arrival, dragged); // lost to a request that came just now: all the better
      }
    }
    return remembered;
  }

  /** Whole units since the origin, on the circle. A product below 2^53 for the first 8 years. */
  #unitsAt(nowMs: number): number {
    return Math.floor((nowMs - this.#originMs) * this.#unitsPerMs) & ~GENERATION_MASK;
  }

  #waitMs(units: number): number {
    return Math.ceil(units / this.#unitsPerMs);
  }
}
