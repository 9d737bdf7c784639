// What the rules read: the limiting level and the healthy one side by side, and the few figures that several rules
// need (harm, the processor's state, how rate and latency grow with clients). Pure; made once for a diagnosis.

import type { LevelEvidence, StatsEvidence } from "../evidence/level-evidence.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { LoadResult } from "../load/load-result.ts";
import type { Objective } from "../search/objective.ts";
import { isOnThisMachine, type Processor, readProcessor } from "./processor-state.ts";
import { CURVE_SUCCESS_MIN, HARM_SHARE_MIN } from "./thresholds.ts";

export interface DiagnosedLevel {
  readonly level: Level;
  readonly evidence: LevelEvidence;
}

export interface DiagnosisInput {
  readonly target: TargetFacts;
  readonly levels: readonly DiagnosedLevel[];
  /** Index of the level that shows the limit. */
  readonly limiting: number;
  /** Index of the best level that met the objective. */
  readonly healthy: number | null;
  readonly objective: Objective;
}

/** A point of how an unpaced target answers more clients. */
export interface CurvePoint {
  readonly clients: number;
  readonly rate: number;
  readonly latencyMs: number;
}

export interface Reading {
  readonly target: TargetFacts;
  readonly levels: readonly DiagnosedLevel[];
  readonly objective: Objective;
  readonly level: Level;
  readonly load: LoadResult;
  readonly evidence: LevelEvidence;
  readonly stats: StatsEvidence | null;
  readonly healthy: DiagnosedLevel | null;
  readonly processor: Processor;
  /** The server shares this machine, so that the machine's figures are its figures. */
  readonly isHere: boolean;
  /** No packet leaves this machine: what is lost on the way was dropped at the server's queue. */
  readonly isWayLossless: boolean;
  /** For commands: the number, or the word that stands for it. */
  readonly pid: string;
  readonly port: string;
  /** Failed requests, and share of all. */
  readonly failed: number;
  readonly failedShare: number;
  /** A share of requests that fails the objective by itself. */
  readonly harmShare: number;
  /** From the actual send, medians: what one request takes. NaN where nothing was answered. */
  readonly latencyMsP50: number;
  /** From the planned send. */
  readonly latencyMsP99: number;
  /** Tightest bound of the objective on latency; null where it has none. */
  readonly boundMs: number | null;
  /** Unpaced levels that are not void and mostly succeeded, by clients, each number of clients once (the fastest). */
  readonly curve: readonly CurvePoint[];
}

export function readInput(input: DiagnosisInput): Reading {
  const { level, evidence } = input.levels[input.limiting]!;
  const { load } = level;
  const failed = load.requests - load.succeeded;
  const bounds = input.objective.latencyMsMax.map(([, ms]) => ms);
  return {
    target: input.target,
    levels: input.levels,
    objective: input.objective,
    level,
    load,
    evidence,
    stats: evidence.stats,
    healthy: input.healthy === null ? null : input.levels[input.healthy]!,
    processor: readProcessor(evidence, input.target),
    isHere: isOnThisMachine(input.target),
    isWayLossless: input.target.isLocal || input.target.isLoopback || input.target.isOwn,
    pid: input.target.pid === null ? "PID" : String(input.target.pid),
    port: portOf(input.target.url),
    failed,
    failedShare: load.requests === 0 ? 0 : failed / load.requests,
    harmShare: Math.max(HARM_SHARE_MIN, 1 - (input.objective.successMin || 1)),
    latencyMsP50: load.latencyUncorrected.percentile(0.5) / 1e6,
    latencyMsP99: load.latency.percentile(0.99) / 1e6,
    boundMs: bounds.length === 0 ? null : Math.min(...bounds),
    curve: curveOf(input.levels),
  };
}

/** Share of the level's requests that ended so. */
export function shareOf(reading: Reading, count: number): number {
  return reading.load.requests === 0 ? 0 : count / reading.load.requests;
}

/** "500 clients every 100 ms", "64 clients without a pause", "12,000 req/s". */
export function nameLevel(level: Level): string {
  if (level.kind === "open") return `the level of ${Math.round(level.plannedRate ?? 0)} req/s`;
  const pace = level.kind === "paced" ? `every ${level.paceMs} ms` : "without a pause";
  return `the level of ${level.clients} clients ${pace}`;
}

function portOf(url: string): string {
  try {
    return new URL(url).port || "80";
  } catch {
    return "PORT";
  }
}

function curveOf(levels: readonly DiagnosedLevel[]): CurvePoint[] {
  const fastest = new Map<number, CurvePoint>();
  for (const { level } of levels) {
    if (level.kind !== "unpaced" || level.load.void !== null) continue;
    const { rate, latencyUncorrected, succeeded, requests } = level.load;
    if (!(succeeded >= CURVE_SUCCESS_MIN * requests) || requests === 0) continue;
    const known = fastest.get(level.clients);
    if (known !== undefined && known.rate >= rate) continue;
    const latencyMs = latencyUncorrected.percentile(0.5) / 1e6;
    fastest.set(level.clients, { clients: level.clients, rate, latencyMs });
  }
  return [...fastest.values()].sort((a, b) => a.clients - b.clients);
}
