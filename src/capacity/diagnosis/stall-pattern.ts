// What the silences of all levels have in common: a period, a length, and what the server did meanwhile. Pure.
// A silence is a time in which requests were in flight, the generator was awake, and not one answer came.

import type { Stall } from "../load/load-result.ts";
import type { DiagnosedLevel, Reading } from "./reading.ts";
import {
  STALL_GAPS_MIN,
  STALL_IDLE,
  STALL_MS_LONG,
  STALL_PERIOD_FITS,
  STALL_PERIOD_WITHIN,
  STALL_WORKED,
} from "./thresholds.ts";

/** A gap that lacks one or two stalls in between still fits the period. */
const PERIODS_IN_GAP_MAX = 3;

export interface StallPattern {
  /** The long ones of the limiting level. */
  readonly here: readonly Stall[];
  readonly longestMs: number;
  readonly meanMs: number;
  /** Share of the limiting level that was silent. */
  readonly share: number;
  /** Levels, of those that are not void, with at least two long stalls. */
  readonly levelsWith: number;
  readonly levelsAll: number;
  /** Between the starts of stalls, over all levels; null where they do not recur regularly. */
  readonly periodMs: number | null;
  readonly gaps: number;
  /** What the server's CPU did during the silences of the limiting level, beside the rest of the time. */
  readonly activity: "idle" | "worked" | "mixed" | "unknown";
  /** CPU in the silences, as a share of the usual; null where unknown. */
  readonly activityRatio: number | null;
}

export function readStalls(reading: Reading): StallPattern {
  const here = longStalls(reading.load.stalls);
  const sound = reading.levels.filter(({ level }) => level.load.void === null);
  const gaps = sound.flatMap(({ level }) => gapsOf(longStalls(level.load.stalls)));
  const silentMs = here.reduce((sum, { lastedMs }) => sum + lastedMs, 0);
  const ratio = activityIn({ level: reading.level, evidence: reading.evidence }, here);
  return {
    here,
    longestMs: here.reduce((longest, { lastedMs }) => Math.max(longest, lastedMs), 0),
    meanMs: here.length === 0 ? 0 : silentMs / here.length,
    share: reading.load.seconds > 0 ? silentMs / 1e3 / reading.load.seconds : 0,
    levelsWith: sound.filter(({ level }) => longStalls(level.load.stalls).length >= 2).length,
    levelsAll: sound.length,
    periodMs: periodOf(gaps),
    gaps: gaps.length,
    activity:
      ratio === null ? "unknown" : ratio <= STALL_IDLE ? "idle" : ratio >= STALL_WORKED ? "worked" : "mixed",
    activityRatio: ratio,
  };
}

export function longStalls(stalls: readonly Stall[]): Stall[] {
  return stalls.filter(({ lastedMs }) => lastedMs >= STALL_MS_LONG);
}

function gapsOf(stalls: readonly Stall[]): number[] {
  return stalls.slice(1).map(({ atMs }, index) => atMs - stalls[index]!.atMs);
}

/** The median gap, where most of the others are it or a few of it. */
function periodOf(gaps: readonly number[]): number | null {
  if (gaps.length < STALL_GAPS_MIN) return null;
  const period = [...gaps].sort((a, b) => a - b)[Math.floor((gaps.length - 1) / 2)]!;
  if (!(period > 0)) return null;
  const fitting = gaps.filter((gap) => {
    const times = Math.round(gap / period);
    return times >= 1 && times <= PERIODS_IN_GAP_MAX && Math.abs(gap / period - times) <= STALL_PERIOD_WITHIN;
  });
  return fitting.length >= STALL_PERIOD_FITS * gaps.length ? period : null;
}

/**
 * The server's CPU during the silences ÷ its CPU in the rest of the time. Samples are further apart than silences are
 * long: what the intervals with a silence used beyond their share of ordinary time was used in the silence.
 */
function activityIn({ level }: DiagnosedLevel, stalls: readonly Stall[]): number | null {
  let silentMs = 0;
  let besideMs = 0;
  let touchedS = 0;
  let freeMs = 0;
  let freeS = 0;
  const { samples } = level;
  const endMs = level.load.seconds * 1e3;
  for (let index = 1; index < samples.length; index++) {
    const from = samples[index - 1]!;
    const to = samples[index]!;
    const used = cpuBetween(from.process?.cpuS, to.process?.cpuS);
    if (used === null || from.atMs < 0 || to.atMs > endMs || to.atMs <= from.atMs) continue;
    const silent = stalls.reduce(
      (sum, { atMs, lastedMs }) =>
        sum + Math.max(0, Math.min(atMs + lastedMs, to.atMs) - Math.max(atMs, from.atMs)),
      0,
    );
    if (silent === 0) {
      freeMs += to.atMs - from.atMs;
      freeS += used;
    } else {
      silentMs += silent;
      besideMs += to.atMs - from.atMs - silent;
      touchedS += used;
    }
  }
  if (silentMs === 0 || freeMs === 0 || freeS <= 0) return null;
  const usual = freeS / freeMs;
  return Math.max(0, (touchedS - usual * besideMs) / silentMs / usual);
}

function cpuBetween(from: number | null | undefined, to: number | null | undefined): number | null {
  return from === null || from === undefined || to === null || to === undefined ? null : to - from;
}
