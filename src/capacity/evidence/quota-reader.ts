// The quota of CPU and memory that the target's control group puts on it, of version 1 or 2, wherever those are mounted.
// A group is bound by every group above it too, so the tightest of them is the one that counts, and its throttling is
// what is read. "No quota" is Infinity, and only said where a group was found and read; null is "not known".

import type { OsFiles } from "../../base/os-files.ts";
import {
  type CgroupFolder,
  foldersUpTo,
  parseCgroups,
  parseKeyed,
  parseMemoryLimit,
  parseNumber,
  parseQuotaCores,
  parseQuotaCoresOld,
} from "../../base/proc-texts.ts";
import { orNull } from "./known.ts";
import type { QuotaSample } from "./sample.ts";

const BYTES_MAX = 4 * 1024;
const MOUNTS_BYTES_MAX = 64 * 1024;

/** Quotas are looked at again this often: with every group above it that is a dozen files. */
const SEARCH_INTERVAL_MS = 2_000;

type Cpu = Pick<QuotaSample, "quotaCores" | "periods" | "throttledPeriods" | "throttledMs">;
type Memory = Pick<QuotaSample, "memoryBytes" | "memoryLimitBytes">;

const CPU_UNKNOWN: Cpu = { quotaCores: null, periods: null, throttledPeriods: null, throttledMs: null };
const MEMORY_UNKNOWN: Memory = { memoryBytes: null, memoryLimitBytes: null };

interface Tightest {
  /** Cores or bytes; Infinity where there is no quota. */
  limit: number;
  folder: string;
  version: 1 | 2;
}

export class QuotaReader {
  private readonly files: OsFiles;
  private readonly pid: number;
  private readonly mounts: string | null;
  private groupsText: string | null = null;
  private searchedAtMs = Number.NEGATIVE_INFINITY;
  /** Null where no group was found; a folder where the tightest quota is put. */
  private cpu: Tightest | null = null;
  private memory: Tightest | null = null;

  constructor(files: OsFiles, pid: number) {
    this.files = files;
    this.pid = pid;
    this.mounts = files.readText("/proc/self/mountinfo", MOUNTS_BYTES_MAX);
  }

  /** Null where the groups of the process cannot be read at all. */
  read(nowMs: number): QuotaSample | null {
    const text = this.files.readText(`/proc/${this.pid}/cgroup`, BYTES_MAX);
    if (text === null) return null;
    // A process may be moved while it runs, and its quota changed.
    if (text !== this.groupsText || nowMs - this.searchedAtMs >= SEARCH_INTERVAL_MS) {
      const groups = parseCgroups(text, this.mounts);
      this.cpu = this.findTightest(groups, "cpu", (folder, version) => this.readQuotaCores(folder, version));
      this.memory = this.findTightest(groups, "memory", (folder, version) =>
        parseMemoryLimit(this.text(folder, version === 2 ? "memory.max" : "memory.limit_in_bytes")),
      );
      this.groupsText = text;
      this.searchedAtMs = nowMs;
    }
    return { ...this.readCpu(), ...this.readMemory() };
  }

  private findTightest(
    groups: readonly CgroupFolder[],
    controller: string,
    limitOf: (folder: string, version: 1 | 2) => number,
  ): Tightest | null {
    let tightest: Tightest | null = null;
    for (const { version, controllers, mount, folder: nearest } of groups) {
      const isControlled = version === 2 || controllers.includes(controller);
      if (!isControlled || this.files.list(nearest) === null) continue;
      for (const folder of foldersUpTo(mount, nearest)) {
        const limit = limitOf(folder, version);
        if (limit < (tightest?.limit ?? Number.POSITIVE_INFINITY)) tightest = { limit, folder, version };
        // Where the controllers are of version 1, the folder of version 2 knows no figures of them.
        else if (limit === Number.POSITIVE_INFINITY) tightest ??= { limit, folder, version };
      }
      tightest ??= { limit: Number.POSITIVE_INFINITY, folder: nearest, version };
    }
    return tightest;
  }

  private readQuotaCores(folder: string, version: 1 | 2): number {
    if (version === 2) return parseQuotaCores(this.text(folder, "cpu.max"));
    return parseQuotaCoresOld(this.text(folder, "cpu.cfs_quota_us"), this.text(folder, "cpu.cfs_period_us"));
  }

  private readCpu(): Cpu {
    if (this.cpu === null) return CPU_UNKNOWN;
    const { limit: quotaCores, folder, version } = this.cpu;
    if (quotaCores === Number.POSITIVE_INFINITY)
      return { quotaCores, periods: 0, throttledPeriods: 0, throttledMs: 0 };
    const stat = this.text(folder, "cpu.stat");
    return {
      quotaCores,
      periods: orNull(parseKeyed(stat, "nr_periods")),
      throttledPeriods: orNull(parseKeyed(stat, "nr_throttled")),
      throttledMs: orNull(
        version === 2 ? parseKeyed(stat, "throttled_usec") / 1e3 : parseKeyed(stat, "throttled_time") / 1e6,
      ),
    };
  }

  private readMemory(): Memory {
    if (this.memory === null) return MEMORY_UNKNOWN;
    const { limit: memoryLimitBytes, folder, version } = this.memory;
    const used = this.text(folder, version === 2 ? "memory.current" : "memory.usage_in_bytes");
    return { memoryBytes: orNull(parseNumber(used)), memoryLimitBytes };
  }

  private text(folder: string, name: string): string | null {
    return this.files.readText(`${folder}/${name}`, BYTES_MAX);
  }
}
