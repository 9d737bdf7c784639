// What replicating costs the rate: at level written with 64 connections, against the same server that does not replicate; and
// level replicated against synced with 256. Interleaved rounds, a fresh server in each.
import { join } from "node:path";
import type { RunningServer } from "../contender.ts";
import { withFolder } from "../folder.ts";
import { countFailures, type LoadSummary, runLoad, writeLoadScript } from "../load/wrk.ts";
import { stopChild } from "../pinned.ts";
import { formatMs, formatRate, print } from "../print.ts";
import { median } from "../result.ts";
import { encodeTidemark, makeBatches } from "../workload.ts";
import { type Bed, readStats, replicating, startServer, untilStats } from "./bed.ts";

export interface RateRound {
  readonly requestsPerSecond: number;
  readonly latencyUsP99: number;
  readonly failures: number;
}

export interface RateComparison {
  readonly connections: number;
  readonly baseline: readonly RateRound[];
  readonly replicated: readonly RateRound[];
  /** Medians: ÷ the baseline's. */
  readonly rate: number;
  readonly latencyP99: number;
}

const METRICS_PER_BATCH = 3;
const SERIES = 64;

export interface RatePlan {
  readonly name: string;
  readonly connections: number;
  readonly baseline: readonly string[];
  readonly replicated: readonly string[];
}

export async function compareRates(
  bed: Bed,
  plan: RatePlan,
  rounds: number,
  seconds: number,
): Promise<RateComparison> {
  const baseline: RateRound[] = [];
  const replicated: RateRound[] = [];
  for (let round = 0; round < rounds; round++) {
    const stream = `${plan.name}-${bed.runtime}-${round}`;
    baseline.push(await measure(bed, plan, plan.baseline, seconds));
    replicated.push(await measure(bed, plan, [...plan.replicated, ...replicating(bed, stream)], seconds));
  }
  const middle = (of: readonly RateRound[], field: "requestsPerSecond" | "latencyUsP99") =>
    median(of.map((round) => round[field]))!;
  return {
    connections: plan.connections,
    baseline,
    replicated,
    rate: middle(replicated, "requestsPerSecond") / middle(baseline, "requestsPerSecond"),
    latencyP99: middle(replicated, "latencyUsP99") / middle(baseline, "latencyUsP99"),
  };
}

async function measure(
  bed: Bed,
  plan: RatePlan,
  flags: readonly string[],
  seconds: number,
): Promise<RateRound> {
  return withFolder(async (folder, serverFolder) => {
    const script = writeLoadScript(folder, asContender(), makeBatches(SERIES, METRICS_PER_BATCH, Date.now()));
    const server = await startServer(bed, join(serverFolder, "data"), flags);
    try {
      if ((await readStats(server)).replication !== null)
        await untilStats(server, "the stream takes blocks", (stats) => stats.replication!.flowing);
      await runLoad(server, script, plan.connections, 2);
      const summary = await runLoad(server, script, plan.connections, seconds);
      const round = roundOf(summary);
      print(
        `  ${plan.name} ${bed.runtime} ${flags.includes("--replicate") ? "replicated" : "baseline  "} ` +
          `${formatRate(round.requestsPerSecond).padStart(8)} req/s  p99 ${formatMs(round.latencyUsP99)}` +
          (round.failures > 0 ? `  ${round.failures} FAILED` : ""),
      );
      return round;
    } finally {
      await stopChild(server.child);
    }
  });
}

function roundOf(summary: LoadSummary): RateRound {
  return {
    requestsPerSecond: (summary.requests * 1e6) / summary.durationUs,
    latencyUsP99: summary.latencyUsP99,
    failures: countFailures(summary),
  };
}

/** For wrk's script, which wants to know what to send where. */
function asContender() {
  return {
    id: "tidemark",
    label: "tidemark",
    target: "/metrics",
    contentType: "application/json",
    encode: encodeTidemark,
    missing: () => null,
    start: (): Promise<RunningServer> => Promise.reject(new Error("started by its own hand here")),
  };
}
