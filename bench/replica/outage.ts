// An outage of the whole cluster while batches come in at a steady rate: how fast what was left is caught up with while they go
// on coming, how old the fresh ones get meanwhile, and what memory the follower takes at its worst, over a server that does not
// replicate and had the same load.
import { join } from "node:path";
import type { RunningServer } from "../contender.ts";
import { withFolder } from "../folder.ts";
import { stopChild } from "../pinned.ts";
import { formatMebibytes, formatRate, print } from "../print.ts";
import { readTreeResidentBytes } from "../process-tree.ts";
import { median } from "../result.ts";
import { encodeTidemark, makeBatches } from "../workload.ts";
import {
  type Bed,
  LOOK_MS,
  pause,
  pinCluster,
  readStats,
  replicating,
  startServer,
  untilStats,
} from "./bed.ts";

export interface OutageSummary {
  readonly rounds: readonly OutageFigures[];
  /** The least of the rounds. */
  readonly catchUpOfIngest: number;
  /** The most. */
  readonly freshLagMsMax: number;
  /** The median: what a server takes without a follower alone differs by 30 MiB from start to start. */
  readonly followerBytes: number;
}

export interface OutageFigures {
  readonly metricsPerSecond: number;
  readonly metricsOfOutage: number;
  readonly catchUpSeconds: number;
  /** Late lines brought into the stream for each second, and ÷ the rate at which new ones came meanwhile. */
  readonly catchUpPerSecond: number;
  readonly catchUpOfIngest: number;
  /** Oldest fresh line while it caught up, from a second after the stream took blocks again. */
  readonly freshLagMsMax: number;
  readonly residentBytesMax: number;
  readonly plainResidentBytesMax: number;
  readonly followerBytes: number;
  readonly lostMetrics: number;
}

export async function measureOutages(
  bed: Bed,
  metrics: number,
  perSecond: number,
  count: number,
): Promise<OutageSummary> {
  const rounds: OutageFigures[] = [];
  for (let round = 0; round < count; round++)
    rounds.push(await measureOutage(bed, `outage-${bed.runtime}-${round}`, metrics, perSecond));
  return {
    rounds,
    catchUpOfIngest: Math.min(...rounds.map(({ catchUpOfIngest }) => catchUpOfIngest)),
    freshLagMsMax: Math.max(...rounds.map(({ freshLagMsMax }) => freshLagMsMax)),
    followerBytes: median(rounds.map(({ followerBytes }) => followerBytes))!,
  };
}

const BATCH = 500;
const STEP_MS = 20;
/** Of the load, before the outage begins. */
const BEFORE_MS = 2_000;
/** About as long as the cluster takes to be back and the follower to catch up. */
const BEHIND_MS = 8_000;

async function measureOutage(
  bed: Bed,
  stream: string,
  metrics: number,
  perSecond: number,
): Promise<OutageFigures> {
  const plainResidentBytesMax = await withFolder(async (_folder, serverFolder) => {
    const server = await startServer(bed, join(serverFolder, "data"), []);
    const load = startLoad(server, perSecond);
    // As long, and looked at as often, as the one that it is compared with.
    const untilMs = performance.now() + BEFORE_MS + (metrics / perSecond) * 1000 + BEHIND_MS;
    while (performance.now() < untilMs) {
      await readStats(server);
      await pause(LOOK_MS);
    }
    await load.stop();
    await stopChild(server.child);
    return load.residentBytesMax;
  });
  return withFolder(async (_folder, serverFolder) => {
    const flags = replicating(bed, stream);
    const server = await startServer(bed, join(serverFolder, "data"), flags);
    await untilStats(server, "the stream takes blocks", (stats) => stats.replication!.flowing);
    const load = startLoad(server, perSecond);
    await pause(BEFORE_MS);
    await Promise.all(bed.cluster.nodes.map((node) => node.kill()));
    await untilStats(server, "the outage is long", (stats) => stats.replication!.lines_behind >= metrics);
    await Promise.all(bed.cluster.nodes.map((node) => node.restart()));
    pinCluster(bed.cluster);
    const back = await untilStats(server, "the stream is back", (stats) => stats.replication!.lines_late > 0);
    const from = performance.now();
    const storedBefore = back.metrics_stored;
    let freshLagMsMax = 0;
    for (;;) {
      const { replication } = await readStats(server);
      if (performance.now() - from > 1_000)
        freshLagMsMax = Math.max(freshLagMsMax, replication!.fresh_lag_ms);
      if (replication!.lines_late === 0) break;
      await pause(50);
    }
    const catchUpSeconds = (performance.now() - from) / 1000;
    const stored = (await readStats(server)).metrics_stored - storedBefore;
    await load.stop();
    const last = await untilStats(server, "all is in", (stats) => stats.replication!.lines_behind === 0);
    await stopChild(server.child);
    const metricsOfOutage = back.replication!.lines_late;
    const figures: OutageFigures = {
      metricsPerSecond: stored / catchUpSeconds,
      metricsOfOutage,
      catchUpSeconds,
      catchUpPerSecond: metricsOfOutage / catchUpSeconds,
      catchUpOfIngest: metricsOfOutage / stored,
      freshLagMsMax,
      residentBytesMax: load.residentBytesMax,
      plainResidentBytesMax,
      followerBytes: load.residentBytesMax - plainResidentBytesMax,
      lostMetrics: load.acknowledged - last.metrics_stored,
    };
    print(
      `  outage ${bed.runtime}  ${formatRate(metricsOfOutage)} metrics in ${catchUpSeconds.toFixed(1)} s = ${figures.catchUpOfIngest.toFixed(2)} × ingest, ` +
        `fresh lag ≤ ${freshLagMsMax.toFixed(0)} ms, follower ${formatMebibytes(figures.followerBytes)}`,
    );
    return figures;
  });
}

/** Batches at a steady rate on a few connections, as many as are due at each step; what is late is caught up with. */
function startLoad(server: RunningServer, perSecond: number) {
  const bodies = makeBatches(16, BATCH, Date.now()).map(encodeTidemark);
  const startedMs = performance.now();
  const load = { acknowledged: 0, residentBytesMax: 0, stop };
  let isStopped = false;
  let sent = 0;
  const running = new Set<Promise<void>>();
  const send = async (): Promise<void> => {
    const body = bodies[sent % bodies.length]!;
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    await answer.arrayBuffer();
    if (answer.status === 200) load.acknowledged += BATCH;
  };
  const run = async (): Promise<void> => {
    for (let step = 0; !isStopped; step++) {
      const due = ((performance.now() - startedMs) / 1000) * perSecond;
      for (; sent * BATCH < due && running.size < 32; sent++) {
        const sending = send().finally(() => running.delete(sending));
        running.add(sending);
      }
      if (step % 25 === 0)
        load.residentBytesMax = Math.max(load.residentBytesMax, readTreeResidentBytes(server.child.pid!));
      await pause(STEP_MS);
    }
    await Promise.all(running);
  };
  const done = run();
  async function stop(): Promise<void> {
    isStopped = true;
    await done;
  }
  return load;
}
