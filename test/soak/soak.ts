// Hours in one process, in short: a steady load, and in turns a quiet time that is measured and faults that are not.
//
//   │ quiet: latency, memory, descriptors │ every fault once │ held: accounts compared │ quiet … │ … │ SIGTERM, log read back
//
// What grows from one quiet time to the next is a leak; what differs between the accounts is a lie.

import { readdirSync, readFileSync } from "node:fs";
import { parseStatusBytes } from "../../src/base/proc-texts.ts";
import { Ledger, type Verdict } from "../crash/ledger.ts";
import { randomFrom } from "../crash/random.ts";
import { readStats } from "../support/requests.ts";
import { eventually, pause, type ServerProcess } from "../support/server-process.ts";
import { startBreakableServer } from "../support/thread-faults.ts";
import type { Disturbance, SoakBed } from "./disturbances.ts";
import { SteadyLoad } from "./steady-load.ts";

const CLIENT = "soak";
const THREADS = 2;
const MIB = 1024 * 1024;

export interface SoakOptions {
  seed: number;
  /** As many cycles as it takes, one at least. */
  seconds: number;
  quietSeconds: number;
  connections: number;
  rate: number;
  disturbances: readonly Disturbance[];
  progress(line: string): void;
}

export interface Quiet {
  /** Since the server's start. */
  atSeconds: number;
  latencyMsP50: number;
  latencyMsP99: number;
  /** Of resident memory, one a second. */
  memoryMiB: number[];
  memoryMiBMedian: number;
  descriptors: number;
}

export interface SoakRun extends Verdict {
  seconds: number;
  quiets: Quiet[];
  faults: Record<string, number>;
  sentBatches: number;
  acknowledgedBatches: number;
  acknowledgedMetrics: number;
  unansweredBatches: number;
  /** How often the accounts were compared, and what was wrong with them. */
  accountsCompared: number;
  accountFaults: string[];
  exitCode: number | null;
}

export async function runSoak(options: SoakOptions): Promise<SoakRun> {
  const beganMs = performance.now();
  const ledger = new Ledger(CLIENT);
  const server = await startBreakableServer(["--threads", String(THREADS), "--rate-limit", "0"]);
  const { connections, rate, seed } = options;
  const load = new SteadyLoad({ port: server.port, client: CLIENT, ledger, connections, rate });
  const bed: SoakBed = { server, threads: THREADS, ledger, client: CLIENT, random: randomFrom(seed) };
  const quiets: Quiet[] = [];
  const faults: Record<string, number> = {};
  const accountFaults: string[] = [];
  let isOver = false;
  for (let cycle = 0; !isOver; cycle++) {
    quiets.push(await measureQuiet(server, load, options.quietSeconds, beganMs));
    options.progress(JSON.stringify({ ...quiets.at(-1), memoryMiB: undefined }));
    isOver = cycle > 0 && performance.now() - beganMs >= options.seconds * 1000;
    if (!isOver) {
      for (const disturbance of options.disturbances) {
        await disturbance.run(bed);
        faults[disturbance.name] = (faults[disturbance.name] ?? 0) + 1;
        await servesAgain(server);
      }
    }
    await load.hold();
    accountFaults.push(...(await compareAccounts(server, ledger)));
    load.resume();
  }
  await load.stop();
  const exit = await server.stop();
  return {
    ...ledger.verify(server.data),
    seconds: (performance.now() - beganMs) / 1000,
    quiets,
    faults,
    sentBatches: ledger.sentBatches,
    acknowledgedBatches: ledger.acknowledgedBatches,
    acknowledgedMetrics: ledger.acknowledgedMetrics,
    unansweredBatches: load.unanswered,
    accountsCompared: quiets.length,
    accountFaults,
    exitCode: exit.code,
  };
}

async function measureQuiet(
  server: ServerProcess,
  load: SteadyLoad,
  seconds: number,
  beganMs: number,
): Promise<Quiet> {
  load.latency.clear();
  const memoryMiB: number[] = [];
  for (let second = 0; second < seconds; second++) {
    await pause(1000);
    const status = readFileSync(`/proc/${server.child.pid}/status`, "latin1");
    memoryMiB.push(Math.round((10 * parseStatusBytes(status, "VmRSS")) / MIB) / 10);
  }
  return {
    atSeconds: Math.round((performance.now() - beganMs) / 1000),
    latencyMsP50: load.latency.percentile(0.5) / 1e6,
    latencyMsP99: load.latency.percentile(0.99) / 1e6,
    memoryMiB,
    memoryMiBMedian: median(memoryMiB),
    descriptors: readdirSync(`/proc/${server.child.pid}/fd`).length,
  };
}

/** Every thread ticks and takes batches. */
async function servesAgain(server: ServerProcess): Promise<void> {
  await eventually(
    "the server is ready and all its threads live",
    async () => {
      const stats = await readStats(server.port).catch(() => null);
      return stats?.ready === true;
    },
    60_000,
  );
}

/** What the server says it took against what the clients know; nothing is under way. */
async function compareAccounts(server: ServerProcess, ledger: Ledger): Promise<string[]> {
  const { accounting } = await eventually("nothing is in flight", async () => {
    const stats = await readStats(server.port).catch(() => null);
    return stats !== null && stats.accounting.in_flight === 0 && stats;
  });
  const { received, stored, rejected } = accounting;
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  const told: string[] = [];
  if (received !== stored + refused) told.push(`received ${received} is not ${stored} + ${refused}`);
  if (stored < ledger.acknowledgedBatches)
    told.push(`stored ${stored}, but ${ledger.acknowledgedBatches} batches were answered 200`);
  if (stored > ledger.sentBatches) told.push(`stored ${stored}, but only ${ledger.sentBatches} were sent`);
  return told;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
