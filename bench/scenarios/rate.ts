// Closed-loop scenarios: every contender as fast as it goes, one after the other, in rounds.
// Each round starts every server anew in an empty folder, warms it, measures it and removes what it wrote, so that
// no round inherits another's merges or dirty pages; every other round goes backwards, so that drift cancels.
import { type Contender, type RunningServer, withServer } from "../contender.ts";
import { withFolder } from "../folder.ts";
import { countFailures, findMissingWrk, runLoad, writeLoadScript } from "../load/wrk.ts";
import type { Options } from "../options.ts";
import { printRound } from "../print.ts";
import {
  type MachineTicks,
  readEndedChildrenCpuSeconds,
  readMachineTicks,
  readTreeCpuSeconds,
  readTreeResidentBytes,
} from "../process-tree.ts";
import { medianRound, type RateFigures, type Ratio, type Round, ratioOf } from "../result.ts";
import { makeBatches } from "../workload.ts";

const RESIDENT_SAMPLE_MS = 200;

export interface RateScenario {
  readonly contenders: readonly Contender[];
  /** Ids of the contenders that all are divided by. */
  readonly baselines: readonly string[];
  readonly connections: number;
  readonly metricsPerBatch: number;
  /** Different batches that are sent in turn. */
  readonly batchCount: number;
}

export async function runRateScenario(
  scenario: RateScenario,
  options: Options,
): Promise<readonly RateFigures[]> {
  const rounds = new Map<Contender, Round[]>(scenario.contenders.map((contender) => [contender, []]));
  const skipped = new Map<Contender, string>();
  for (const contender of scenario.contenders) {
    const reason = findMissingWrk() ?? contender.missing();
    if (reason !== null) skipped.set(contender, reason);
  }
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? scenario.contenders : scenario.contenders.toReversed();
    for (const contender of order) {
      if (skipped.has(contender)) continue;
      try {
        const figures = await runRound(scenario, contender, options);
        rounds.get(contender)!.push(figures);
        printRound(contender.label, figures);
      } catch (error) {
        skipped.set(contender, (error as Error).message);
      }
    }
  }
  return summarise(scenario, rounds, skipped);
}

async function runRound(scenario: RateScenario, contender: Contender, options: Options): Promise<Round> {
  return withFolder((folder, serverFolder) =>
    withServer(contender, serverFolder, async (server) => {
      const batches = makeBatches(scenario.batchCount, scenario.metricsPerBatch, Date.now());
      const script = writeLoadScript(folder, contender, batches);
      await runLoad(server, script, scenario.connections, options.warmSeconds);
      return measure(scenario, server, script, options.seconds);
    }),
  );
}

async function measure(
  scenario: RateScenario,
  server: RunningServer,
  script: string,
  seconds: number,
): Promise<Round> {
  const pid = server.child.pid!;
  let residentBytes = readTreeResidentBytes(pid);
  const sampler = setInterval(() => {
    residentBytes = Math.max(residentBytes, readTreeResidentBytes(pid));
  }, RESIDENT_SAMPLE_MS);
  const ticksBefore = readMachineTicks();
  const loadBefore = readEndedChildrenCpuSeconds();
  const serverBefore = readTreeCpuSeconds(pid);
  const summary = await runLoad(server, script, scenario.connections, seconds);
  const serverSeconds = readTreeCpuSeconds(pid) - serverBefore;
  const loadSeconds = readEndedChildrenCpuSeconds() - loadBefore;
  const ticks = readMachineTicks();
  clearInterval(sampler);
  if (summary.requests === 0) throw new Error("cannot measure because nothing was answered");
  const elapsedSeconds = summary.durationUs / 1e6;
  return {
    requestsPerSecond: summary.requests / elapsedSeconds,
    metricsPerSecond: (summary.requests * scenario.metricsPerBatch) / elapsedSeconds,
    cpuUsPerRequest: (serverSeconds * 1e6) / summary.requests,
    latencyUsP50: summary.latencyUsP50,
    latencyUsP99: summary.latencyUsP99,
    latencyUsMax: summary.latencyUsMax,
    residentBytes,
    serverCores: serverSeconds / elapsedSeconds,
    loadCores: loadSeconds / elapsedSeconds,
    otherCores: othersCores(ticks, ticksBefore, serverSeconds + loadSeconds, elapsedSeconds),
    stolenShare: (ticks.stolen - ticksBefore.stolen) / Math.max(1, ticks.total - ticksBefore.total),
    requests: summary.requests,
    failures: countFailures(summary),
  };
}

function othersCores(
  after: MachineTicks,
  before: MachineTicks,
  ownSeconds: number,
  elapsedSeconds: number,
): number {
  return Math.max(0, (after.busySeconds - before.busySeconds - ownSeconds) / elapsedSeconds);
}

function summarise(
  scenario: RateScenario,
  rounds: ReadonlyMap<Contender, readonly Round[]>,
  skipped: ReadonlyMap<Contender, string>,
): readonly RateFigures[] {
  const medians = new Map([...rounds].map(([contender, each]) => [contender.id, medianRound(each)]));
  return scenario.contenders.map((contender) => {
    const own = medians.get(contender.id)!;
    const ratios: Record<string, Ratio> = {};
    for (const baseline of scenario.baselines) {
      const theirs = medians.get(baseline) ?? null;
      if (own !== null && theirs !== null) ratios[baseline] = ratioOf(own, theirs);
    }
    return {
      contender: contender.id,
      label: contender.label,
      skipped: skipped.get(contender) ?? null,
      rounds: rounds.get(contender)!,
      median: own,
      ratios,
    };
  });
}
