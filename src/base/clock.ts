// Time comes in as an argument, so that tests can hold it. One real clock for the whole program.

export interface Clock {
  /** Wall clock, integer milliseconds since 1970. Steps when the machine's clock is set: for timestamps only. */
  wallMs(): number;
  /** Monotonic, fractional milliseconds since an arbitrary start that every thread of the machine shares. */
  monotonicMs(): number;
}

// performance.now() is the cheap reading but starts at another zero in each thread; hrtime is CLOCK_MONOTONIC
// for all of them but allocates. Both run at one rate, so one reading of each, at start, ties them together.
const [seconds, nanoseconds] = process.hrtime();
const offsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => offsetMs + performance.now(),
};
