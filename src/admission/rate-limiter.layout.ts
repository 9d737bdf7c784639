// HOT: the memory that all ingest threads share to count requests (measured by rate-limiter.bench.ts).
// One cache line a set, eight clients a set; a client's set follows from its hash, its place in the set does not:
//
//   word  0 ................ 15   16 ............ 23  24 ............ 31   32 ...
//        | origin | 15 unused |  | owner of way 0..7 | arrival 0..7     |  | next set
//        '---- header line ---'  '------------ set 0, 64 bytes ---------'
//
//   owner    | 30 bits of the client's hash, never all 0 | generation, 2 bits |      0: nobody yet
//   arrival  | theoretical arrival time, 30 bits         | generation, 2 bits |      see arrival-time.ts
//   origin   the second (+ 1, so that 0 means unset) that arrivals are counted from; the first limiter sets it
//
// A way belongs to its owner while the two generations agree; client-slot.ts says what that is for.
// Two clients in one set with the same 30 bits would share a budget. For 65,536 clients that is one chance in 4,096 that
// any two of them do, and the hash is keyed, so nobody can aim for it.
// Node calls Atomics.load where Bun inlines it (10 ns; 2.6 on Bun; a plain read 1), so the path of an admitted request
// reads plainly (`seen…`): what it saw may be a moment old, and the swap that follows fails if it is.

import { assert } from "../base/assert.ts";

/** Clients in a set: all that are looked at to find or to place one. With owners and arrivals, a cache line. */
export const WAYS = 8;
/** The bits of a word that hold its generation; the rest is hash or time. */
export const GENERATION_MASK = 3;
/** From a way's owner to its arrival, words. */
const ARRIVAL_OFFSET = WAYS;
const SET_WORDS = 2 * WAYS;
/** A line of its own, so that the origin is never in a line that is being written. */
const HEADER_WORDS = 16;
const WORD_BYTES = 4;
const ORIGIN_INDEX = 0;

export type RateLimiterShared = SharedArrayBuffer;
export type RateLimiterWords = Int32Array<SharedArrayBuffer>;

/** Room for at least `clientsMax` clients: rounded up to a power of two of sets, 8 bytes a client. */
export function allocateRateLimiter(clientsMax: number): RateLimiterShared {
  assert(Number.isInteger(clientsMax) && clientsMax >= 1 && clientsMax <= 2 ** 24, "clientsMax is 1 to 2^24");
  let sets = 1;
  while (sets * WAYS < clientsMax) sets *= 2;
  return new SharedArrayBuffer((HEADER_WORDS + sets * SET_WORDS) * WORD_BYTES);
}

export function rateLimiterWords(shared: RateLimiterShared): RateLimiterWords {
  return new Int32Array(shared);
}

export function setsIn(words: RateLimiterWords): number {
  const sets = (words.length - HEADER_WORDS) / SET_WORDS;
  assert(Number.isInteger(Math.log2(sets)), "the shared table was made by allocateRateLimiter");
  return sets;
}

/** Slot of way 0 of a set; the other ways follow it. */
export function firstSlotOf(set: number): number {
  return HEADER_WORDS + set * SET_WORDS;
}

/** The second that arrivals are counted from: what the first caller said, for ever after. */
export function originSecondsOf(words: RateLimiterWords, seconds: number): number {
  const seen = Atomics.compareExchange(words, ORIGIN_INDEX, 0, seconds + 1);
  return seen === 0 ? seconds : seen - 1;
}

/** The owner, perhaps a moment old. */
export function seenOwner(words: RateLimiterWords, slot: number): number {
  return words[slot]!;
}

/** The arrival, perhaps a moment old: good as the `from` of tryReplaceArrival. */
export function seenArrival(words: RateLimiterWords, slot: number): number {
  return words[slot + ARRIVAL_OFFSET]!;
}

export function ownerAt(words: RateLimiterWords, slot: number): number {
  return Atomics.load(words, slot);
}

export function arrivalAt(words: RateLimiterWords, slot: number): number {
  return Atomics.load(words, slot + ARRIVAL_OFFSET);
}

export function tryReplaceOwner(words: RateLimiterWords, slot: number, from: number, to: number): boolean {
  return Atomics.compareExchange(words, slot, from, to) === from;
}

export function tryReplaceArrival(words: RateLimiterWords, slot: number, from: number, to: number): boolean {
  return Atomics.compareExchange(words, slot + ARRIVAL_OFFSET, from, to) === from;
}
