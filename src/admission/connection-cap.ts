// How many connections the process may hold, so that it is this number, with a 503 that says so, that a flood meets,
// and not EMFILE in the middle of opening a log file. Start-up only.
//
//   descriptors (soft limit)
//   |<- process ->|<- per thread × threads ->|<------------- connections ------------->|
//
// Both runtimes raise their soft limit to the hard one as they start, so it is read from the running process.

import { readFileSync } from "node:fs";
import { assert } from "../base/assert.ts";
import { TidemarkError } from "../errors.ts";
import { CONNECTIONS_MAX_CEILING, THREADS_MAX } from "../limits.ts";

/** Setting's value for "as many as the descriptors allow". */
export const CONNECTIONS_AUTO = 0;

/**
 * Held by the process whatever it does: the runtime on start (23 on Node, 8 on Bun, measured), the lock and address of
 * the data folder, the probe's reads of /proc, and some that accept and refuse what is over the cap.
 */
export const DESCRIPTORS_PROCESS = 64;
/**
 * Held by each ingest thread: the runtime's own (5 on Node, 2 on Bun, measured), a listening socket, the folder, the
 * lane's segment with its index, the next pair already open, and the last few still being synced and sealed; with what
 * is over, REFUSED_CONNECTIONS_MAX.
 */
export const DESCRIPTORS_PER_THREAD = 24;

/** What POSIX promises at least, and the usual soft limit: taken where the system does not say. */
const DESCRIPTORS_SOFT_FALLBACK = 1024;

/**
 * Connections for the whole process: `override`, or with CONNECTIONS_AUTO what `descriptorsSoft` leaves.
 * Throws TidemarkError where the descriptors do not allow it.
 */
export function connectionsMaxFrom(descriptorsSoft: number, threads: number, override: number): number {
  assert(descriptorsSoft > 0, "a descriptor limit is above 0");
  assert(Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX, "threads are 1 to THREADS_MAX");
  assert(Number.isInteger(override) && override >= 0, "--connections-max is auto or a whole number");
  const reserved = DESCRIPTORS_PROCESS + threads * DESCRIPTORS_PER_THREAD;
  const available = descriptorsSoft - reserved;
  if (override !== CONNECTIONS_AUTO && override > available) {
    throw new TidemarkError(
      `cannot hold --connections-max ${override} connections because the descriptor limit is ${descriptorsSoft} and ` +
        `${reserved} are kept for files and ${threads} threads; try ulimit -n ${reserved + override}, or --connections-max auto`,
      2,
    );
  }
  if (available < threads) {
    throw new TidemarkError(
      `cannot serve with ${threads} threads because the descriptor limit is ${descriptorsSoft} and ${reserved} are ` +
        `kept for files and threads; try ulimit -n ${Math.max(reserved + threads, DESCRIPTORS_SOFT_FALLBACK)}, or fewer --threads`,
    );
  }
  const connections = override === CONNECTIONS_AUTO ? Math.min(available, CONNECTIONS_MAX_CEILING) : override;
  assert(
    connections >= 1 && connections + reserved <= descriptorsSoft,
    "connections fit into the descriptors",
  );
  return connections;
}

/** Soft and hard limit of this process; the fallback for both where there is no /proc. "unlimited" is Infinity. */
export function readDescriptorLimits(path = "/proc/self/limits"): { soft: number; hard: number } {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // Not Linux: the fallback is safe everywhere.
  }
  return decodeDescriptorLimits(text);
}

/** From the text of /proc/PID/limits (proc(5)). */
export function decodeDescriptorLimits(text: string): { soft: number; hard: number } {
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text);
  return { soft: limitFrom(match?.[1]), hard: limitFrom(match?.[2]) };
}

function limitFrom(word: string | undefined): number {
  if (word === "unlimited") return Number.POSITIVE_INFINITY;
  const limit = Number(word);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : DESCRIPTORS_SOFT_FALLBACK;
}
