// When planned requests are due: pure arithmetic from a request's number to its time. The k-th time is computed, never
// added up, so nothing drifts however long the run; and threads that take every n-th number split one schedule exactly.

/** Times of one thread's requests, milliseconds since the run's start, rising; Infinity behind the last one. */
export interface Schedule {
  timeMs(index: number): number;
  /** How many there are; Infinity where only the run's end bounds them. */
  readonly count: number;
  /** How many are due before this time. */
  countBefore(ms: number): number;
}

/** What two ways of rounding may disagree by, requests. */
const ROUNDING = 1e-6;

/**
 * From one rate to another, linearly, over the run: until t there are N(t) = r₀·t + (r₁ − r₀)·t² ÷ 2T requests, and the
 * k-th (from 0) is due where N(t) = k. This thread's are those numbered thread, thread + threads, …
 */
export function openSchedule(
  ratePerSecond: number,
  rateEndPerSecond: number,
  seconds: number,
  thread: number,
  threads: number,
): Schedule {
  const rise = (rateEndPerSecond - ratePerSecond) / seconds;
  const numberBefore = (second: number) => ratePerSecond * second + (rise * second * second) / 2;
  const all = Math.ceil(numberBefore(seconds) - ROUNDING);
  const shareOf = (number: number) => Math.max(0, Math.ceil((number - thread) / threads));
  const count = shareOf(all);
  return {
    count,
    timeMs(index) {
      if (index >= count) return Number.POSITIVE_INFINITY;
      const number = thread + index * threads;
      // The form of the quadratic's root that loses nothing where the rise is small or none.
      const root = Math.sqrt(Math.max(0, ratePerSecond * ratePerSecond + 2 * rise * number));
      return number === 0 ? 0 : (2000 * number) / (ratePerSecond + root);
    },
    countBefore(ms) {
      if (ms <= 0) return 0;
      return Math.min(count, shareOf(Math.ceil(numberBefore(Math.min(ms / 1000, seconds)) - ROUNDING)));
    },
  };
}

/**
 * Client i of n sends at (i ÷ n + turn) paces. In the order of time the thread's clients take turns, so its index-th request
 * is that of its client `index mod clients`; the clients' own numbers are thread, thread + threads, …
 */
export function pacedSchedule(
  paceMs: number,
  clientsOfAll: number,
  thread: number,
  threads: number,
  turns: number,
): Schedule {
  const clients = Math.ceil((clientsOfAll - thread) / threads);
  const phase = (client: number) => (thread + client * threads) / clientsOfAll;
  const count = clients * turns;
  return {
    count,
    timeMs(index) {
      if (index >= count) return Number.POSITIVE_INFINITY;
      return paceMs * (Math.floor(index / clients) + phase(index % clients));
    },
    countBefore(ms) {
      let before = 0;
      for (let client = 0; client < clients; client++) {
        before += Math.min(turns, Math.max(0, Math.ceil(ms / paceMs - phase(client) - ROUNDING)));
      }
      return before;
    },
  };
}
