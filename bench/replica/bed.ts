// What the replication benchmark runs on: three NATS servers and the load on one core, the server on the other, so that a
// cluster that works costs the server nothing but what the server itself does for it.

import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type NatsCluster, startNatsCluster } from "../../test/support/nats-server.ts";
import type { RunningServer } from "../contender.ts";
import type { Runtime } from "../options.ts";
import { CORES, spawnPinned } from "../pinned.ts";
import { findProgram, findRuntime } from "../programs.ts";

export interface Bed {
  readonly projectFolder: string;
  readonly runtime: Runtime;
  readonly cluster: NatsCluster;
}

/** The part of /stats that is read here. */
export interface ReplicaStats {
  readonly metrics_stored: number;
  readonly log: { readonly bytes: number };
  readonly memory: { readonly resident_bytes: number };
  readonly replication: {
    readonly flowing: boolean;
    readonly lines: number;
    readonly bytes: number;
    readonly message_bytes: number;
    readonly blocks: number;
    readonly fresh_lag_ms: number;
    readonly lines_behind: number;
    readonly lines_late: number;
  } | null;
}

const START_MS_MAX = 60_000;
export const LOOK_MS = 125;

export async function startCluster(): Promise<NatsCluster> {
  const cluster = await startNatsCluster(3);
  pinCluster(cluster);
  return cluster;
}

/** All threads that there are; those that come inherit it. */
export function pinCluster(cluster: NatsCluster): void {
  if (CORES === null) return;
  for (const { pid } of cluster.nodes)
    execFileSync(findProgram("taskset")!, ["-a", "-c", "-p", String(CORES.load), String(pid)], {
      stdio: "ignore",
    });
}

/** One ingest thread; `flags` besides those of every server here. */
export async function startServer(bed: Bed, data: string, flags: readonly string[]): Promise<RunningServer> {
  const runtime = findRuntime(bed.runtime, bed.projectFolder)!;
  const main = join(bed.projectFolder, "src/cli/main.ts");
  const words = ["serve", "--port", "0", "--threads", "1", "--rate-limit", "0", "--data", data, ...flags];
  const child = spawnPinned("server", [runtime, main, ...words], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(bed.projectFolder, "node_modules/.cache/node") },
  });
  return { child, port: await readPort(child) };
}

export function replicating(bed: Bed, stream: string): string[] {
  return ["--replicate", bed.cluster.url, "--stream", stream, "--node", "bench"];
}

export async function readStats({ port }: RunningServer): Promise<ReplicaStats> {
  const answer = await fetch(`http://127.0.0.1:${port}/stats`);
  return (await answer.json()) as ReplicaStats;
}

/** Looks until `isSo`; the figures it was so with. They are written four times a second, and each look is work for the server. */
export async function untilStats(
  server: RunningServer,
  what: string,
  isSo: (stats: ReplicaStats) => boolean,
  msMax = 120_000,
): Promise<ReplicaStats> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const stats = await readStats(server);
    if (isSo(stats)) return stats;
    if (performance.now() > deadline) throw new Error(`cannot go on because it never came true: ${what}`);
    await pause(LOOK_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function readPort(child: ChildProcess): Promise<number> {
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const address = /http:\/\/\S+:(\d+)/.exec(line);
      if (address === null) continue;
      child.stdout!.resume();
      return Number(address[1]);
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`cannot start tidemark because it ended with ${child.exitCode} and said no address`);
}
