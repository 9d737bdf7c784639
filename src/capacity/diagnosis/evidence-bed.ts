// Made-up levels for the tests of the diagnosis: a healthy Tidemark on two cores under a light load, of which a test
// changes what its case is about. Only tests use it.
// Every figure is known here, and nothing is at a limit: what a test does not change speaks for nobody.

import { Histogram } from "../../base/histogram.ts";
import type { LevelEvidence, StatsEvidence } from "../evidence/level-evidence.ts";
import type { Level, LevelKind, TargetFacts } from "../level.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import {
  ERROR_CLASSES,
  type ErrorClass,
  type GeneratorThread,
  type LoadResult,
  type Stall,
} from "../load/load-result.ts";
import { judge, OBJECTIVE_DEFAULT, parseObjective } from "../search/objective.ts";
import { chooseLevels } from "./choose-levels.ts";
import type { DiagnosedLevel, DiagnosisInput } from "./reading.ts";

export const OBJECTIVE = parseObjective(OBJECTIVE_DEFAULT);

export const OWN: TargetFacts = {
  url: "http://127.0.0.1:8080/metrics",
  isOwn: true,
  isTidemark: true,
  isLocal: true,
  isLoopback: true,
  pid: 4242,
  software: "tidemark 0.1.0 (Bun 1.4.5)",
  settings: { backlog: 4096, connectionsMax: "auto", rateLimit: 10_000, threads: "auto", ack: 2 },
};

/** Some other server on this machine, its pid known. */
export const FOREIGN: TargetFacts = {
  ...OWN,
  isOwn: false,
  isTidemark: false,
  software: "nginx",
  settings: null,
};

/** Somewhere else: only the clients' side is seen. */
export const REMOTE: TargetFacts = {
  ...FOREIGN,
  url: "http://192.0.2.7/metrics",
  isLocal: false,
  isLoopback: false,
  pid: null,
};

export const STATS: StatsEvidence = {
  ack: "written",
  rejected: {},
  stored: 10_000,
  received: 10_000,
  connectionsOpenMax: 50,
  connectionsLimit: 19_000,
  connectionsRefused: 0,
  queueRatioMax: 0.01,
  queueOldestWaitMsMax: 1,
  memoryRatioMax: 0.01,
  eventLoopLagMsMax: 3,
  gcPauseMs: null,
  threads: 1,
  commits: 5_000,
  writeMsMean: 0.05,
  writeMsP99: 0.2,
  writeBusyRatio: 0.1,
  syncs: 50,
  syncMsMean: 4,
  syncMsP99: 9,
  syncBusyRatio: 0.1,
  writeFailures: 0,
  syncFailures: 0,
  diskStates: ["ok"],
  diskFreeBytesMin: 5e9,
  stagesMs: { queue: 0.05, commit: 0.1, total: 0.3 },
};

export const EVIDENCE: LevelEvidence = {
  seconds: 5,
  hottestThread: { name: "ingest-0", tid: 4243, ratio: 0.2, waitRatio: 0.02 },
  threadsBusy: 0,
  threadsCount: 8,
  threadsAsleepAlways: 6,
  processCores: 0.25,
  processWaitRatio: 0.02,
  coresAllowed: 2,
  machineCores: 2,
  machineRatio: 0.25,
  stolenRatio: 0.01,
  generatorCores: 0.15,
  otherCores: 0.08,
  quotaCores: Number.POSITIVE_INFINITY,
  throttledPeriodsRatio: 0,
  throttledMs: 0,
  descriptorsUsedMax: 90,
  descriptorsSoft: 20_000,
  descriptorsHard: 20_000,
  acceptQueueMax: 1,
  acceptQueueCap: 4096,
  acceptQueueMedian: 0,
  acceptQueueAsked: 4096,
  somaxconn: 4096,
  listenOverflows: 0,
  listenDrops: 0,
  retransmits: 0,
  establishedMax: 50,
  unreadBytesMax: 0,
  unreadSocketsMedian: 0,
  residentBytesStart: 100e6,
  residentBytesEnd: 101e6,
  residentBytesMax: 101e6,
  memoryLimitBytes: Number.POSITIVE_INFINITY,
  memoryAvailableBytesMin: 6e9,
  pressureMemoryRatio: 0,
  pressureIoRatio: 0.01,
  pressureCpuRatio: 0.05,
  diskSleepRatio: 0,
  writtenBytesPerS: 1e6,
  timeWaitMax: 20,
  portsUsedMax: 60,
  portsAvailable: 28_000,
  clientDescriptorsMax: 80,
  clientDescriptorsSoft: 20_000,
  stats: STATS,
  samples: 22,
};

export interface LevelParts {
  readonly id?: string;
  readonly kind?: LevelKind;
  readonly clients?: number;
  readonly plannedRate?: number | null;
  readonly seconds?: number;
  readonly startedAtMs?: number;
  readonly succeeded?: number;
  readonly errors?: Partial<Record<ErrorClass, number>>;
  readonly answered?: number;
  readonly opened?: number;
  /** In the mean; all clients of an unpaced level unless said otherwise, and one of any other. */
  readonly inFlight?: number;
  /** Milliseconds and how many requests took so long. */
  readonly latency?: readonly (readonly [ms: number, count: number])[];
  readonly connect?: readonly (readonly [ms: number, count: number])[];
  readonly sendLagMs?: number;
  readonly stalls?: readonly Stall[];
  readonly generator?: readonly GeneratorThread[];
  readonly plan?: Partial<LoadPlan>;
  readonly void?: string | null;
  readonly samples?: Level["samples"];
  readonly evidence?: Partial<LevelEvidence>;
  readonly stats?: Partial<StatsEvidence>;
}

/** 50 clients every 100 ms for five seconds, all answered within a millisecond, unless said otherwise. */
export function makeLevel(parts: LevelParts = {}): DiagnosedLevel {
  const { kind = "paced", clients = 50 } = parts;
  const load = makeLoad(parts, kind, clients);
  const level: Level = {
    id: parts.id ?? `${kind}-${clients}`,
    kind,
    part: "ladder",
    clients,
    paceMs: kind === "paced" ? 100 : null,
    plannedRate: plannedRateOf(parts, kind, clients),
    load,
    samples: parts.samples ?? [],
    objective: judge(load, OBJECTIVE),
  };
  const stats = parts.stats === undefined ? {} : { stats: { ...STATS, ...parts.stats } };
  return { level, evidence: { ...EVIDENCE, seconds: load.seconds, ...stats, ...parts.evidence } };
}

/** Chosen as the run would choose them. */
export function makeInput(levels: readonly DiagnosedLevel[], target: TargetFacts = OWN): DiagnosisInput {
  return { target, levels, ...chooseLevels(levels), objective: OBJECTIVE };
}

function makeLoad(parts: LevelParts, kind: LevelKind, clients: number): LoadResult {
  const seconds = parts.seconds ?? 5;
  const planned = (plannedRateOf(parts, kind, clients) ?? 10_000) * seconds;
  const errors = Object.fromEntries(ERROR_CLASSES.map((name) => [name, parts.errors?.[name] ?? 0])) as Record<
    ErrorClass,
    number
  >;
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const succeeded = parts.succeeded ?? Math.max(0, planned - failed);
  const latency = histogramOf(parts.latency ?? [[1, Math.max(1, succeeded)]]);
  return {
    plan: makePlan(parts, kind, clients, seconds),
    startedAtMs: parts.startedAtMs ?? 1_000_000,
    seconds,
    requests: succeeded + failed,
    succeeded,
    errors,
    statuses: statusesOf(succeeded, errors),
    rate: succeeded / seconds,
    planned: kind === "unpaced" ? succeeded + failed : planned,
    latency,
    latencyUncorrected: latency,
    latencyRefused: Histogram.fine(),
    connect: histogramOf(parts.connect ?? [[0.1, clients]]),
    sendLag: histogramOf([[parts.sendLagMs ?? 0.05, 1000]]),
    waitedForConnection: 0,
    connections: {
      opened: parts.opened ?? clients,
      failed: 0,
      clientsAnswered: parts.answered ?? clients,
      openMax: clients,
    },
    inFlightMean: parts.inFlight ?? (kind === "unpaced" ? clients : 1),
    bytesSent: 1,
    bytesReceived: 1,
    timeline: [],
    stalls: parts.stalls ?? [],
    generator: parts.generator ?? [{ cpuRatio: 0.15, spinRatio: 0, waitRatio: 0.01, loopLagMsMax: 2 }],
    agents: null,
    void: parts.void ?? null,
  };
}

function makePlan(parts: LevelParts, kind: LevelKind, clients: number, seconds: number): LoadPlan {
  const rate = parts.plannedRate ?? 1000;
  return {
    url: OWN.url,
    method: "POST",
    headers: [],
    bodies: [],
    clients,
    threads: 1,
    arrivals:
      kind === "open"
        ? { kind: "open", ratePerSecond: rate, rateEndPerSecond: rate }
        : { kind: "closed", paceMs: kind === "paced" ? 100 : 0 },
    stop: { kind: "seconds", seconds },
    keepAlive: true,
    pipeline: 1,
    timeoutMs: 5_000,
    namesClients: true,
    rampMs: 0,
    seed: 1,
    ...parts.plan,
  };
}

function plannedRateOf(parts: LevelParts, kind: LevelKind, clients: number): number | null {
  if (kind === "unpaced") return null;
  return parts.plannedRate ?? (kind === "paced" ? clients * 10 : 1000);
}

function statusesOf(succeeded: number, errors: Readonly<Record<ErrorClass, number>>): Record<string, number> {
  const statuses = { "200": succeeded, "429": errors.rate_limited, "503": errors.unavailable };
  return Object.fromEntries(Object.entries(statuses).filter(([, count]) => count > 0));
}

function histogramOf(values: readonly (readonly [ms: number, count: number])[]): Histogram {
  const histogram = Histogram.fine();
  for (const [ms, count] of values) {
    // One by one would take seconds for the millions of a property test.
    const one = Histogram.fine();
    one.record(ms * 1e6);
    const scale = Math.round(count);
    for (let index = 0; index < one.words.length - 1; index++) one.words[index]! *= scale;
    histogram.merge(one);
  }
  return histogram;
}
