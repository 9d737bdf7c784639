import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { openSchedule, pacedSchedule, type Schedule } from "./schedule.ts";

function timesOf(schedule: Schedule): number[] {
  return Array.from({ length: schedule.count }, (_, index) => schedule.timeMs(index));
}

function assertClose(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted)), `${actual} is not ${wanted}`);
}

describe("a constant rate", () => {
  test("sends at equal distances from the first moment on", () => {
    assert.deepEqual(timesOf(openSchedule(4, 4, 1, 0, 1)), [0, 250, 500, 750]);
  });

  test("has no drift after a day", () => {
    const schedule = openSchedule(3000, 3000, 86_400, 0, 1);
    assert.equal(schedule.count, 259_200_000);
    assertClose(schedule.timeMs(259_199_999), 86_400_000 - 1 / 3);
    assert.equal(schedule.timeMs(259_200_000), Number.POSITIVE_INFINITY);
  });

  test("of less than one a second sends one at the start", () => {
    assert.deepEqual(timesOf(openSchedule(0.1, 0.1, 5, 0, 1)), [0]);
  });
});

describe("a ramp", () => {
  test("from nothing to 10 a second in 2 s sends 10, the k-th at √(k ÷ 2.5) s", () => {
    const schedule = openSchedule(0, 10, 2, 0, 1);
    assert.equal(schedule.count, 10);
    for (let index = 0; index < 10; index++)
      assertClose(schedule.timeMs(index), 1000 * Math.sqrt(index / 2.5));
  });

  test("downwards is the mirror of the ramp upwards, one request shifted", () => {
    const down = openSchedule(10, 0, 2, 0, 1);
    assert.equal(down.count, 10);
    for (let index = 1; index < 10; index++) {
      assertClose(down.timeMs(index), 2000 - 1000 * Math.sqrt((10 - index) / 2.5));
    }
  });
});

describe("a schedule", () => {
  const rate = fc.double({ min: 0.5, max: 5000, noNaN: true });
  test("split over threads is the whole schedule, each request once", () => {
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 1, max: 5 }), (from, to, threads) => {
        const whole = timesOf(openSchedule(from, to, 0.5, 0, 1));
        const parts = Array.from({ length: threads }, (_, thread) =>
          timesOf(openSchedule(from, to, 0.5, thread, threads)),
        );
        const merged = parts.flat().sort((a, b) => a - b);
        assert.deepEqual(merged, whole);
      }),
    );
  });

  test("rises, stays within the run, and counts what is due as it sends it", () => {
    fc.assert(
      fc.property(rate, rate, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (from, to, share) => {
        const schedule = openSchedule(from, to, 0.5, 0, 1);
        const times = timesOf(schedule);
        for (let index = 1; index < times.length; index++) assert.ok(times[index]! > times[index - 1]!);
        assert.ok(times.at(-1)! < 500);
        assert.equal(schedule.countBefore(500), schedule.count);
        assert.equal(schedule.countBefore(0), 0);
        const until = 500 * share;
        const due = times.filter((time) => time < until - 1e-6).length;
        const dueLate = times.filter((time) => time < until + 1e-6).length;
        assert.ok(schedule.countBefore(until) >= due && schedule.countBefore(until) <= dueLate);
      }),
    );
  });
});

describe("a paced loop", () => {
  test("starts its clients evenly over one pace and repeats", () => {
    assert.deepEqual(timesOf(pacedSchedule(100, 4, 0, 1, 2)), [0, 25, 50, 75, 100, 125, 150, 175]);
  });

  test("split over threads gives each the turns of its own clients", () => {
    assert.deepEqual(timesOf(pacedSchedule(100, 5, 0, 2, 2)), [0, 40, 80, 100, 140, 180]);
    assert.deepEqual(timesOf(pacedSchedule(100, 5, 1, 2, 2)), [20, 60, 120, 160]);
  });

  test("counts the turns that have come, with and without an end", () => {
    const endless = pacedSchedule(100, 4, 0, 1, Number.POSITIVE_INFINITY);
    assert.equal(endless.countBefore(1000), 40);
    assert.equal(endless.countBefore(1000.5), 41);
    assert.equal(endless.countBefore(0), 0);
    assert.equal(pacedSchedule(100, 4, 0, 1, 3).countBefore(1000), 12);
  });
});
