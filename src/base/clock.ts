// Time comes in as an argument, so that tests can hold it. One real clock for the whole program.

export interface Clock {
  /** Wall clock, integer milliseconds since 1970. Steps when the machine's clock is set; for timestamps only. */
  wallMs(): number;
  /** Monotonic, fractional milliseconds since an arbitrary start that all threads of the process share. */
  monotonicMs(): number;
}

// performance.now() starts at 0 in each worker on Node; timeOrigin puts the threads on one axis.
// hrtime is CLOCK_MONOTONIC on both runtimes and so is the same for every thread of the machine.
export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
};
