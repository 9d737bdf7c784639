// A level's evidence over time, one point for each sample but the first, and the moment from which a resource stayed at
// its limit. Each point is of the time since the sample before it. Pure.

import type { Level } from "../level.ts";
import { SLOT_MS } from "../load/load-result.ts";
import type { EvidencePoint } from "../report/report-json.ts";
import { growthOf, machineShare, rateOf, ratioOf, sumOf } from "./counter-growth.ts";
import { hottestOf, useOfThreads } from "./thread-evidence.ts";

interface Limit {
  readonly resource: string;
  readonly key: "thread_ratio" | "machine_ratio" | "descriptors_ratio" | "accept_queue_ratio" | "queue_ratio";
  /** From here on it counts as used up: no sampling of CPU says exactly 1. */
  readonly ratioMin: number;
}

/** In the order in which they are named where two are reached at the same moment. */
const LIMITS: readonly Limit[] = [
  { resource: "descriptors", key: "descriptors_ratio", ratioMin: 0.95 },
  { resource: "the accept queue", key: "accept_queue_ratio", ratioMin: 1 },
  { resource: "the queue of the log", key: "queue_ratio", ratioMin: 0.9 },
  { resource: "the busiest thread", key: "thread_ratio", ratioMin: 0.95 },
  { resource: "all cores", key: "machine_ratio", ratioMin: 0.97 },
];
/** Fewer points are a spike. */
const POINTS_MIN = 3;
/** Of the points from that moment on: a resource that stays at its limit still shows a dip now and then. */
const STAY_SHARE_MIN = 0.8;

export function toEvidencePoints(level: Level): EvidencePoint[] {
  const points: EvidencePoint[] = [];
  for (let index = 1; index < level.samples.length; index++) {
    const before = level.samples[index - 1]!;
    const sample = level.samples[index]!;
    const both = [before, sample];
    const { process, network, stats } = sample;
    points.push({
      at_ms: sample.atMs,
      ...loadBetween(level, before.atMs, sample.atMs),
      thread_ratio: hottestOf(useOfThreads(both))?.ratio ?? null,
      process_cores: rateOf(both, (each) => each.process?.cpuS),
      machine_ratio: machineShare(both, ({ busyS, stolenS }) => sumOf(busyS, stolenS)),
      descriptors_ratio:
        ratioOf(process?.descriptorsUsed, process?.descriptorsSoft) ??
        ratioOf(stats?.descriptorsUsed, stats?.descriptorsSoft),
      accept_queue_ratio:
        ratioOf(network.acceptQueueMax, network.acceptQueueCap) ??
        ratioOf(stats?.acceptQueueMax, stats?.acceptQueueCap),
      listen_overflows: growthOf([level.samples[0]!, sample], (each) => each.network.listenOverflows),
      memory_bytes: process?.residentBytes ?? stats?.residentBytes ?? null,
      queue_ratio: ratioOf(stats?.queueBytes, stats?.queueBytesLimit),
      loop_lag_ms: stats?.eventLoopLagMs ?? null,
      sync_ms: ratioOf(
        growthOf(both, (each) => each.stats?.syncMsTotal),
        growthOf(both, (each) => each.stats?.syncs),
      ),
    });
  }
  return points;
}

/** The first moment from which a resource stays at its limit to the end of the load; null where none does. */
export function findSaturation(
  points: readonly EvidencePoint[],
): { readonly at_ms: number; readonly resource: string } | null {
  let first: { at_ms: number; resource: string } | null = null;
  const loaded = loadedPoints(points);
  for (const { resource, key, ratioMin } of LIMITS) {
    const known = loaded.filter((point) => point[key] !== null);
    const start = known.findIndex((_, index) => staysFrom(known.slice(index), key, ratioMin));
    const atMs = known[start]?.at_ms;
    if (atMs !== undefined && atMs < (first?.at_ms ?? Number.POSITIVE_INFINITY))
      first = { at_ms: atMs, resource };
  }
  return first;
}

function staysFrom(points: readonly EvidencePoint[], key: Limit["key"], ratioMin: number): boolean {
  if (points.length < POINTS_MIN || points[0]![key]! < ratioMin) return false;
  const reached = points.filter((point) => point[key]! >= ratioMin).length;
  return reached >= points.length * STAY_SHARE_MIN;
}

/** Without those before and after the load, and without the one in which it ended; all where no load is known. */
function loadedPoints(points: readonly EvidencePoint[]): readonly EvidencePoint[] {
  const isLoaded = ({ rate, failed_rate }: EvidencePoint) => (rate ?? 0) + (failed_rate ?? 0) > 0;
  const start = points.findIndex(isLoaded);
  return start < 0 ? points : points.slice(start, points.findLastIndex(isLoaded));
}

/** From the time line's slots whose middle lies between the two moments. */
function loadBetween(
  { load }: Level,
  fromMs: number,
  toMs: number,
): Pick<EvidencePoint, "rate" | "failed_rate" | "latency_ms_mean"> {
  const slots = load.timeline.filter(({ atMs }) => {
    const middleMs = atMs + SLOT_MS / 2;
    return middleMs > fromMs && middleMs <= toMs;
  });
  if (slots.length === 0) return { rate: null, failed_rate: null, latency_ms_mean: null };
  const seconds = (slots.length * SLOT_MS) / 1e3;
  const succeeded = slots.reduce((sum, slot) => sum + slot.succeeded, 0);
  const latencyMs = slots.reduce((sum, slot) => sum + (slot.latencyMsMean ?? 0) * slot.succeeded, 0);
  return {
    rate: succeeded / seconds,
    failed_rate: slots.reduce((sum, slot) => sum + slot.failed, 0) / seconds,
    latency_ms_mean: ratioOf(latencyMs, succeeded),
  };
}
