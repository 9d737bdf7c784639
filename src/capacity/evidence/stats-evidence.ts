// What a Tidemark's own figures come to over a level. Its counters begin again when it is started again, which is growth
// and not loss; its percentiles are of all it has done since it began, so they are given as they were last seen. Pure.

import {
  type Figure,
  growthOverRestarts,
  knownFigures,
  largestFigure,
  lastFigure,
  ratioOf,
  smallestFigure,
} from "./counter-growth.ts";
import type { StatsEvidence } from "./level-evidence.ts";
import type { Sample, StatsSample } from "./sample.ts";

/** `seconds`: how long the load lasted. Null where no sample has figures of a Tidemark. */
export function summariseStats(samples: readonly Sample[], seconds: number): StatsEvidence | null {
  const answered = samples.filter(({ stats }) => stats !== null);
  const last = answered.at(-1)?.stats;
  if (last === null || last === undefined) return null;
  const growth = (figure: (stats: StatsSample) => number | null) =>
    growthOverRestarts(knownFigures(answered, ofStats(figure)));
  // What was the case before the level is not of the level.
  const during = answered.filter((sample) => sample !== samples[0]);
  const largest = (figure: (stats: StatsSample) => number | null) => largestFigure(during, ofStats(figure));
  const lanes = Math.max(1, last.threads);
  const commits = growth(({ commits }) => commits);
  const syncs = growth(({ syncs }) => syncs);
  const writeMs = growth(({ writeMsTotal }) => writeMsTotal);
  const syncMs = growth(({ syncMsTotal }) => syncMsTotal);
  const knowsWrites = last.writeMsTotal !== null;
  const knowsSyncs = last.syncMsTotal !== null;
  return {
    ack: last.ack,
    rejected: rejectedOf(answered),
    stored: growth(({ stored }) => stored),
    received: growth(({ received }) => received),
    connectionsOpenMax: largest(({ connectionsOpen }) => connectionsOpen),
    connectionsLimit: last.connectionsLimit,
    connectionsRefused: last.connectionsRefused === null ? null : growth((stats) => stats.connectionsRefused),
    queueRatioMax: largest(({ queueBytes, queueBytesLimit }) => ratioOf(queueBytes, queueBytesLimit)),
    queueOldestWaitMsMax: largest(({ queueOldestWaitMs }) => queueOldestWaitMs),
    memoryRatioMax: largest(({ memoryUsedBytes, memoryBudgetBytes }) =>
      ratioOf(memoryUsedBytes, memoryBudgetBytes),
    ),
    eventLoopLagMsMax: largest(({ eventLoopLagMs }) => eventLoopLagMs),
    gcPauseMs: lastFigure(
      answered,
      ofStats(({ gcPauseMs }) => gcPauseMs),
    ),
    threads: last.threads,
    commits,
    writeMsMean: knowsWrites ? ratioOf(writeMs, commits) : null,
    writeMsP99: last.writeMsP99,
    writeBusyRatio: knowsWrites ? ratioOf(writeMs / 1e3, seconds * lanes) : null,
    syncs,
    syncMsMean: knowsSyncs ? ratioOf(syncMs, syncs) : null,
    syncMsP99: last.syncMsP99,
    syncBusyRatio: knowsSyncs ? ratioOf(syncMs / 1e3, seconds * lanes) : null,
    writeFailures: growth(({ writeFailures }) => writeFailures),
    syncFailures: growth(({ syncFailures }) => syncFailures),
    diskStates: [...new Set(answered.map(({ stats }) => stats!.diskState).filter((state) => state !== null))],
    diskFreeBytesMin: smallestFigure(
      answered,
      ofStats(({ diskFreeBytes }) => diskFreeBytes),
    ),
    stagesMs: stagesOf(answered),
  };
}

function ofStats(figure: (stats: StatsSample) => number | null): Figure {
  return ({ stats }) => (stats === null ? null : figure(stats));
}

function rejectedOf(answered: readonly Sample[]): Record<string, number> {
  const reasons = new Set(answered.flatMap(({ stats }) => Object.keys(stats!.rejected)));
  const grown: Record<string, number> = {};
  for (const reason of reasons) {
    const growth = growthOverRestarts(answered.map(({ stats }) => stats!.rejected[reason] ?? 0));
    if (growth > 0) grown[reason] = growth;
  }
  return grown;
}

/** Means of this level, from the sums (count × mean) that its first and last answer stand for. */
function stagesOf(answered: readonly Sample[]): Record<string, number | null> {
  const means: Record<string, number | null> = {};
  for (const stage of Object.keys(answered.at(-1)!.stats!.stagesMs)) {
    const stages = answered.map(({ stats }) => stats!.stagesMs[stage]).filter((entry) => entry !== undefined);
    const count = growthOverRestarts(stages.map((entry) => entry.count));
    const sumMs = growthOverRestarts(stages.map((entry) => entry.count * (entry.mean ?? 0)));
    means[stage] = ratioOf(sumMs, count);
  }
  return means;
}
