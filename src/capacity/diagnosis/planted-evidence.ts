// What the levels of a run look like when one limit is planted, one case for each suspect and a few more, modelled on what
// the real servers of test/bottlenecks show. Only tests use it.

import type { TargetFacts } from "../level.ts";
import type { Stall } from "../load/load-result.ts";
import { FOREIGN, type LevelParts, makeInput, makeLevel, OWN } from "./evidence-bed.ts";
import type { DiagnosisInput } from "./reading.ts";
import type { SuspectId } from "./suspect.ts";

export interface PlantedCase {
  readonly name: string;
  readonly first: SuspectId;
  readonly input: DiagnosisInput;
}

/** One thread at its limit, the generator on the other core. */
export const PINNED = {
  hottestThread: { name: "ingest-0", tid: 4243, ratio: 0.97, waitRatio: 0.02 },
  threadsBusy: 1,
  processCores: 1.05,
  machineRatio: 0.8,
  generatorCores: 0.45,
} as const;

/** Two threads and the generator on two cores. */
export const CROWDED = {
  hottestThread: { name: "ingest-1", tid: 4244, ratio: 0.62, waitRatio: 0.33 },
  threadsBusy: 2,
  processCores: 1.2,
  machineRatio: 0.98,
  generatorCores: 0.66,
} as const;

const UNPACED_QUICK: LevelParts = {
  kind: "unpaced",
  clients: 16,
  succeeded: 100_000,
  latency: [[0.8, 100_000]],
};

function planted(
  name: string,
  first: SuspectId,
  levels: readonly LevelParts[],
  target: TargetFacts = OWN,
): PlantedCase {
  const timed = levels.map((parts, index) => makeLevel({ startedAtMs: 1_000_000 + index * 7_000, ...parts }));
  return { name, first, input: makeInput(timed, target) };
}

export function stallsEvery(
  periodMs: number,
  lastedMs: number,
  seconds: number,
  startedAtMs: number,
): Stall[] {
  const stalls: Stall[] = [];
  const firstAtMs = (periodMs - (startedAtMs % periodMs)) % periodMs;
  for (let atMs = firstAtMs; atMs + lastedMs <= seconds * 1e3; atMs += periodMs)
    stalls.push({ atMs, lastedMs });
  return stalls;
}

const stalled = (index: number, clients: number): LevelParts => ({
  clients,
  latency: [
    [1, 900],
    [150, 100],
  ],
  startedAtMs: 1_000_000 + index * 7_300,
  stalls: stallsEvery(2_000, 200, 5, 1_000_000 + index * 7_300),
});

export const PLANTED_CASES: readonly PlantedCase[] = [
  planted("a Tidemark's cap on connections that its descriptor limit of 128 leaves", "descriptors", [
    { clients: 20 },
    {
      clients: 60,
      succeeded: 2_000,
      errors: { unavailable: 700, reset: 300 },
      evidence: { descriptorsUsedMax: 104, descriptorsSoft: 128, descriptorsHard: 128 },
      stats: { connectionsLimit: 40, connectionsOpenMax: 40, rejected: { connections: 700 } },
    },
  ]),
  planted(
    "a server that accepts until EMFILE, its queue overflowing behind it",
    "descriptors",
    [
      { clients: 20 },
      {
        clients: 500,
        succeeded: 3_000,
        answered: 55,
        errors: { timeout: 1_500, connect_timeout: 300 },
        connect: [
          [0.1, 186],
          [1_030, 14],
        ],
        evidence: {
          stats: null,
          descriptorsUsedMax: 64,
          descriptorsSoft: 64,
          acceptQueueMax: 129,
          acceptQueueCap: 128,
          acceptQueueMedian: 129,
          listenOverflows: 900,
          listenDrops: 900,
          unreadSocketsMedian: 129,
        },
      },
    ],
    FOREIGN,
  ),
  planted("a backlog of 8 with bursts of connects", "listen-queue", [
    {
      clients: 60,
      opened: 3_000,
      latency: [
        [1, 2_900],
        [1_020, 100],
      ],
      connect: [
        [0.1, 2_900],
        [1_020, 100],
      ],
      plan: { keepAlive: false },
      evidence: { acceptQueueMax: 9, acceptQueueCap: 8, listenOverflows: 140, listenDrops: 140 },
    },
  ]),
  planted("a backlog of 8 while those that get through fill the processor", "listen-queue", [
    {
      kind: "unpaced",
      clients: 32,
      succeeded: 60_000,
      opened: 60_000,
      latency: [
        [1, 59_000],
        [1_020, 1_000],
      ],
      connect: [
        [0.2, 59_940],
        [1_020, 60],
      ],
      plan: { keepAlive: false },
      evidence: { ...PINNED, acceptQueueMax: 9, acceptQueueCap: 8, listenOverflows: 75, listenDrops: 75 },
    },
  ]),
  planted("a backlog of 4096 that the kernel cut to 16", "listen-queue", [
    {
      clients: 200,
      opened: 10_000,
      latency: [
        [1, 9_700],
        [1_020, 300],
      ],
      connect: [
        [0.1, 9_700],
        [1_020, 300],
      ],
      plan: { keepAlive: false },
      evidence: { acceptQueueMax: 17, acceptQueueCap: 16, somaxconn: 16, listenOverflows: 420 },
    },
  ]),
  planted("one thread with all the work, the other core idle", "one-thread", [
    UNPACED_QUICK,
    {
      kind: "open",
      plannedRate: 30_000,
      clients: 64,
      succeeded: 110_000,
      latency: [[400, 110_000]],
      evidence: PINNED,
    },
  ]),
  planted("nothing, and one thread", "one-thread", [
    { clients: 20 },
    { ...UNPACED_QUICK, evidence: { ...PINNED, machineRatio: 0.94, generatorCores: 0.75 } },
  ]),
  planted("nothing, and a thread for each core", "all-cores", [
    { clients: 20 },
    { ...UNPACED_QUICK, evidence: CROWDED, stats: { threads: 2 } },
  ]),
  planted("a quota of 0.2 cores", "cpu-quota", [
    {
      clients: 30,
      latency: [
        [1, 700],
        [85, 300],
      ],
      evidence: {
        hottestThread: { name: "ingest-0", tid: 4243, ratio: 0.19, waitRatio: 0.7 },
        processCores: 0.2,
        quotaCores: 0.2,
        throttledPeriodsRatio: 0.8,
        throttledMs: 3_200,
      },
    },
  ]),
  planted(
    "three rivals on the server's core",
    "cpu-quota",
    [
      { clients: 8, evidence: { otherCores: 0.95, machineRatio: 0.55 } },
      {
        kind: "open",
        plannedRate: 2_000,
        clients: 64,
        succeeded: 3_000,
        latency: [[300, 3_000]],
        evidence: {
          stats: null,
          hottestThread: { name: "node", tid: 4242, ratio: 0.26, waitRatio: 0.74 },
          coresAllowed: 1,
          processCores: 0.26,
          otherCores: 0.75,
          machineRatio: 0.6,
        },
      },
    ],
    FOREIGN,
  ),
  planted(
    "16 blocking threads, each held by a connection kept alive (the origin's server)",
    "pool",
    [
      { clients: 10 },
      ...[50, 200, 500].map(
        (clients): LevelParts => ({
          clients,
          succeeded: 800,
          answered: 16,
          errors: { timeout: clients - 16 },
          connect: clients < 150 ? [[0.1, clients]] : [[0.1, 145]],
          evidence: {
            stats: null,
            descriptorsUsedMax: 30,
            descriptorsSoft: 256,
            acceptQueueMax: Math.min(129, clients - 16),
            acceptQueueMedian: Math.min(129, clients - 16),
            acceptQueueCap: 128,
            listenOverflows: clients > 145 ? 600 : 0,
            unreadSocketsMedian: Math.min(129, clients - 16),
          },
        }),
      ),
    ],
    FOREIGN,
  ),
  planted(
    "16 processes, 20 ms asleep in each request",
    "pool",
    [
      ...[
        [1, 250, 20],
        [4, 1_000, 20],
        [16, 3_950, 20],
        [32, 3_980, 40],
      ].map(
        ([clients, succeeded, ms]): LevelParts => ({
          kind: "unpaced",
          clients: clients!,
          succeeded: succeeded!,
          latency: [[ms!, succeeded!]],
          evidence: { stats: null },
        }),
      ),
      {
        kind: "open",
        plannedRate: 960,
        clients: 64,
        succeeded: 4_000,
        latency: [[300, 4_000]],
        evidence: { stats: null },
      },
    ],
    FOREIGN,
  ),
  planted("a log that is slow to write", "log-write", [
    {
      clients: 200,
      succeeded: 6_000,
      errors: { unavailable: 4_000 },
      latency: [[90, 6_000]],
      stats: {
        writeMsMean: 60,
        writeMsP99: 120,
        writeBusyRatio: 0.97,
        queueRatioMax: 1,
        rejected: { queue: 4_000 },
      },
    },
  ]),
  planted("a sync of 20 ms that every answer waits for", "slow-sync", [
    {
      clients: 30,
      latency: [
        [31, 1_300],
        [60, 200],
      ],
      stats: {
        ack: "synced",
        syncs: 230,
        syncMsMean: 20.5,
        syncMsP99: 22,
        syncBusyRatio: 0.95,
        stagesMs: { commit: 29, total: 31 },
      },
    },
  ]),
  planted("a disk that fills up", "disk-full", [
    {
      ...UNPACED_QUICK,
      succeeded: 5_000,
      errors: { unavailable: 95_000 },
      evidence: PINNED,
      stats: { diskStates: ["ok", "full"], diskFreeBytesMin: 0, rejected: { disk_full: 95_000 } },
    },
  ]),
  planted("a memory budget for two of sixteen bodies", "memory", [
    {
      clients: 16,
      succeeded: 300,
      errors: { unavailable: 350, reset: 150 },
      stats: { memoryRatioMax: 0.97, rejected: { memory: 420 } },
    },
  ]),
  planted("a rate limit of 50 a second for each client", "rate-limit", [
    { clients: 12 },
    {
      ...UNPACED_QUICK,
      clients: 1,
      succeeded: 260,
      errors: { rate_limited: 90_000 },
      evidence: PINNED,
    },
  ]),
  planted("a generator that is busy all the time", "generator", [
    { clients: 20 },
    { ...UNPACED_QUICK, void: "a generator thread was busy 99 % of its time" },
  ]),
  planted("a generator that shares its core with two rivals", "generator", [
    { clients: 20 },
    {
      ...UNPACED_QUICK,
      generator: [{ cpuRatio: 0.34, spinRatio: 0, waitRatio: 0.64, loopLagMsMax: 14 }],
      evidence: { otherCores: 0.7, machineRatio: 0.7 },
    },
  ]),
  planted("100 client ports", "client-ports", [
    {
      clients: 16,
      succeeded: 100,
      errors: { no_port: 700 },
      void: "the generator had no client port left for 700 requests",
      plan: { keepAlive: false },
      evidence: { portsUsedMax: 100, portsAvailable: 100, timeWaitMax: 100 },
    },
  ]),
  planted("a server that stands still for 200 ms every 2 s", "target-stall", [
    stalled(0, 20),
    stalled(1, 50),
    stalled(2, 100),
  ]),
  planted(
    "a server that stands still, of which only the clients know",
    "target-stall",
    [stalled(0, 20), stalled(1, 50), stalled(2, 100)].map((parts) => ({
      ...parts,
      evidence: { stats: null, hottestThread: null, processCores: null, threadsBusy: null },
    })),
    { ...FOREIGN, pid: null },
  ),
];
