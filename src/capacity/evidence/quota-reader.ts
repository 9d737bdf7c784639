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

type Cpu = Pick<QuotaSample, "quotaCores" | "periods" | "throttledPeriods" | "throttledMs">;
type Memory = Pick<QuotaSample, "memoryBytes" | "memoryLimitBytes">;

const CPU_UNKNOWN: Cpu = { quotaCores: null, periods: null, throttledPeriods: null, throttledMs: null };
const MEMORY_UNKNOWN: Memory = { memoryBytes: null, memoryLimitBytes: null };

export class QuotaReader {
  private readonly files: OsFiles;
  private readonly pid: number;
  private readonly mounts: string | null;
  private groupsText: string | null = null;
  private cpuGroups: CgroupFolder[] = [];
  private memoryGroups: CgroupFolder[] = [];

  constructor(files: OsFiles, pid: number) {
    this.files = files;
    this.pid = pid;
    this.mounts = files.readText("/proc/self/mountinfo", MOUNTS_BYTES_MAX);
  }

  /** Null where the groups of the process cannot be read at all. */
  read(): QuotaSample | null {
    const text = this.files.readText(`/proc/${this.pid}/cgroup`, BYTES_MAX);
    if (text === null) return null;
    // A process may be moved while it runs, as `systemctl set-property` and a test do.
    if (text !== this.groupsText) this.findGroups(text);
    return { ...this.readCpu(), ...this.readMemory() };
  }

  private findGroups(text: string): void {
    this.groupsText = text;
    const groups = parseCgroups(text, this.mounts);
    const isThere = ({ folder }: CgroupFolder) => this.files.list(folder) !== null;
    const withController = (name: string) =>
      groups
        .filter(({ version, controllers }) => version === 2 || controllers.includes(name))
        .filter(isThere);
    this.cpuGroups = withController("cpu");
    this.memoryGroups = withController("memory");
  }

  private readCpu(): Cpu {
    if (this.cpuGroups.length === 0) return CPU_UNKNOWN;
    let tightest: { quotaCores: number; folder: string; version: 1 | 2 } | null = null;
    for (const { version, mount, folder: nearest } of this.cpuGroups) {
      for (const folder of foldersUpTo(mount, nearest)) {
        const quotaCores =
          version === 2
            ? parseQuotaCores(this.text(folder, "cpu.max"))
            : parseQuotaCoresOld(
                this.text(folder, "cpu.cfs_quota_us"),
                this.text(folder, "cpu.cfs_period_us"),
              );
        if (quotaCores < (tightest?.quotaCores ?? Number.POSITIVE_INFINITY))
          tightest = { quotaCores, folder, version };
      }
    }
    if (tightest === null)
      return { quotaCores: Number.POSITIVE_INFINITY, periods: 0, throttledPeriods: 0, throttledMs: 0 };
    const { quotaCores, folder, version } = tightest;
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
    if (this.memoryGroups.length === 0) return MEMORY_UNKNOWN;
    let limit = Number.POSITIVE_INFINITY;
    let used = Number.NaN;
    for (const { version, mount, folder: nearest } of this.memoryGroups) {
      const [limitName, usedName] =
        version === 2 ? ["memory.max", "memory.current"] : ["memory.limit_in_bytes", "memory.usage_in_bytes"];
      for (const folder of foldersUpTo(mount, nearest)) {
        const folderLimit = parseMemoryLimit(this.text(folder, limitName));
        const isTighter = folderLimit < limit;
        if (!isTighter && !Number.isNaN(used)) continue;
        if (isTighter) limit = folderLimit;
        used = parseNumber(this.text(folder, usedName));
      }
    }
    return { memoryBytes: orNull(used), memoryLimitBytes: limit };
  }

  private text(folder: string, name: string): string | null {
    return this.files.readText(`${folder}/${name}`, BYTES_MAX);
  }
}
