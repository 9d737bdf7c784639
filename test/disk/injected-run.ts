// A server under load whose writes and syncs fail, come late or fall short, until so many have; then it is stopped,
// started again without faults, and its log is read back.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Level } from "../crash/ledger.ts";
import { randomFrom, wholeBetween } from "../crash/random.ts";
import { eventually, newDataFolder, startServer } from "../support/server-process.ts";
import { findFalseAnswers } from "./false-answers.ts";
import { type Injection, limitFileSize, startUnderInjection } from "./injection.ts";
import { TimedLoad } from "./timed-load.ts";
import { injectedCalls, readTracedCalls, type TracedCall } from "./traced-calls.ts";

const SEGMENT_BYTES = 256 * 1024;
const FLAGS = ["--threads", "1", "--rate-limit", "0", "--segment-size", `${SEGMENT_BYTES / 1024}KiB`];
const RUN_MS_MAX = 90_000;

export interface InjectedPlan {
  readonly level: Level;
  readonly injections: readonly Injection[];
  /** Goes on until the tracer has made so many. */
  readonly times: number;
  readonly seed: number;
}

export interface InjectedRun {
  /** What the tracer's log shows, not what was asked for. */
  injections: number;
  acknowledgedMetrics: number;
  acknowledgedBatches: number;
  refusedBatches: number;
  /** Acknowledged and not in the log; there twice; never sent. */
  lost: number;
  twice: number;
  strange: number;
  /** Batches whose 200 came before what it promises. */
  early: number;
  resyncs: number;
  /** Longest from a failed call to the next 200, milliseconds. */
  againMsMax: number;
  problems: string[];
}

export async function runInjected(plan: InjectedPlan): Promise<InjectedRun> {
  const data = newDataFolder();
  const log = join(dirname(data), "calls");
  const server = await startUnderInjection(log, plan.injections, [...FLAGS, "--ack", plan.level], { data });
  const load = new TimedLoad(plan.level, randomFrom(plan.seed));
  load.start(server.port);
  await eventually(
    `${plan.times} calls are made to fail`,
    () => injectionsSoFar(log) >= plan.times,
    RUN_MS_MAX,
  );
  const judgedMs = await oneMore(load);
  await load.stop();
  await server.stop();
  const calls = readTracedCalls(log);
  const injected = injectedCalls(calls, data);
  const againMsMax = longestToNext(
    injected.filter(({ endMs, isInjected }) => isInjected && endMs < judgedMs),
    load,
  );
  return { ...(await judge(load, plan.level, data, calls)), injections: injected.length, againMsMax };
}

/**
 * Fair short writes: no file may grow past a limit that falls into the next commits, and later may again. `times` counts
 * writes of which the kernel took a part.
 */
export async function runShortWrites(plan: Omit<InjectedPlan, "injections">): Promise<InjectedRun> {
  const data = newDataFolder();
  const log = join(dirname(data), "calls");
  const random = randomFrom(plan.seed);
  const server = await startUnderInjection(log, [], [...FLAGS, "--ack", plan.level], { data });
  const load = new TimedLoad(plan.level, random);
  load.start(server.port);
  const deadline = Date.now() + RUN_MS_MAX;
  let calls: TracedCall[] = [];
  while (shortWrites(calls).length < plan.times) {
    if (Date.now() > deadline)
      throw new Error(`only ${shortWrites(calls).length} writes fell short; seed ${plan.seed}`);
    const refusals = load.refusals;
    limitFileSize(server.child.pid!, wholeBetween(random, 1, SEGMENT_BYTES));
    await eventually("batches are refused", () => load.refusals > refusals);
    limitFileSize(server.child.pid!, "unlimited");
    await oneMore(load);
    calls = readTracedCalls(log);
  }
  await load.stop();
  await server.stop();
  calls = readTracedCalls(log);
  const short = shortWrites(calls);
  const failed = calls.filter(({ result }) => result === -1);
  return {
    ...(await judge(load, plan.level, data, calls)),
    injections: short.length,
    againMsMax: longestToNext(failed, load),
  };
}

/** Waits for a 200 after this moment, and returns the moment. */
async function oneMore(load: TimedLoad): Promise<number> {
  const fromMs = Date.now();
  await eventually("it stores again", () => (load.acknowledgements.at(-1)?.atMs ?? 0) > fromMs + 1);
  return fromMs;
}

function injectionsSoFar(log: string): number {
  return readFileSync(log, "utf8").split(/\((?:INJECTED|DELAYED)\)/).length - 1;
}

function shortWrites(calls: readonly TracedCall[]): TracedCall[] {
  return calls.filter(
    ({ name, result, numbers, path }) =>
      name.startsWith("pwrite") && path.endsWith(".jsonl") && result! > 0 && result! < numbers[0]!,
  );
}

/** Milliseconds from the end of a call to the next 200; Infinity where none came. */
function longestToNext(calls: readonly TracedCall[], load: TimedLoad): number {
  const times = load.acknowledgements.map(({ atMs }) => atMs);
  const waits = calls.map(({ endMs }) => (times.find((atMs) => atMs > endMs) ?? Infinity) - endMs);
  return Math.max(0, ...waits);
}

async function judge(
  load: TimedLoad,
  level: Level,
  data: string,
  calls: readonly TracedCall[],
): Promise<Omit<InjectedRun, "injections" | "againMsMax">> {
  // the next start's recovery is part of what is promised
  await (await startServer(FLAGS, { data })).stop();
  const { lost, twice, strange, problems } = load.ledger.verify(data);
  const found = findFalseAnswers(calls, load.acknowledgements, level, data);
  return {
    acknowledgedMetrics: load.ledger.acknowledgedMetrics,
    acknowledgedBatches: load.acknowledgements.length,
    refusedBatches: load.refusals,
    lost,
    twice,
    strange,
    early: found.early,
    resyncs: found.resyncs,
    problems: [...problems, ...found.problems],
  };
}
