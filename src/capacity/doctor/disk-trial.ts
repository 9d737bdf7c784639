// Measures the disk as the log uses it: small appends each followed by fdatasync, then large writes. On the main thread,
// awaited; the syncs run on the runtime's own threads, as the server's do.
//
// It leaves nothing behind. The file of the first part holds at most SYNCS_MAX small batches and is removed at the end,
// also when a signal ends the process in the middle; it keeps its name until then, because some file systems sync a
// nameless file for nothing. The large file loses its name as soon as it is open, so that not even SIGKILL leaves it.

import fs from "node:fs";
import { join } from "node:path";
import { codeOf, type DataFolder } from "./data-folder.ts";

/** The first limit reached ends the part; one sync is always made. */
export interface DiskTrialLimits {
  readonly syncs: number;
  readonly syncMs: number;
  readonly writeBytes: number;
  readonly writeMs: number;
}

export const DISK_TRIAL_LIMITS: DiskTrialLimits = {
  syncs: 200,
  syncMs: 2_000,
  writeBytes: 64 * 1024 * 1024,
  writeMs: 1_000,
};
/** Written between two syncs of the second part. */
const WRITE_BLOCK_BYTES = 4 * 1024 * 1024;
/** Of a nearly full disk no more than this part is filled, even for a second. */
const FREE_SHARE_MAX = 1 / 8;
/** A small batch: ten lines of about 110 bytes. */
const APPEND_BYTES = 1_100;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface DiskTrial {
  readonly sync: SyncTrial | null;
  /** Null where there was no room for it. */
  readonly write: { readonly bytes: number; readonly ms: number } | null;
  /** Why a part is missing: the system's error code, or null. */
  readonly fault: string | null;
}

export interface SyncTrial {
  readonly syncs: number;
  readonly msP50: number;
  readonly msP99: number;
  readonly msMax: number;
}

type Sync = (descriptor: number) => Promise<void>;

export async function tryDisk(
  folder: DataFolder,
  limits: DiskTrialLimits = DISK_TRIAL_LIMITS,
  sync: Sync = fdatasync,
): Promise<DiskTrial> {
  if (folder.fault !== null) return { sync: null, write: null, fault: folder.fault };
  let syncTrial: SyncTrial | null = null;
  try {
    syncTrial = await trySync(folder.path, limits, sync);
    const room = Math.min(limits.writeBytes, (folder.space?.freeBytes ?? 0) * FREE_SHARE_MAX);
    const write = room < WRITE_BLOCK_BYTES ? null : await tryWrite(folder.path, room, limits.writeMs, sync);
    return { sync: syncTrial, write, fault: null };
  } catch (error) {
    return { sync: syncTrial, write: null, fault: codeOf(error) };
  }
}

async function trySync(folder: string, limits: DiskTrialLimits, sync: Sync): Promise<SyncTrial> {
  const path = trialPath(folder, "sync");
  const block = Buffer.alloc(APPEND_BYTES, "x");
  const times: number[] = [];
  const descriptor = fs.openSync(path, "wx", 0o600);
  const stopWatching = removeOnSignal(path);
  try {
    const end = performance.now() + limits.syncMs;
    do {
      fs.writeSync(descriptor, block);
      const start = performance.now();
      await sync(descriptor);
      times.push(performance.now() - start);
    } while (times.length < limits.syncs && performance.now() < end);
  } finally {
    stopWatching();
    fs.closeSync(descriptor);
    fs.rmSync(path, { force: true });
  }
  return summarize(times);
}

async function tryWrite(folder: string, bytesMax: number, msMax: number, sync: Sync) {
  const path = trialPath(folder, "write");
  const block = Buffer.alloc(WRITE_BLOCK_BYTES, "x");
  const descriptor = fs.openSync(path, "wx", 0o600);
  fs.rmSync(path, { force: true });
  try {
    const start = performance.now();
    let bytes = 0;
    while (bytes + block.length <= bytesMax && performance.now() - start < msMax) {
      bytes += fs.writeSync(descriptor, block);
      // What was not synced is only in memory, and its speed says nothing of the disk.
      await sync(descriptor);
    }
    return { bytes, ms: performance.now() - start };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Removes the file and lets the signal do what it would have done. Returns how to stop. */
function removeOnSignal(path: string): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handle = (): void => {
      fs.rmSync(path, { force: true });
      stop();
      process.kill(process.pid, signal);
    };
    process.once(signal, handle);
    return [signal, handle] as const;
  });
  const stop = (): void => {
    for (const [signal, handle] of handlers) process.off(signal, handle);
  };
  return stop;
}

function trialPath(folder: string, part: string): string {
  return join(folder, `.tidemark-doctor-${process.pid}-${part}.tmp`);
}

function fdatasync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** By nearest rank. */
function summarize(times: readonly number[]): SyncTrial {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
  return { syncs: sorted.length, msP50: at(0.5), msP99: at(0.99), msMax: sorted.at(-1)! };
}
