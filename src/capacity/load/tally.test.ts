import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tally, TICK_MS } from "./tally.ts";

/** Ticks as the thread does, up to that moment. */
function tickUntil(tally: Tally, fromMs: number, toMs: number): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += TICK_MS) tally.tick(nowMs);
}

describe("a tally", () => {
  test("knows the mean in flight as time times requests", () => {
    const tally = new Tally(false);
    tally.start(1000, 1000);
    tally.begin(1000);
    tally.begin(1200);
    tally.answer(1000, 1000, 1400, 200);
    tally.answer(1200, 1200, 1600, 200);
    tally.endSending(2000);
    assert.equal(tally.inFlightMs, 400 + 400);
  });

  test("leaves the drain out of the mean in flight and of the time line's length", () => {
    const tally = new Tally(false);
    tally.start(0, 500);
    tally.begin(450);
    tally.endSending(500);
    tally.answer(450, 450, 900, 200);
    assert.equal(tally.inFlightMs, 50);
    assert.equal(tally.slots.length, 2);
    assert.deepEqual(tally.slots[1], {
      sent: 1,
      succeeded: 1,
      failed: 0,
      latencyMsSum: 450,
      latencyMsMax: 450,
    });
  });

  test("has no slot behind the planned end, even for what comes before the end is noticed", () => {
    const tally = new Tally(false);
    tally.start(0, 500);
    tally.begin(10);
    tally.answer(10, 10, 760, 200);
    tally.endSending(760);
    assert.deepEqual(
      tally.slots.map(({ succeeded }) => succeeded),
      [0, 1],
    );
  });

  test("counts into the slot in which it happens, also behind empty ones", () => {
    const tally = new Tally(true);
    tally.start(0, 10_000);
    tally.begin(10);
    tally.answer(5, 10, 20, 200);
    tally.begin(30);
    tally.fail("reset", 30, 30, 800);
    assert.deepEqual(
      tally.slots.map(({ sent, succeeded, failed, latencyMsMax }) => [sent, succeeded, failed, latencyMsMax]),
      [
        [2, 1, 0, 15],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
      ],
    );
  });

  test("leaves quick refusals out of the latency, and counts what timed out with the time waited", () => {
    const tally = new Tally(true);
    tally.start(0, 10_000);
    for (let request = 0; request < 3; request++) tally.begin(0);
    tally.fail("refused", 0, 0, 1);
    tally.fail("timeout", 0, 100, 500);
    tally.fail("connect_timeout", 0, 100, 600);
    tally.failUnsent("timeout", 0, 700);
    assert.equal(tally.latency.count(), 3);
    assert.equal(tally.latency.max(), 700e6);
    assert.equal(tally.latencyUncorrected.count(), 2, "what was never sent has no such latency");
    assert.equal(tally.latencyUncorrected.max(), 500e6);
  });

  test("has no corrected latency of its own where nothing was planned", () => {
    const tally = new Tally(false);
    tally.start(0, 10_000);
    tally.begin(1);
    tally.answer(1, 1, 3, 200);
    assert.equal(tally.latency.count(), 0);
    assert.equal(tally.latencyUncorrected.max(), 2e6);
  });
});

describe("a silence", () => {
  test("is kept from the last sign of life to the next, with the moment from which something was awaited", () => {
    const tally = new Tally(false);
    tally.start(1000, 10_000);
    tally.begin(1000);
    tally.answer(1000, 1000, 1005, 200);
    tickUntil(tally, 1010, 1200);
    tally.begin(1025);
    tally.answer(1025, 1025, 1200, 200);
    assert.deepEqual(tally.silences, [{ fromMs: 5, waitingFromMs: 25, toMs: 200 }]);
  });

  test("goes on past a timeout, and ends with a refusal", () => {
    const tally = new Tally(false);
    tally.start(0, 10_000);
    tally.begin(0);
    tickUntil(tally, 10, 300);
    tally.fail("timeout", 0, 0, 300);
    tally.begin(300);
    tickUntil(tally, 310, 400);
    tally.fail("refused", 300, 300, 400);
    assert.deepEqual(tally.silences, [{ fromMs: 0, waitingFromMs: 0, toMs: 400 }]);
  });

  test("in which the thread itself was asleep proves nothing", () => {
    const tally = new Tally(false);
    tally.start(0, 10_000);
    tally.begin(0);
    tickUntil(tally, 10, 20);
    tally.tick(500);
    tally.answer(0, 0, 501, 200);
    assert.deepEqual(tally.silences, []);
    assert.equal(tally.loopLagMsMax, 470);
  });

  test("that is under way at the end counts to the end", () => {
    const tally = new Tally(false);
    tally.start(0, 1000);
    tally.begin(700);
    tickUntil(tally, 10, 1000);
    tally.endSending(1000);
    assert.deepEqual(tally.silences, [{ fromMs: 0, waitingFromMs: 700, toMs: 1000 }]);
  });
});
