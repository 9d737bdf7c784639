// How long a refused client is asked to stay away: the Retry-After of a 429 and of a 503 (RFC 9110, 10.2.3).
//
// A whole number of seconds, never less than the wait that is known, since coming back too early is one more refusal;
// and a different one for different clients, since all that were refused in one moment would otherwise be back in one
// moment, and be refused again. Seconds are all that the header can say, so the spread is in seconds too.

/** Clients refused together are spread over at least this many seconds … */
const SPREAD_S_MIN = 2;
/** … or over this part of the wait, if that is more. */
const SPREAD_PART = 0.5;
/** Longest that a client is sent away, before the spread, seconds: what keeps the server from serving may be over soon. */
export const RETRY_AFTER_S_MAX = 60;
/** What is assumed while nothing drains, milliseconds: one write that hangs looks like this. */
const STALLED_WAIT_MS = 1_000;

/** Seconds (≥ 1) to put in Retry-After for a wait of `waitMs`; `random` as Math.random: from 0 to below 1. */
export function retryAfterS(waitMs: number, random: () => number): number {
  const waitS = Math.min(Math.max(Math.ceil(waitMs / 1000), 1), RETRY_AFTER_S_MAX);
  const spreadS = Math.max(Math.ceil(waitS * SPREAD_PART), SPREAD_S_MIN);
  return waitS + Math.floor(random() * (spreadS + 1));
}

/** Milliseconds until a queue of `bytesQueued` is empty at the rate it was lately drained. */
export function drainWaitMs(bytesQueued: number, drainBytesPerS: number): number {
  if (!(drainBytesPerS > 0)) return STALLED_WAIT_MS;
  return Math.min(Math.ceil((bytesQueued / drainBytesPerS) * 1000), RETRY_AFTER_S_MAX * 1000);
}
