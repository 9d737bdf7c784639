// The timer on a clock that the test holds: naps move it, turns of the event loop do not take time.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SendTimer } from "./send-timer.ts";

/** Sends at each of these times; resolves with what happened when the last one is sent. */
function sendAt(timesMs: readonly number[], stepMs: number) {
  return new Promise<{ sentAt: number[]; naps: number[]; spunMs: number }>((resolve) => {
    let nowMs = 100;
    let next = 0;
    const sentAt: number[] = [];
    const naps: number[] = [];
    const timer = new SendTimer({
      nowMs: () => {
        nowMs += stepMs;
        return nowMs;
      },
      nap: {
        take(ms) {
          naps.push(ms);
          nowMs += ms;
        },
      },
      work: () => next,
      pump(now) {
        while (next < timesMs.length && timesMs[next]! <= now) {
          sentAt.push(now);
          next++;
        }
        if (next < timesMs.length) return timesMs[next]!;
        resolve({ sentAt, naps, spunMs: timer.spunMs });
        return Number.POSITIVE_INFINITY;
      },
    });
    timer.start();
  });
}

describe("the timer of planned sends", () => {
  test("naps while a send is near, never past it, and spins when it is nearer", async () => {
    const { sentAt, naps } = await sendAt([101.5], 0.01);
    assert.ok(naps.length > 5 && naps.every((ms) => ms > 0 && ms <= 0.1), naps.join(" "));
    assert.ok(sentAt[0]! >= 101.5 && sentAt[0]! < 101.6, `${sentAt[0]}`);
  });

  test("counts as spinning what it was awake and had nothing to do for, without the naps", async () => {
    const { naps, spunMs } = await sendAt([101], 0.01);
    const nappedMs = naps.reduce((sum, ms) => sum + ms, 0);
    assert.ok(spunMs > 0.1 && spunMs + nappedMs <= 1, `${spunMs} spun, ${nappedMs} napped`);
  });

  test("does not nap between sends that are close together", async () => {
    const { naps, sentAt } = await sendAt([100.1, 100.2, 100.3], 0.01);
    assert.deepEqual(naps, []);
    assert.equal(sentAt.length, 3);
  });

  test("sends nothing any more once it is stopped", async () => {
    let pumped = 0;
    const timer = new SendTimer({
      nowMs: () => 0,
      nap: { take() {} },
      work: () => 0,
      pump: () => {
        pumped++;
        return 0.1;
      },
    });
    timer.start();
    timer.stop();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(pumped, 1);
  });
});
