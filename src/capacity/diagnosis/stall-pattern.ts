// What the silences of all levels have in common: a period, a length, and what the server did meanwhile. Pure.
// A silence is a time in which requests were in flight, the generator was awake, and not one answer came.

import type { Level } from "../level.ts";
import type { Stall } from "../load/load-result.ts";
import type { DiagnosedLevel, Reading } from "./reading.ts";
import {
  STALL_CPU_S_MIN,
  STALL_GAPS_MIN,
  STALL_IDLE,
  STALL_LENGTH_WITHIN,
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
  /** Levels, of those that are not void, with a long stall. */
  readonly levelsWith: number;
  readonly levelsAll: number;
  /** Between the starts of stalls, over the whole run; null where they do not recur regularly. */
  readonly periodMs: number | null;
  /** Gaps that the period was found by. */
  readonly gaps: number;
  /** What the server's CPU did during the silences of the limiting level, beside the rest of the time. */
  readonly activity: "idle" | "worked" | "mixed" | "unknown";
  /** CPU in the silences, as a share of the usual; null where unknown. */
  readonly activityRatio: number | null;
}

export function readStalls(reading: Reading): StallPattern {
  const here = longStalls(reading.load.stalls);
  const sound = reading.levels.filter(({ level }) => level.load.void === null);
  const all = sound.flatMap(({ level }) => onWallClock(level)).sort((a, b) => a.atMs - b.atMs);
  const gaps = gapsOf(all);
  const period = areAlike(all) ? periodOf(gaps) : null;
  const silentMs = here.reduce((sum, { lastedMs }) => sum + lastedMs, 0);
  const ratio = activityIn({ level: reading.level, evidence: reading.evidence }, here);
  return {
    here,
    longestMs: here.reduce((longest, { lastedMs }) => Math.max(longest, lastedMs), 0),
    meanMs: here.length === 0 ? 0 : silentMs / here.length,
    share: reading.load.seconds > 0 ? silentMs / 1e3 / reading.load.seconds : 0,
    levelsWith: sound.filter(({ level }) => longStalls(level.load.stalls).length > 0).length,
    levelsAll: sound.length,
    periodMs: period?.ms ?? null,
    gaps: period?.gaps ?? 0,
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

/** What beats goes on beating between levels: the whole run is one time line. */
function onWallClock({ load }: Level): Stall[] {
  return longStalls(load.stalls).map(({ atMs, lastedMs }) => ({ atMs: load.startedAtMs + atMs, lastedMs }));
}

function areAlike(stalls: readonly Stall[]): boolean {
  if (stalls.length === 0) return false;
  const lengths = stalls.map(({ lastedMs }) => lastedMs).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)]!;
  const alike = lengths.filter((length) => Math.abs(length / median - 1) <= STALL_LENGTH_WITHIN);
  return alike.length >= STALL_PERIOD_FITS * lengths.length;
}

/** The gap that most of the others are one or a few of. Gaps of many periods (between levels) would fit any: left out. */
function periodOf(gaps: readonly number[]): { readonly ms: number; readonly gaps: number } | null {
  let best: { ms: number; gaps: number } | null = null;
  for (const ms of gaps) {
    if (!(ms > STALL_MS_LONG)) continue;
    const short = gaps.filter((gap) => gap <= (PERIODS_IN_GAP_MAX + 0.5) * ms);
    const fitting = short.filter((gap) => {
      const times = Math.max(1, Math.round(gap / ms));
      return Math.abs(gap / ms - times) <= STALL_PERIOD_WITHIN;
    });
    if (short.length < STALL_GAPS_MIN || fitting.length < STALL_PERIOD_FITS * short.length) continue;
    if (best === null || fitting.length > best.gaps) best = { ms, gaps: fitting.length };
  }
  return best;
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
  if (silentMs === 0 || freeMs === 0 || freeS < STALL_CPU_S_MIN) return null;
  const usual = freeS / freeMs;
  return Math.max(0, (touchedS - usual * besideMs) / silentMs / usual);
}

function cpuBetween(from: number | null | undefined, to: number | null | undefined): number | null {
  return from === null || from === undefined || to === null || to === undefined ? null : to - from;
}
