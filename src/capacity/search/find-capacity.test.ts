// Against servers whose capacity is known: queues simulated event by event, cliffs, servers that always or never hold.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type FindOptions, type FoundCapacity, findCapacity, type Probe } from "./find-capacity.ts";
import { knownCapacity, probeQueue, type SimulatedQueue, seededRandom } from "./simulated-server.ts";

/** What a probe takes with all that surrounds it. */
const PROBE_SECONDS = 3;

/** Runs a search on a clock that goes on by a probe's length with each probe. */
async function search(probe: Probe, options: Partial<FindOptions> = {}): Promise<FoundCapacity> {
  let nowMs = 0;
  return findCapacity(
    (...asked) => {
      nowMs += PROBE_SECONDS * 1000;
      return probe(...asked);
    },
    { startRate: 1_000, secondsMax: 75, probeSeconds: PROBE_SECONDS, nowMs: () => nowMs, ...options },
  );
}

/** Holds up to its capacity, and above it does no more than that. */
function cliff(capacity: number): Probe {
  return async (rate) => ({ met: rate <= capacity, isVoid: false, rate: Math.min(rate, capacity) });
}

function queueOf(capacity: number, servers: number): SimulatedQueue {
  // With one server an M/M/1 queue's p99 is ln(100) ÷ (μ − λ): it is held up to 0.95 of what the server can do at all.
  const latencySecondsP99Max = Math.log(100) / (0.05 * capacity);
  return { servers, serviceRate: capacity / servers, latencySecondsP99Max, requests: 20_000 };
}

describe("the simulated queue", () => {
  test("has the capacity that theory gives it", () => {
    const known = knownCapacity(queueOf(1_000, 1));
    assert.ok(Math.abs(known - 950) < 0.01);
    // Two servers of μ each wait less than one of 2μ, but serve each request more slowly: Erlang's formula, by hand.
    const two: SimulatedQueue = { servers: 2, serviceRate: 10, latencySecondsP99Max: 1, requests: 1 };
    const waits = (2 * 0.8 ** 2) / (1 + 0.8);
    const tail = (1 - waits) * Math.exp(-10) + (waits * (4 * Math.exp(-10) - 10 * Math.exp(-4))) / (4 - 10);
    assert.equal(knownCapacity(two) > 16, tail <= 0.01);
  });

  test("probed well below it holds, and well above it does not", () => {
    for (const servers of [1, 4])
      for (let seed = 1; seed <= 10; seed++) {
        const queue = queueOf(1_000, servers);
        const random = seededRandom(seed);
        assert.ok(probeQueue(queue, knownCapacity(queue) * 0.9, random).met);
        const above = probeQueue(queue, knownCapacity(queue) * 1.12, random);
        assert.ok(!above.met && Math.abs(above.rate - 1_000) < 50);
      }
  });
});

describe("a server of known capacity", () => {
  const CAPACITIES = [50, 300, 2_000, 12_000, 100_000];
  for (const servers of [1, 4])
    for (const spoiled of [0, 0.05])
      test(`is found within 5 %: ${servers} at a time, ${spoiled * 100} % of the probes spoiled by a hiccup`, async () => {
        let inside = 0;
        const probes: number[] = [];
        for (const capacity of CAPACITIES)
          for (let seed = 1; seed <= 3; seed++) {
            const random = seededRandom(seed * 7_919 + capacity);
            const queue = queueOf(capacity, servers);
            const known = knownCapacity(queue);
            const found = await search(
              async (rate) => {
                const outcome = probeQueue(queue, rate, random);
                return random() < spoiled
                  ? { met: false, isVoid: false, rate: outcome.rate * (0.7 + 0.3 * random()) }
                  : outcome;
              },
              { startRate: known * 10 ** (2 * random() - 1) },
            );
            const off = found.rate! / known - 1;
            assert.ok(Math.abs(off) <= 0.05, `${capacity}, seed ${seed}: ${off} off; ${found.why}`);
            if (found.low! <= known && known <= found.high!) inside += 1;
            probes.push(found.probes.length);
          }
        // Seen: 81 % to 94 % of some hundred runs; at the edge a queue of this kind is a coin that is thrown.
        assert.ok(
          inside >= probes.length * 0.7,
          `the truth was inside ${inside} of ${probes.length} intervals`,
        );
        probes.sort((a, b) => a - b);
        assert.ok(probes[probes.length >> 1]! <= 18, `${probes}`);
      });

  test("is found again: five searches lie within 10 % of their median", async () => {
    const rates: number[] = [];
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed);
      rates.push((await search(async (rate) => probeQueue(queueOf(5_000, 4), rate, random))).rate!);
    }
    rates.sort((a, b) => a - b);
    assert.ok(rates[4]! / rates[2]! < 1.1 && rates[0]! / rates[2]! > 0.9, `${rates}`);
  });

  test("with a sharp edge is bracketed, whatever the capacity and the start", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: Math.log(50), max: Math.log(100_000), noNaN: true }),
        fc.double({ min: Math.log(0.02), max: Math.log(50), noNaN: true }),
        async (logCapacity, logStart) => {
          const capacity = Math.exp(logCapacity);
          const found = await search(cliff(capacity), { startRate: capacity * Math.exp(logStart) });
          assert.ok(found.rate! <= capacity && found.high! >= capacity, found.why);
          assert.ok(found.rate! >= capacity / 1.05, `${capacity}: ${found.rate}`);
          assert.ok(found.probes.length <= 22, `${found.probes.length} probes`);
          assert.equal(found.isAtLeast, false);
          assert.match(found.why, /^held in 3 of 3 repeats at \d+\/s; missed at \d+\/s$/);
        },
      ),
      { numRuns: 300, seed: 11 },
    );
  });

  test("that gives up when overloaded is found as well", async () => {
    const collapsing: Probe = async (rate) => ({
      met: rate <= 8_000,
      isVoid: false,
      rate: rate <= 8_000 ? rate : 400,
    });
    for (const startRate of [100, 5_000, 9_000, 200_000]) {
      const { rate } = await search(collapsing, { startRate });
      assert.ok(rate! > 7_600 && rate! <= 8_000, `from ${startRate}: ${rate}`);
    }
  });

  test("with a rate limit far below the start is found in a dozen probes", async () => {
    const limited: Probe = async (rate) => ({
      met: rate * 0.99 <= 50,
      isVoid: false,
      rate: Math.min(rate, 50),
    });
    const found = await search(limited, { startRate: 20_000 });
    assert.ok(found.rate! >= 48 && found.rate! <= 50, `${found.rate}`);
    assert.ok(found.probes.length <= 12, `${found.probes.length}`);
  });
});

describe("where there is no answer, or only a part of it", () => {
  test("a server that never holds has no rate, and is not asked for ever", async () => {
    const slow: Probe = async (rate) => ({ met: false, isVoid: false, rate });
    const found = await search(slow, { startRate: 20_000 });
    assert.deepEqual([found.rate, found.low, found.high, found.isAtLeast], [null, null, 1, false]);
    assert.equal(found.why, "no rate met the objective, down to 1/s");
    assert.ok(found.probes.length <= 12, `${found.probes.length}`);
    const dead = await search(async () => ({ met: false, isVoid: false, rate: 0 }), { startRate: 20_000 });
    assert.equal(dead.rate, null);
  });

  test("a server that always holds can do at least the most that was asked", async () => {
    const found = await search(cliff(Number.POSITIVE_INFINITY), { rateMax: 50_000 });
    assert.deepEqual([found.rate, found.low, found.high, found.isAtLeast], [50_000, 50_000, null, true]);
    assert.match(found.why, /held in 3 of 3 repeats at 50000\/s; no more was asked for$/);
    const endless = await search(cliff(Number.POSITIVE_INFINITY), { secondsMax: 30 });
    assert.ok(endless.isAtLeast && endless.high === null && endless.rate! > 1_000);
    assert.match(endless.why, /no rate above it was missed.*used up before it was done/);
  });

  test("where the generator is the limit it is at least that, near the generator's own", async () => {
    const found = await search(async (rate) => ({
      met: true,
      isVoid: rate > 30_000,
      rate: Math.min(rate, 31_000),
    }));
    assert.ok(found.isAtLeast && found.high === null);
    assert.ok(found.rate! > 28_500 && found.rate! <= 30_000, `${found.rate}`);
    assert.match(found.why, /the generator was the limit, so it is at least this/);
  });

  test("a target that misses below the generator's limit is not called at least", async () => {
    const found = await search(async (rate) => ({ met: rate <= 10_000, isVoid: rate > 15_000, rate }));
    assert.equal(found.isAtLeast, false);
    assert.ok(found.high! > 10_000 && found.high! <= 10_500);
  });

  test("where every probe is void nothing is said of the target", async () => {
    const found = await search(async (rate) => ({ met: true, isVoid: true, rate }));
    assert.deepEqual([found.rate, found.low, found.high, found.isAtLeast], [null, null, null, true]);
    assert.match(found.why, /the generator was the limit at every rate asked/);
  });
});

describe("hiccups", () => {
  /** Spoils the first so many probes of these, counted from 1. */
  function spoiling(inner: Probe, spoiled: readonly number[]): Probe {
    let count = 0;
    return async (...asked) => {
      count += 1;
      const outcome = await inner(...asked);
      return spoiled.includes(count) ? { met: false, isVoid: false, rate: outcome.rate * 0.9 } : outcome;
    };
  }

  test("of any one probe leave the answer as it is", async () => {
    for (let probe = 1; probe <= 20; probe++) {
      const found = await search(spoiling(cliff(1_000), [probe]), { startRate: 600 });
      assert.ok(found.rate! > 950 && found.rate! <= 1_000, `probe ${probe}: ${found.rate}; ${found.why}`);
      const repeats = found.probes.filter(({ part }) => part === "repeat");
      assert.equal(repeats.length, 3, `probe ${probe}: repeats are not spent below a miss that was none`);
    }
  });

  test("of two probes in a row leave it as it is, where there is time to ask again", async () => {
    for (let probe = 1; probe <= 20; probe++) {
      const found = await search(spoiling(cliff(1_000), [probe, probe + 1]), {
        startRate: 600,
        secondsMax: 120,
      });
      assert.ok(found.rate! > 950 && found.rate! <= 1_000, `probe ${probe}: ${found.rate}; ${found.why}`);
    }
  });

  test("that spoil a rate's first two probes are over when it is asked at the end", async () => {
    let spoiled: number | null = null;
    const found = await search(
      async (rate, attempt) => {
        if (rate > 700 && rate <= 1_000) spoiled ??= rate;
        return { met: rate <= 1_000 && !(rate === spoiled && attempt <= 2), isVoid: false, rate };
      },
      { startRate: 600 },
    );
    assert.ok(found.rate! > 950 && found.rate! <= 1_000, `${found.rate}; ${found.why}`);
  });

  test("of the generator are hiccups too", async () => {
    let count = 0;
    const found = await search(async (rate) => {
      count += 1;
      return { met: rate <= 1_000, isVoid: count === 2, rate: Math.min(rate, 1_000) };
    });
    assert.ok(found.rate! > 950 && !found.isAtLeast);
  });

  test("that let a rate pass once do not make it the answer", async () => {
    const found = await search(async (rate, _attempt, part) => ({
      met: rate <= (part === "repeat" ? 900 : 1_000),
      isVoid: false,
      rate,
    }));
    assert.ok(found.rate! > 850 && found.rate! <= 900, `${found.rate}`);
    assert.match(found.why, /held in 3 of 3 repeats/);
  });

  test("one miss in three repeats widens the interval downwards and keeps the rate", async () => {
    let repeats = 0;
    const found = await search(async (rate, _attempt, part) => {
      if (part === "repeat") repeats += 1;
      return { met: rate <= 1_000 && !(part === "repeat" && repeats === 2), isVoid: false, rate };
    });
    assert.match(found.why, /held in 2 of 3 repeats/);
    assert.ok(found.low! < found.rate! && found.rate! > 950 && found.rate! <= 1_000);
  });
});

describe("the bounds of a search", () => {
  test("no more probes and no more time than allowed, and what is known by then", async () => {
    for (let probesMax = 1; probesMax <= 16; probesMax++) {
      const found = await search(cliff(5_000), { probesMax });
      assert.ok(found.probes.length <= probesMax);
      if (found.rate !== null) assert.ok(found.rate <= 5_000);
    }
    for (const secondsMax of [3, 9, 15, 21, 30, 45]) {
      const found = await search(cliff(5_000), { secondsMax });
      assert.ok(
        found.probes.length * PROBE_SECONDS <= secondsMax,
        `${secondsMax} s: ${found.probes.length} probes`,
      );
      assert.match(found.why, secondsMax < 45 ? /used up before it was done/ : /held in 3 of 3/);
      if (secondsMax >= 15)
        assert.ok(found.rate !== null && found.probes.some(({ part }) => part === "repeat"));
    }
  });

  test("an aborted search ends with what it has", async () => {
    const stop = new AbortController();
    let count = 0;
    const found = await search(
      async (rate) => {
        count += 1;
        if (count === 3) stop.abort();
        return { met: rate <= 5_000, isVoid: stop.signal.aborted, rate };
      },
      { signal: stop.signal },
    );
    assert.equal(found.probes.length, 3);
    assert.match(found.why, /not repeated/);
  });

  test("rates are whole numbers of three digits, and attempts at each are counted from 1", async () => {
    const asked: [rate: number, attempt: number][] = [];
    const found = await search(async (rate, attempt) => {
      asked.push([rate, attempt]);
      return { met: rate <= 12_345, isVoid: false, rate: Math.min(rate, 12_345) };
    });
    for (const [rate] of asked)
      assert.ok(Number.isInteger(rate) && Number(rate.toPrecision(3)) === rate, `${rate}`);
    assert.equal(new Set(asked.map(String)).size, asked.length);
    assert.ok(
      asked.every(
        ([rate, attempt]) => attempt === 1 || asked.some(([r, a]) => r === rate && a === attempt - 1),
      ),
    );
    assert.deepEqual(
      found.probes.map((record) => record.asked),
      asked.map(([rate]) => rate),
    );
    assert.equal(found.probes.filter(({ part }) => part === "repeat").length, 3);
  });

  test("nothing outside the range is asked for", async () => {
    for (const capacity of [1, 500, 1e9]) {
      const found = await search(cliff(capacity), { rateMin: 100, rateMax: 20_000, startRate: 1e6 });
      for (const { asked } of found.probes) assert.ok(asked >= 100 && asked <= 20_000, `${asked}`);
    }
  });

  test("the smallest rates are found as well", async () => {
    for (const capacity of [1, 2, 3, 7]) {
      const found = await search(cliff(capacity), { startRate: 40 });
      assert.deepEqual([found.rate, found.high], [capacity, capacity + 1]);
    }
  });
});
