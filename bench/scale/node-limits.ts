// What one ingest node takes for good while it replicates: the least of what its stages take. Pure.
import type { Assumed } from "./assumptions.ts";
import type { Measured } from "./measured.ts";
import { threeDigits, whole, withUnit } from "./units.ts";

/** The stage of a node that its lanes' round trips stop. */
export const LANES = "lanes, one block in flight each";

/** One line of arithmetic: what, how, what came of it. */
export interface Step {
  readonly what: string;
  readonly sum: string;
  readonly result: string;
}

export interface NodeLimits {
  /** As `--threads auto` has it; each has a lane. */
  readonly threads: number;
  /** Metrics a second that each stage takes, by its name. */
  readonly byStage: Readonly<Record<string, number>>;
  readonly stage: string;
  /** Of the ingest threads: what a node takes for a while, more than it replicates meanwhile. */
  readonly ingestPerSecond: number;
  /** For good. */
  readonly metricsPerSecond: number;
  readonly steps: readonly Step[];
}

export function nodeLimits(measured: Measured, assumed: Assumed): NodeLimits {
  const { bytesPerMetric, messageBytesPerMetric, blockBytes } = measured;
  const { largeBatchShare: large } = assumed;
  const steps: Step[] = [];
  const threads = assumed.ingestCores;
  const cores = threads - assumed.ingestCoresKept;
  const perCore = 1 / (large / measured.largeMetricsPerSecond + (1 - large) / measured.smallMetricsPerSecond);
  steps.push({
    what: "one ingest thread",
    sum: `1 ÷ (${large} ÷ ${withUnit(measured.largeMetricsPerSecond, "/s")} + ${threeDigits(1 - large)} ÷ ${withUnit(measured.smallMetricsPerSecond, "/s")})`,
    result: withUnit(perCore, "metrics/s"),
  });
  const byStage: Record<string, number> = {};
  const add = (stage: string, rate: number, sum: string): void => {
    byStage[stage] = rate;
    steps.push({ what: stage, sum, result: withUnit(rate, "metrics/s") });
  };
  add(
    "ingest threads",
    cores * perCore * assumed.threadEfficiency,
    `(${threads} − ${assumed.ingestCoresKept}) cores × ${withUnit(perCore, "/s")} × ${assumed.threadEfficiency}`,
  );
  add(
    "follower thread",
    measured.followerBytesPerSecond / bytesPerMetric,
    `${withUnit(measured.followerBytesPerSecond, "B/s")} ÷ ${threeDigits(bytesPerMetric)} B`,
  );
  const tripMs = measured.laneRoundTripMs + assumed.networkRoundTripMs;
  add(
    LANES,
    (threads * blockBytes * 1_000) / tripMs / bytesPerMetric,
    `${threads} × ${blockBytes / 1024} KiB ÷ (${threeDigits(measured.laneRoundTripMs)} + ${assumed.networkRoundTripMs} ms) ÷ ${threeDigits(bytesPerMetric)} B`,
  );
  add(
    "disk",
    assumed.diskBytesPerSecond / bytesPerMetric,
    `${withUnit(assumed.diskBytesPerSecond, "B/s")} ÷ ${threeDigits(bytesPerMetric)} B`,
  );
  const leader = (assumed.leaderCores * 1e9) / measured.leaderCpuSecondsPerGigabyte;
  add(
    "its stream, if it had one alone",
    leader / messageBytesPerMetric,
    `${assumed.leaderCores} cores × 1 GB ÷ ${threeDigits(measured.leaderCpuSecondsPerGigabyte)} s ÷ ${threeDigits(messageBytesPerMetric)} B`,
  );
  const nicBytes = assumed.nicBitsPerSecond / 8;
  add(
    "network, in",
    nicBytes / measured.requestBytesPerMetric,
    `${withUnit(nicBytes, "B/s")} ÷ ${threeDigits(measured.requestBytesPerMetric)} B`,
  );
  add(
    "network, out",
    nicBytes / messageBytesPerMetric,
    `${withUnit(nicBytes, "B/s")} ÷ ${threeDigits(messageBytesPerMetric)} B`,
  );
  const [stage, metricsPerSecond] = Object.entries(byStage).toSorted((a, b) => a[1] - b[1])[0]!;
  const planned = metricsPerSecond * assumed.nodeShare;
  steps.push({
    what: "**planned for the day's peak**",
    sum: `${withUnit(metricsPerSecond, "/s")} (${stage}) × ${assumed.nodeShare}`,
    result: `**${whole(planned)} metrics/s**`,
  });
  return {
    threads,
    byStage,
    stage,
    ingestPerSecond: byStage["ingest threads"]!,
    metricsPerSecond,
    steps,
  };
}
