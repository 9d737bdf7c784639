// The control group that this process is in, of either version: how much CPU and memory it may have. A limit of any
// group above holds too, so the least counts. Version 2 has one tree; version 1 one for each controller, and a container
// sees its own group where the tree is mounted, whatever /proc/self/cgroup says.

import { parseCgroupFolders, parseNumber, parseQuotaCores } from "../../base/proc-texts.ts";
import { parseMountInfo } from "./file-system.ts";
import type { Machine } from "./machine.ts";

export interface GroupLimit {
  /** Infinity where there is no limit; cores, or bytes. */
  readonly amount: number;
  /** The file that sets it; null where none does. */
  readonly file: string | null;
}

interface GroupFile {
  readonly name: string;
  readonly parse: (text: string | null, folder: string, machine: Machine) => number;
}

/** Of version 1 "no limit" is the largest number of whole pages. */
const MEMORY_UNLIMITED_V1 = 2 ** 62;

const QUOTA_FILES: readonly GroupFile[] = [
  { name: "cpu.max", parse: parseQuotaCores },
  { name: "cpu.cfs_quota_us", parse: parseQuotaV1 },
];
const MEMORY_FILES: readonly GroupFile[] = [
  { name: "memory.max", parse: parseBytes },
  { name: "memory.limit_in_bytes", parse: parseBytes },
];

/** Null where there are no control groups. */
export function readQuota(machine: Machine): GroupLimit | null {
  return least(machine, "cpu", QUOTA_FILES);
}

export function readMemoryLimit(machine: Machine): GroupLimit | null {
  return least(machine, "memory", MEMORY_FILES);
}

function parseQuotaV1(text: string | null, folder: string, machine: Machine): number {
  const quota = parseNumber(text);
  return quota < 0
    ? Number.POSITIVE_INFINITY
    : quota / parseNumber(machine.readText(`${folder}/cpu.cfs_period_us`));
}

function parseBytes(text: string | null): number {
  const bytes = text?.trim() === "max" ? Number.POSITIVE_INFINITY : parseNumber(text);
  return bytes >= MEMORY_UNLIMITED_V1 ? Number.POSITIVE_INFINITY : bytes;
}

function least(machine: Machine, controller: string, files: readonly GroupFile[]): GroupLimit | null {
  const folders = foldersOf(machine, controller);
  if (folders.length === 0) return null;
  let limit: GroupLimit = { amount: Number.POSITIVE_INFINITY, file: null };
  for (const folder of folders) {
    for (const { name, parse } of files) {
      const amount = parse(machine.readText(`${folder}/${name}`), folder, machine);
      if (amount < limit.amount) limit = { amount, file: `${folder}/${name}` };
    }
  }
  return limit;
}

function foldersOf(machine: Machine, controller: string): string[] {
  const text = machine.readText("/proc/self/cgroup");
  const folders: string[] = [];
  for (const mount of parseMountInfo(machine.readText("/proc/self/mountinfo"))) {
    if (mount.type === "cgroup2") folders.push(...parseCgroupFolders(text, mount.point));
    if (mount.type === "cgroup" && mount.options.split(",").includes(controller))
      folders.push(...parseCgroupFolders(asVersionTwo(text, controller), mount.point));
  }
  return folders;
}

/** The row of this controller, written as the second version would: `4:cpu,cpuacct:/a` as `0::/a`. */
function asVersionTwo(text: string | null, controller: string): string {
  const rows = (text ?? "").split("\n").map((row) => /^\d+:([^:]+):(.*)$/.exec(row));
  const row = rows.find((match) => (match?.[1] ?? "").split(",").includes(controller));
  return `0::${row?.[2] ?? "/"}\n`;
}
