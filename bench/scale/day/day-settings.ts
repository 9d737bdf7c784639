// A plan as the simulated day needs it: everything in whole metrics and seconds, so that nothing is lost to rounding.
import { DRAIN_BEAT_MS, DRAIN_SILENT_LOOKS } from "../../../src/limits.ts";
import type { Measured } from "../measured.ts";
import type { Plan } from "../plan.ts";

export interface DaySettings {
  readonly seconds: number;
  readonly nodes: number;
  readonly lanesPerNode: number;
  /** Streams, each with its own nodes and drains. */
  readonly cells: number;
  readonly partitions: number;
  readonly drainsPerCell: number;
  readonly clusters: number;
  readonly serversPerCluster: number;
  /** The load's highest point, but for bursts; metrics a second. */
  readonly offeredPeak: number;
  /** What each takes at most, metrics a second. */
  readonly ingestMax: number;
  readonly followerMax: number;
  readonly streamMax: number;
  readonly drainMax: number;
  /** --retention-size and --stream-size, metrics. */
  readonly nodeHoldMax: number;
  readonly streamHoldMax: number;
  /** Every such node answers `replicated`, the others `written`. */
  readonly replicatedEvery: number;
  /** A leader's death until another leads. */
  readonly electionSeconds: number;
  /** A drain's death until others own its partitions. */
  readonly leaseSeconds: number;
  /** nats-server's sync_interval. */
  readonly syncSeconds: number;
}

const DAY_SECONDS = 86_400;

export function daySettings(plan: Plan, measured: Measured): DaySettings {
  const { bytesPerMetric, messageBytesPerMetric } = measured;
  return {
    seconds: DAY_SECONDS,
    nodes: plan.nodes,
    lanesPerNode: plan.node.threads,
    cells: plan.streams,
    partitions: plan.partitions,
    drainsPerCell: plan.drainsPerStream,
    clusters: plan.clusters,
    serversPerCluster: plan.servers / plan.clusters,
    offeredPeak: Math.floor(plan.metricsPerSecond),
    ingestMax: Math.floor(plan.node.ingestPerSecond),
    followerMax: Math.floor(plan.node.metricsPerSecond),
    streamMax: Math.floor(plan.streamBytesPerSecondMax / messageBytesPerMetric),
    drainMax: Math.floor(plan.drainBytesPerSecondMax / bytesPerMetric),
    nodeHoldMax: Math.floor(plan.retentionBytes / bytesPerMetric),
    streamHoldMax: Math.floor(plan.streamBytesMax / messageBytesPerMetric),
    replicatedEvery: 4,
    electionSeconds: 5,
    leaseSeconds: (DRAIN_SILENT_LOOKS * DRAIN_BEAT_MS) / 1_000,
    syncSeconds: 120,
  };
}
