// What a server process holds, as the kernel counts it: resident memory, its peak, and open descriptors.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

export function residentBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** Most since the start or the last forgetPeak(). */
export function peakBytes(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

/** proc(5), clear_refs: 5 resets the peak. False where that is not allowed. */
export function forgetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    return true;
  } catch {
    return false;
  }
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function statusBytes(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return match === null ? Number.NaN : Number(match[1]) * 1024;
}
