import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HISTOGRAM_VALUE_MAX, Histogram } from "../../base/histogram.ts";
import { TidemarkError } from "../../errors.ts";
import { ERROR_CLASSES } from "../load/load-result.ts";
import type { ThreadTally } from "../load/thread-tally.ts";
import { decodeTally, encodeTally } from "./tally-codec.ts";

const count = fc.maxSafeNat();
// + 0, because JSON forgets the sign of zero.
const time = fc.double({ min: -10, max: 1e12, noNaN: true }).map((ms) => ms + 0);
const ratio = fc.option(fc.double({ min: 0, max: 4, noNaN: true }), { nil: null });

const histogram = fc
  .array(
    fc.tuple(fc.double({ min: 0, max: HISTOGRAM_VALUE_MAX, noNaN: true }), fc.integer({ min: 1, max: 9 })),
    {
      maxLength: 40,
    },
  )
  .map((values) => {
    const made = Histogram.fine();
    for (const [value, times] of values) made.recordMany(value, times);
    return made.words;
  });

// Cloned, because fast-check makes records without a prototype.
const tallies: fc.Arbitrary<ThreadTally> = fc
  .record({
    latency: histogram,
    latencyUncorrected: histogram,
    latencyRefused: histogram,
    connect: histogram,
    sendLag: histogram,
    succeeded: count,
    errors: fc.array(count, { minLength: ERROR_CLASSES.length, maxLength: ERROR_CLASSES.length }),
    statuses: fc.array(fc.tuple(fc.integer({ min: 100, max: 999 }), count), { maxLength: 5 }),
    seconds: time,
    planned: count,
    waitedForConnection: count,
    opened: count,
    connectsFailed: count,
    clientsAnswered: count,
    openMax: count,
    inFlightMs: time,
    bytesSent: count,
    bytesReceived: count,
    slots: fc.array(
      fc.record({ sent: count, succeeded: count, failed: count, latencyMsSum: time, latencyMsMax: time }),
      { maxLength: 5 },
    ),
    silences: fc.array(
      fc.record({
        fromMs: time,
        waitingFromMs: fc.oneof(time, fc.constant(Number.POSITIVE_INFINITY)),
        toMs: time,
      }),
      { maxLength: 5 },
    ),
    health: fc.record({ cpuRatio: ratio, spinRatio: time, waitRatio: ratio, loopLagMsMax: time }),
    startLagMs: time,
  })
  .map((tally) => structuredClone(tally));

const travel = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a tally as JSON", () => {
  test("comes back as it was, to the last bit of every number", () => {
    fc.assert(
      fc.property(tallies, (tally) => {
        assert.deepEqual(decodeTally(travel(encodeTally(tally))), tally);
      }),
    );
  });

  test("is small where few buckets hold something", () => {
    const empty = fc.sample(tallies, { numRuns: 1, seed: 1 })[0]!;
    const none = new Float64Array(empty.latency.length);
    const text = JSON.stringify(
      encodeTally({
        ...empty,
        latency: none,
        latencyUncorrected: none,
        latencyRefused: none,
        connect: none,
        sendLag: none,
      }),
    );
    assert.ok(text.length < 3000, `${text.length} bytes`);
  });

  test("is refused where a field is not what it should be, whichever it is", () => {
    const good = travel(encodeTally(fc.sample(tallies, { numRuns: 1, seed: 2 })[0]!)) as Record<
      string,
      unknown
    >;
    decodeTally(good);
    const wrong = [undefined, "x", -1.5, [1], [[1, 2, "x", 4, 5]], [-1, 1], [0.5, 1], [1e9, 1], [[null, 0]]];
    for (const name of Object.keys(good)) {
      for (const value of wrong) {
        const allowed = ["startLagMs", "seconds", "inFlightMs"].includes(name) && value === -1.5;
        if (allowed) continue;
        assert.throws(
          () => decodeTally({ ...good, [name]: value }),
          (error) =>
            error instanceof TidemarkError &&
            /^cannot read an agents' message because its /.test(error.message),
          `${name}: ${JSON.stringify(value)}`,
        );
      }
    }
    for (const value of [null, 1, "tally", [], undefined])
      assert.throws(() => decodeTally(value), TidemarkError);
  });
});
