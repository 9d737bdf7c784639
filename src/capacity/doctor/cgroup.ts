// The control group that this process is in, of either version: how much CPU and memory it may have. A limit of any
// group above holds too, so the least counts. evidence/quota-reader.ts reads the same while a load runs, with what was
// throttled; here it is read once, and the file is named that would have to be changed.

import {
  foldersUpTo,
  parseCgroups,
  parseMemoryLimit,
  parseQuotaCores,
  parseQuotaCoresOld,
} from "../../base/proc-texts.ts";
import type { Machine } from "./machine.ts";

export interface GroupLimit {
  /** Infinity where there is no limit; cores, or bytes. */
  readonly amount: number;
  /** The file that sets it; null where none does. */
  readonly file: string | null;
}

/** Null where there are no control groups. */
export function readQuota(machine: Machine): GroupLimit | null {
  return least(machine, ["cpu.max", "cpu.cfs_quota_us"], (text, folder, isOld) =>
    isOld ? parseQuotaCoresOld(text, machine.readText(`${folder}/cpu.cfs_period_us`)) : parseQuotaCores(text),
  );
}

export function readMemoryLimit(machine: Machine): GroupLimit | null {
  return least(machine, ["memory.max", "memory.limit_in_bytes"], parseMemoryLimit);
}

/** `names` is what the limit's file is called in the second version and in the first; other controllers have no such file. */
function least(
  machine: Machine,

  names: readonly [string, string],
  parse: (text: string | null, folder: string, isOld: boolean) => number,
): GroupLimit | null {
  const mounts = machine.readText("/proc/self/mountinfo");
  const groups = parseCgroups(machine.readText("/proc/self/cgroup"), mounts);
  let limit: GroupLimit = { amount: Number.POSITIVE_INFINITY, file: null };
  for (const { version, mount, folder: nearest } of groups) {
    for (const folder of foldersUpTo(mount, nearest)) {
      const file = `${folder}/${names[version === 1 ? 1 : 0]}`;
      const amount = parse(machine.readText(file), folder, version === 1);
      if (amount < limit.amount) limit = { amount, file };
    }
  }
  return groups.length === 0 ? null : limit;
}
