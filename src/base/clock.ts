// Time comes in as an argument, so that tests can hold it. One real clock for the whole program.
//
// performance.now() is the cheap reading, but it starts at another zero in each thread; and what is shared by all costs
// an allocation. Both run at one rate, so pairs of readings tie them together once, as the thread starts.

export interface Clock {
  /** Wall clock, integer milliseconds since 1970. Steps when the machine's clock is set: for timestamps only. */
  wallMs(): number;
  /** Monotonic, fractional milliseconds since an arbitrary start that every thread of the process shares. */
  monotonicMs(): number;
}

const PAIRS = 16;
const CLOCK_MONOTONIC = process.platform === "darwin" ? 6 : 1;

const offsetMs = measureOffsetMs(process.versions.bun === undefined ? nodeMs : await openBunMs());

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => offsetMs + performance.now(),
};

/** On Node hrtime is CLOCK_MONOTONIC itself. */
function nodeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/**
 * On Bun hrtime starts at zero in each thread (seen: threads up to 90 ms apart, and the limiter they share admitted 130
 * requests where 125 were allowed), so the system is asked. Where that cannot be, the wall clock ties them together.
 */
async function openBunMs(): Promise<() => number> {
  try {
    const { dlopen, ptr } = await import("bun:ffi");
    const libc = dlopen(process.platform === "darwin" ? "libSystem.dylib" : "libc.so.6", {
      clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
    });
    const time = new BigInt64Array(2);
    return () => {
      libc.symbols.clock_gettime(CLOCK_MONOTONIC, ptr(time));
      return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
    };
  } catch {
    return () => performance.timeOrigin + performance.now();
  }
}

/** Of several pairs the one that was read fastest: a thread can lose its core in between. */
function measureOffsetMs(sharedMs: () => number): number {
  let offset = 0;
  let gapMin = Number.POSITIVE_INFINITY;
  for (let pair = 0; pair < PAIRS; pair++) {
    const before = performance.now();
    const shared = sharedMs();
    const gap = performance.now() - before;
    if (gap >= gapMin) continue;
    gapMin = gap;
    offset = shared - before - gap / 2;
  }
  return offset;
}
