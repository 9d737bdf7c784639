// The target's processes: CPU, waiting and state of every thread, descriptors against their limit, memory, bytes written.
// Main thread, several times a second. A thread that has not run since the last time is known by its schedstat alone
// (14 µs instead of 36): most threads of most servers sleep.
// What may not be read (a process of another user) is null; a process that is gone is a sample that says so.

import type { ProcFiles } from "../../base/os-files.ts";
import {
  parseAllowedCores,
  parseColon,
  parseDescriptorLimits,
  parseEndedChildrenSeconds,
  parseRunSeconds,
  parseStatusBytes,
  parseTaskStat,
  parseTaskState,
  parseWaitSeconds,
} from "../../base/proc-texts.ts";
import { orNull, sumKnown } from "./known.ts";
import { findProcessTree } from "./process-tree.ts";
import type { ProcessSample, ThreadSample } from "./sample.ts";

/** Children are looked for this often: it costs a file for each thread. */
const TREE_INTERVAL_MS = 2_000;
/** Most threads read one by one (18 ms of CPU at worst); `cpuS` counts all. */
export const THREADS_MAX = 512;
const BYTES_MAX = 4 * 1024;

interface Descriptors {
  used: number;
  soft: number;
  hard: number;
}

interface KnownThread {
  schedstat: string;
  sample: ThreadSample;
}

export class ProcessReader {
  private readonly files: ProcFiles;
  private readonly pid: number;
  private processes: number[] = [];
  private processesAtMs = Number.NEGATIVE_INFINITY;
  private known = new Map<string, KnownThread>();
  private wasSeen = false;

  constructor(files: ProcFiles, pid: number) {
    this.files = files;
    this.pid = pid;
  }

  /** Null where nothing of it can be read (no /proc, hidden). */
  read(nowMs: number): ProcessSample | null {
    const stat = this.text(`/proc/${this.pid}/stat`);
    const isAlive = stat !== null && !["Z", "X"].includes(parseTaskState(stat));
    if (!isAlive) return this.wasSeen || stat !== null ? GONE : null;
    this.wasSeen = true;
    if (nowMs - this.processesAtMs >= TREE_INTERVAL_MS) {
      this.processes = findProcessTree(this.files, this.pid);
      this.processesAtMs = nowMs;
    }
    const statuses = this.processes.map((pid) => this.text(`/proc/${pid}/status`));
    const ios = this.processes.map((pid) => this.text(`/proc/${pid}/io`));
    const descriptors = this.readDescriptors();
    return {
      isAlive,
      threads: this.readThreads(),
      cpuS: sumKnown(this.processes.map((pid) => this.readCpuSeconds(pid))),
      descriptorsUsed: orNull(descriptors.used),
      descriptorsSoft: orNull(descriptors.soft),
      descriptorsHard: orNull(descriptors.hard),
      residentBytes: sumKnown(statuses.map((status) => parseStatusBytes(status, "VmRSS"))),
      readBytes: sumKnown(ios.map((io) => parseColon(io, "read_bytes"))),
      writtenBytes: sumKnown(ios.map((io) => parseColon(io, "write_bytes"))),
      coresAllowed: new Set(statuses.flatMap(parseAllowedCores)).size || null,
    };
  }

  private readCpuSeconds(pid: number): number {
    const stat = this.text(`/proc/${pid}/stat`);
    return (parseTaskStat(stat)?.cpuSeconds ?? Number.NaN) + parseEndedChildrenSeconds(stat);
  }

  /** Of the process that is nearest to its own limit. */
  private readDescriptors(): Descriptors {
    let nearest: Descriptors = { used: Number.NaN, soft: Number.NaN, hard: Number.NaN };
    for (const pid of this.processes) {
      const limits = parseDescriptorLimits(this.text(`/proc/${pid}/limits`));
      const used = this.files.countEntries(`/proc/${pid}/fd`) ?? Number.NaN;
      const isNearer = used / limits.soft > nearest.used / nearest.soft;
      if (Number.isNaN(nearest.used) || isNearer) nearest = { used, ...limits };
    }
    return nearest;
  }

  private readThreads(): ThreadSample[] {
    const known = new Map<string, KnownThread>();
    for (const pid of this.processes) {
      for (const tid of this.files.list(`/proc/${pid}/task`) ?? []) {
        if (known.size === THREADS_MAX) break;
        const folder = `/proc/${pid}/task/${tid}`;
        const thread = this.readThread(pid, Number(tid), folder);
        if (thread !== null) known.set(folder, thread);
      }
    }
    this.known = known;
    return [...known.values()].map(({ sample }) => sample);
  }

  private readThread(pid: number, tid: number, folder: string): KnownThread | null {
    const schedstat = this.text(`${folder}/schedstat`) ?? "";
    const before = this.known.get(folder);
    if (schedstat !== "" && before?.schedstat === schedstat) return before;
    const text = this.text(`${folder}/stat`);
    const stat = parseTaskStat(text);
    if (stat === null) return null; // it ended between the listing and the reading
    const runSeconds = parseRunSeconds(schedstat);
    // Ten milliseconds are the unit of stat, nanoseconds that of schedstat.
    const cpuS = Number.isNaN(runSeconds) ? stat.cpuSeconds : runSeconds;
    const waitS = orNull(parseWaitSeconds(schedstat));
    return { schedstat, sample: { pid, tid, name: stat.name, cpuS, waitS, state: parseTaskState(text) } };
  }

  private text(path: string): string | null {
    return this.files.readText(path, BYTES_MAX);
  }
}

const GONE: ProcessSample = {
  isAlive: false,
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
