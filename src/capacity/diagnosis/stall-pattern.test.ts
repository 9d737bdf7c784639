// Silences told apart: those at a beat, and those that come as they please; and what the server did meanwhile.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Sample } from "../evidence/sample.ts";
import type { Stall } from "../load/load-result.ts";
import { type LevelParts, makeInput, makeLevel } from "./evidence-bed.ts";
import { stallsEvery } from "./planted-evidence.ts";
import { readInput } from "./reading.ts";
import { readStalls, type StallPattern } from "./stall-pattern.ts";

function patternOf(...parts: readonly LevelParts[]): StallPattern {
  return readStalls(readInput({ ...makeInput(parts.map(makeLevel)), limiting: 0 }));
}

const at = (...times: readonly (readonly [atMs: number, lastedMs: number])[]): Stall[] =>
  times.map(([atMs, lastedMs]) => ({ atMs, lastedMs }));

describe("a period", () => {
  test("is found within a level", () => {
    const pattern = patternOf({ seconds: 10, stalls: stallsEvery(2_000, 200, 10, 1_000_000) });
    assert.equal(pattern.periodMs, 2_000);
    assert.equal(pattern.gaps, 4);
    assert.equal(pattern.longestMs, 200);
  });

  test("is found over levels that are each too short for it", () => {
    const starts = [0, 2_700, 5_400, 8_100, 10_800].map((ms) => 1_000_000 + ms);
    const levels = starts.map((startedAtMs) => ({
      seconds: 2,
      startedAtMs,
      stalls: stallsEvery(2_000, 200, 2, startedAtMs),
    }));
    const pattern = patternOf(...levels);
    assert.equal(pattern.periodMs, 2_000);
    assert.equal(pattern.levelsAll, 5);
  });

  test("is found through one silence that was missed and one more that came in between", () => {
    const beat = stallsEvery(1_000, 150, 10, 1_000_000);
    const broken = [...beat.slice(0, 3), ...beat.slice(4)];
    assert.equal(patternOf({ seconds: 10, stalls: broken }).periodMs, 1_000);
  });

  test("needs more than two gaps", () => {
    assert.equal(patternOf({ stalls: at([500, 200], [2_500, 200], [4_500, 200]) }).periodMs, null);
  });

  test("is not seen in silences that come as they please", () => {
    const times = at([200, 120], [900, 110], [2_050, 130], [2_500, 125], [4_300, 115]);
    assert.equal(patternOf({ stalls: times }).periodMs, null);
  });

  test("is not seen where each silence has a length of its own", () => {
    const times = at([0, 100], [1_000, 700], [2_000, 160], [3_000, 400], [4_000, 105]);
    assert.equal(patternOf({ stalls: times }).periodMs, null);
  });

  test("takes no notice of what is shorter than the scheduler's own pauses, nor of void levels", () => {
    assert.equal(patternOf({ stalls: stallsEvery(500, 60, 5, 1_000_000) }).here.length, 0);
    const isVoid = { void: "too slow", seconds: 10, stalls: stallsEvery(2_000, 200, 10, 1_000_000) };
    assert.equal(patternOf({}, isVoid).periodMs, null);
  });
});

describe("what the server did during silences", () => {
  /** CPU of the server at each sample, a quarter of a second apart; outside of the silences it uses a whole core. */
  function samples(coresInSilence: number, stalls: readonly Stall[]): Sample[] {
    let cpuS = 10;
    const taken: Sample[] = [];
    for (let ms = 0; ms <= 5_000; ms++) {
      if (ms % 250 === 0) taken.push({ atMs: ms, process: { cpuS } } as unknown as Sample);
      const isSilent = stalls.some(({ atMs, lastedMs }) => ms >= atMs && ms < atMs + lastedMs);
      cpuS += (isSilent ? coresInSilence : 1) / 1e3;
    }
    return taken;
  }
  const stalls = at([1_100, 200], [3_100, 200]);

  test("nothing: it waited", () => {
    assert.equal(patternOf({ stalls, samples: samples(0.05, stalls) }).activity, "idle");
  });

  test("as much as ever: it worked on something else", () => {
    assert.equal(patternOf({ stalls, samples: samples(1, stalls) }).activity, "worked");
  });

  test("is not known without its CPU", () => {
    assert.equal(patternOf({ stalls }).activity, "unknown");
  });
});
