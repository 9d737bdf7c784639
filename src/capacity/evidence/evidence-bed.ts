// What the tests of the evidence share: recorded files in place of the system's, samples in which nothing is known but
// what the test says, and real processes of the runtime that runs the test. Whoever starts one says `after(endScripts)`.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { ProcFiles } from "../../base/os-files.ts";
import type { Level } from "../level.ts";
import type { LoadResult, LoadSlot } from "../load/load-result.ts";
import { UNKNOWN_CLIENT } from "./client-reader.ts";
import type {
  ClientSample,
  MachineSample,
  NetworkSample,
  ProcessSample,
  QuotaSample,
  Sample,
  StatsSample,
  ThreadSample,
} from "./sample.ts";

/** Texts by path; a folder is there where a path below it is. */
export class RecordedFiles implements ProcFiles {
  readonly texts = new Map<string, string>();
  readonly links = new Map<string, string>();
  readonly entries = new Map<string, number>();
  /** Paths that were read or opened, in order. */
  readonly asked: string[] = [];
  /** Smaller than what is asked for, so that rows are cut. */
  blockBytesMax = Number.POSITIVE_INFINITY;
  openCount = 0;

  constructor(texts: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(texts)) this.texts.set(path, text);
  }

  readText(path: string, bytesMax: number): string | null {
    this.asked.push(path);
    return this.texts.get(path)?.slice(0, bytesMax) ?? null;
  }

  list(path: string): string[] | null {
    const below = [...this.texts.keys(), ...this.links.keys()].filter((key) => key.startsWith(`${path}/`));
    const names = new Set(below.map((key) => key.slice(path.length + 1).split("/")[0]!));
    return names.size === 0 ? null : [...names];
  }

  countDescriptors(): number | null {
    return this.entries.get("/proc/self/fd") ?? null;
  }

  diskSpace(): null {
    return null;
  }

  readLink(path: string): string | null {
    return this.links.get(path) ?? null;
  }

  countEntries(path: string): number | null {
    return this.entries.get(path) ?? null;
  }

  open(path: string): ReturnType<ProcFiles["open"]> {
    this.asked.push(path);
    const text = this.texts.get(path);
    if (text === undefined) return null;
    const bytes = Buffer.from(text, "latin1");
    let offset = 0;
    this.openCount += 1;
    return {
      readBlock: (bytesMax) => {
        const block = bytes.subarray(offset, offset + Math.min(bytesMax, this.blockBytesMax));
        offset += block.length;
        return block.length === 0 ? null : block;
      },
      close: () => {
        this.openCount -= 1;
      },
    };
  }
}

export const UNKNOWN_PROCESS: ProcessSample = {
  isAlive: true,
  threads: [],
  cpuS: null,
  descriptorsUsed: null,
  descriptorsSoft: null,
  descriptorsHard: null,
  residentBytes: null,
  readBytes: null,
  writtenBytes: null,
  coresAllowed: null,
};

const UNKNOWN_MACHINE: MachineSample = {
  cores: null,
  busyS: null,
  stolenS: null,
  idleS: null,
  pressureCpuMs: null,
  pressureIoMs: null,
  pressureMemoryMs: null,
  memoryAvailableBytes: null,
};

const UNKNOWN_NETWORK: NetworkSample = {
  listeners: null,
  acceptQueueMax: null,
  acceptQueueCap: null,
  somaxconn: null,
  listenOverflows: null,
  listenDrops: null,
  retransmits: null,
  established: null,
  unreadBytes: null,
  unreadSockets: null,
};

const IDLE_STATS: StatsSample = {
  version: "0.1.0",
  ack: "written",
  received: 0,
  stored: 0,
  rejected: {},
  inFlight: 0,
  connectionsOpen: 0,
  connectionsLimit: 1000,
  connectionsRefused: 0,
  descriptorsUsed: null,
  descriptorsSoft: null,
  descriptorsHard: null,
  acceptQueueMax: null,
  acceptQueueCap: null,
  acceptQueueAsked: null,
  somaxconn: null,
  queueBytes: null,
  queueBytesLimit: null,
  queueOldestWaitMs: null,
  memoryUsedBytes: null,
  memoryBudgetBytes: null,
  residentBytes: null,
  gcPauseMs: null,
  eventLoopLagMs: null,
  threads: 2,
  commits: 0,
  writeFailures: 0,
  writeMsTotal: 0,
  writeMsP99: null,
  batchesPerCommitMean: null,
  syncs: 0,
  syncFailures: 0,
  syncMsTotal: 0,
  syncMsP99: null,
  diskState: "ok",
  diskFreeBytes: null,
  diskTotalBytes: null,
  stagesMs: {},
};

export interface Known {
  readonly process?: Partial<ProcessSample>;
  readonly quota?: Partial<QuotaSample>;
  readonly machine?: Partial<MachineSample>;
  readonly network?: Partial<NetworkSample>;
  readonly client?: Partial<ClientSample>;
  readonly stats?: Partial<StatsSample>;
}

/** A sample in which only this is known. */
export function sampleAt(atMs: number, known: Known = {}): Sample {
  const { process, quota, machine, network, client, stats } = known;
  const noQuota: QuotaSample = {
    quotaCores: null,
    periods: null,
    throttledPeriods: null,
    throttledMs: null,
    memoryBytes: null,
    memoryLimitBytes: null,
  };
  return {
    atMs,
    process: process === undefined ? null : { ...UNKNOWN_PROCESS, ...process },
    quota: quota === undefined ? null : { ...noQuota, ...quota },
    machine: { ...UNKNOWN_MACHINE, ...machine },
    network: { ...UNKNOWN_NETWORK, ...network },
    client: { ...UNKNOWN_CLIENT, ...client },
    stats: stats === undefined ? null : { ...IDLE_STATS, ...stats },
  };
}

export function thread(tid: number, cpuS: number, more: Partial<ThreadSample> = {}): ThreadSample {
  return { pid: 1, tid, name: `thread-${tid}`, cpuS, waitS: null, state: "S", ...more };
}

/** A level of which only its samples, its length and its time line matter. */
export function levelOf(
  samples: readonly Sample[],
  seconds: number,
  timeline: readonly LoadSlot[] = [],
): Level {
  const load: Partial<LoadResult> = { seconds, timeline };
  return {
    id: "unpaced-64",
    kind: "unpaced",
    part: "ladder",
    clients: 64,
    paceMs: null,
    plannedRate: null,
    load: load as LoadResult,
    samples,
    objective: { met: true, misses: [] },
  };
}

const scripts = new Set<ChildProcess>();

export interface Script {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The first line that it printed. */
  readonly said: string;
}

/** Runs the code and waits for it to print a line. */
export async function startScript(code: string): Promise<Script> {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  scripts.add(child);
  child.once("exit", () => scripts.delete(child));
  const [text] = (await once(child.stdout!, "data")) as [Buffer];
  return { pid: child.pid!, child, said: text.toString().trim() };
}

export async function endScript({ child }: Script): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

export function endScripts(): void {
  for (const child of scripts) child.kill("SIGKILL");
}
