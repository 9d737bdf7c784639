import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RATE_LIMIT_CEILING } from "../limits.ts";
import { SWEEP_INTERVAL_MS_MAX } from "./arrival-time.ts";
import { allocateRateLimiter } from "./rate-limiter.layout.ts";
import { RateLimiter } from "./rate-limiter.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

class FakeClock {
  nowMs: number;
  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }
  wallMs(): number {
    return 0;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
}

function limiterAt(requestsPerSecond: number, nowMs = 0, clientsMax = 1024) {
  const clock = new FakeClock(nowMs);
  const shared = allocateRateLimiter(clientsMax);
  return { clock, shared, limiter: new RateLimiter(shared, requestsPerSecond, clock) };
}

/** A hash's other half; its lowest 2 bits are not looked at. */
function high(client: number): number {
  return client << 2;
}

/** Takes until one is refused, `max` at most; how many were admitted. */
function drain(limiter: RateLimiter, client: number, nowMs: number, max = 3 * RATE_LIMIT_CEILING): number {
  let admitted = 0;
  while (admitted < max && limiter.tryTake(client, high(client), nowMs) === 0) admitted++;
  return admitted;
}

describe("the rate", () => {
  test("a limit of 0 admits everything", () => {
    const { limiter } = limiterAt(0);
    assert.equal(drain(limiter, 1, 0, 100_000), 100_000);
  });

  for (const rate of [1, 2, 3, 7, 10, 999, 1000, 10_000, 33_333, 99_991, RATE_LIMIT_CEILING]) {
    test(`at ${rate} a second a quiet client may send ${rate} at once, and as many again each second after`, () => {
      const { limiter } = limiterAt(rate, 5 * DAY_MS);
      assert.equal(drain(limiter, 1, 5 * DAY_MS), rate);
      for (let second = 1; second <= 3; second++)
        assert.equal(drain(limiter, 1, 5 * DAY_MS + second * 1000), rate);
    });
  }

  test("nothing drifts: a day of one request every interval is admitted, and one more than that is not", () => {
    const rate = 7; // an interval that no number of milliseconds is
    const { limiter, clock } = limiterAt(rate);
    drain(limiter, 1, 0);
    let admitted = 0;
    for (let second = 1; second <= 86_400; second++) {
      clock.nowMs = second * 1000;
      admitted += drain(limiter, 1, clock.nowMs);
      if (second % 30 === 0) limiter.sweep();
    }
    assert.equal(admitted, rate * 86_400);
  });

  test("asking costs nothing: a client refused a million times is admitted when it would have been anyway", () => {
    const { limiter } = limiterAt(10);
    drain(limiter, 1, 0);
    for (let take = 0; take < 1_000_000; take++)
      assert.notEqual(limiter.tryTake(1, high(1), take / 20_000), 0);
    assert.equal(drain(limiter, 1, 100), 1);
  });

  test("clients have budgets of their own", () => {
    const { limiter } = limiterAt(5);
    for (let client = 1; client <= 100; client++) assert.equal(drain(limiter, client, 0), 5);
  });

  test("a hash of all zeros is a client like any other", () => {
    const { limiter } = limiterAt(3);
    assert.equal(drain(limiter, 0, 0), 3);
    assert.equal(limiter.sweep(), 1);
  });

  test("signed and unsigned forms of one hash are one client", () => {
    const { limiter } = limiterAt(2);
    assert.equal(limiter.tryTake(0xfffffff1, 0xfffffff4, 0), 0);
    assert.equal(limiter.tryTake(0xfffffff1 | 0, 0xfffffff4 | 0, 0), 0);
    assert.notEqual(limiter.tryTake(0xfffffff1, 0xfffffff4, 0), 0);
  });
});

describe("the wait", () => {
  for (const [rate, waitMs] of [
    [1, 1000],
    [2, 500],
    [10, 100],
    [1000, 1],
    [10_000, 1],
    [RATE_LIMIT_CEILING, 1],
  ] as const) {
    test(`at ${rate} a second a client that has used all is told ${waitMs} ms`, () => {
      const { limiter } = limiterAt(rate);
      drain(limiter, 1, 0);
      assert.equal(limiter.tryTake(1, high(1), 0), waitMs);
    });
  }

  test("after the wait one request is admitted, and a millisecond sooner it is not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 0, max: 40 * DAY_MS }),
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }),
        (rate, startMs, stepsMs) => {
          const { limiter } = limiterAt(rate, startMs);
          let nowMs = startMs;
          drain(limiter, 1, nowMs);
          for (const stepMs of stepsMs) {
            nowMs += stepMs;
            drain(limiter, 1, nowMs);
          }
          const waitMs = limiter.tryTake(1, high(1), nowMs);
          assert.ok(waitMs >= 1);
          if (waitMs > 1) assert.notEqual(limiter.tryTake(1, high(1), nowMs + waitMs - 1), 0);
          assert.equal(limiter.tryTake(1, high(1), nowMs + waitMs), 0);
        },
      ),
    );
  });
});

describe("against an exact model", () => {
  /** GCRA in whole numbers: time in milliseconds × rate, of which a request costs 1,000. */
  class Model {
    readonly rate: number;
    readonly #arrivals = new Map<number, number>();
    constructor(rate: number) {
      this.rate = rate;
    }
    tryTake(client: number, nowMs: number): number {
      const now = nowMs * this.rate;
      const arrival = Math.max(this.#arrivals.get(client) ?? 0, now) + 1000;
      const excess = arrival - now - 1000 * this.rate;
      if (excess > 0) return Math.ceil(excess / this.rate);
      this.#arrivals.set(client, arrival);
      return 0;
    }
  }

  // Up to 8,388 a second a millisecond is a whole number of units, so that the two must say the very same.
  const steps = fc.array(
    fc.record({
      client: fc.integer({ min: 1, max: 5 }),
      stepMs: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 10 * SWEEP_INTERVAL_MS_MAX }),
      ),
      takes: fc.integer({ min: 1, max: 60 }),
    }),
    { maxLength: 60 },
  );

  test("every answer is the model's, over hours, round the circle and back", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 8_000 })),
        fc.integer({ min: 0, max: 100 * DAY_MS }),
        steps,
        (rate, startMs, script) => {
          const { limiter, clock } = limiterAt(rate, startMs);
          const model = new Model(rate);
          for (const { client, stepMs, takes } of script) {
            const untilMs = clock.nowMs + stepMs;
            while (clock.nowMs < untilMs) {
              clock.nowMs = Math.min(clock.nowMs + SWEEP_INTERVAL_MS_MAX, untilMs);
              limiter.sweep();
            }
            for (let take = 0; take < takes; take++) {
              assert.equal(
                limiter.tryTake(client, high(client), clock.nowMs),
                model.tryTake(client, clock.nowMs),
              );
            }
          }
        },
      ),
    );
  });

  test("at any rate and any fraction of a millisecond no window admits more than rate × time + rate", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 }),
        (rate, stepsMs) => {
          const { limiter } = limiterAt(rate);
          const admissions: { atMs: number; count: number }[] = [];
          let atMs = 0;
          for (const stepMs of stepsMs) {
            atMs += stepMs;
            admissions.push({ atMs, count: drain(limiter, 1, atMs, rate) });
          }
          for (let from = 0; from < admissions.length; from++) {
            let count = 0;
            for (let to = from; to < admissions.length; to++) {
              count += admissions[to]!.count;
              const seconds = (admissions[to]!.atMs - admissions[from]!.atMs) / 1000;
              // Time is rounded to less than the 2^22nd part of a second.
              assert.ok(count <= rate * (seconds + 2 ** -22) + rate, `${count} in ${seconds} s`);
            }
          }
        },
      ),
    );
  });
});

describe("time that goes round", () => {
  test("with sweeps, a client idle for any time from a second to an hour has its full budget", () => {
    const { limiter, clock } = limiterAt(3);
    let client = 1;
    for (let idleMs = 1000; idleMs < 3_600_000; idleMs = Math.ceil(idleMs * 1.03)) {
      client++;
      assert.equal(drain(limiter, client, clock.nowMs), 3);
      const untilMs = clock.nowMs + idleMs;
      while (clock.nowMs < untilMs) {
        clock.nowMs = Math.min(clock.nowMs + SWEEP_INTERVAL_MS_MAX, untilMs);
        if (clock.nowMs < untilMs) limiter.sweep(); // none just before the take: the read must do without
      }
      assert.equal(drain(limiter, client, clock.nowMs), 3, `idle for ${idleMs} ms`);
    }
  });

  test("without a single sweep, only a client idle for about a whole circle is sent away, and not for long", () => {
    let refused = 0;
    for (let idleMs = 1000; idleMs < 1_000_000; idleMs += 250) {
      const { limiter } = limiterAt(3);
      drain(limiter, 1, 0);
      const waitMs = limiter.tryTake(1, high(1), idleMs);
      if (waitMs > 0) refused++;
      assert.ok(waitMs < SWEEP_INTERVAL_MS_MAX * 1.1, `idle for ${idleMs} ms, told ${waitMs} ms`);
      if (idleMs < 90_000) assert.equal(waitMs, 0, `idle for ${idleMs} ms`);
    }
    assert.ok(refused > 0, "the sweep is there for something");
  });

  test("a table that nobody used for longer than the circle is empty for whoever comes first", () => {
    const { limiter, clock } = limiterAt(5, 12_345_678);
    for (let time = 0; time < 20; time++) {
      clock.nowMs += SWEEP_INTERVAL_MS_MAX;
      limiter.sweep();
    }
    assert.equal(drain(limiter, 9, clock.nowMs), 5);
  });

  test("a thread whose time is half a minute old sees debt where there is debt", () => {
    const { limiter } = limiterAt(100, 0);
    assert.equal(drain(limiter, 1, 30_000), 100);
    assert.notEqual(limiter.tryTake(1, high(1), 0), 0);
    assert.notEqual(limiter.tryTake(1, high(1), 30_000), 0);
  });

  test("limiters started at different times count from one origin", () => {
    const { limiter, shared } = limiterAt(10, 1_000_500);
    const later = new RateLimiter(shared, 10, new FakeClock(1_060_700));
    assert.equal(drain(limiter, 1, 1_060_700, 4), 4);
    assert.equal(drain(later, 1, 1_060_700), 6);
    assert.equal(drain(limiter, 1, 1_060_700), 0);
  });
});

describe("the table", () => {
  test("is bounded, whatever names are invented", () => {
    const { limiter, shared } = limiterAt(1, 0, 64);
    assert.equal(shared.byteLength, 64 + 64 * 8);
    for (let client = 1; client <= 10_000; client++)
      limiter.tryTake(Math.imul(client, 0x9e3779b1), high(client), 0);
    assert.equal(limiter.sweep(), 64);
  });

  test("forgets who was idle for long", () => {
    const { limiter, clock } = limiterAt(10);
    for (let client = 1; client <= 50; client++) limiter.tryTake(client, high(client), 0);
    assert.equal(limiter.sweep(), 50);
    clock.nowMs = 10_000;
    limiter.tryTake(1, high(1), clock.nowMs);
    clock.nowMs = 20_000;
    assert.equal(limiter.sweep(), 1);
    clock.nowMs = 60_000;
    assert.equal(limiter.sweep(), 0);
    assert.equal(limiter.sweep(), 0);
  });

  test("a busy client keeps its debt while ten thousand invented names, used once each, come and go in its set", () => {
    const { limiter } = limiterAt(10, 0, 8); // one set: the worst that names can be chosen
    assert.equal(drain(limiter, 1, 0), 10);
    for (let invented = 2; invented < 10_000; invented++) {
      assert.equal(
        limiter.tryTake(1, high(invented), 0),
        0,
        "a new client is admitted though the set is full of debt",
      );
      assert.notEqual(limiter.tryTake(1, high(1), 0), 0, `forgotten after ${invented} names`);
    }
  });

  test("a client in debt is forgotten only once eight others in its set have used as much", () => {
    const { limiter } = limiterAt(10, 0, 8);
    assert.equal(drain(limiter, 1, 0, 4), 4);
    for (let other = 2; other <= 9; other++) {
      assert.equal(limiter.tryTake(1, high(1), 0), 0); // 1 more each: the others never catch up
      assert.equal(drain(limiter, other, 0, 4), 4);
      if (other === 5) break;
    }
    assert.equal(drain(limiter, 1, 0), 2);
  });

  test("of eight clients the idle one makes room, though it came last", () => {
    const { limiter } = limiterAt(10, 0, 8);
    for (let client = 1; client <= 7; client++) drain(limiter, client, 1000);
    limiter.tryTake(8, high(8), 0);
    assert.equal(limiter.tryTake(9, high(9), 1000), 0);
    for (let client = 1; client <= 7; client++)
      assert.notEqual(limiter.tryTake(client, high(client), 1000), 0);
  });

  test("has room for eight clients in each set at any time, however long it was idle and swept", () => {
    const { limiter, clock } = limiterAt(2, 0, 8);
    let client = 0;
    for (let idleMs = 0; idleMs < 400_000; idleMs += 13_000) {
      const clients = Array.from({ length: 8 }, () => ++client);
      for (const busy of clients) assert.equal(drain(limiter, busy, clock.nowMs), 2);
      for (const busy of clients) assert.notEqual(limiter.tryTake(busy, high(busy), clock.nowMs), 0);
      const untilMs = clock.nowMs + 1000 + idleMs;
      while (clock.nowMs < untilMs) {
        clock.nowMs = Math.min(clock.nowMs + SWEEP_INTERVAL_MS_MAX, untilMs);
        limiter.sweep();
      }
    }
  });
});
