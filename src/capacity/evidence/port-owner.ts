// Which process listens on a port: the sockets that listen are in a table with their numbers, and the descriptors of each
// process are links to such numbers. Cold: it looks at every process of this machine that may be looked at.

import { openOsFiles, type ProcFiles } from "../../base/os-files.ts";
import { parseListenerInodes, parseParent, parseSocketLink } from "../../base/proc-texts.ts";

const STAT_BYTES_MAX = 4 * 1024;
/** Listeners come first in the table; this holds more than 400 of them. */
const TABLE_BYTES_MAX = 64 * 1024;

/**
 * The process that listens on this port in our network namespace: of a master and its workers the master. Null where
 * none is found, or it belongs to a user whose descriptors may not be read.
 */
export function findPidOfPort(port: number, files: ProcFiles = openOsFiles()): number | null {
  const inodes = listenersOf(files, "/proc/net", port);
  if (inodes === null || inodes.size === 0) return null;
  const owners = (files.list("/proc") ?? [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => holdsOne(files, pid, inodes))
    .sort((a, b) => a - b);
  return owners.find((pid) => !owners.includes(parentOf(files, pid))) ?? owners[0] ?? null;
}

/** Whether one of these processes listens on the port; null where that cannot be seen. */
export function listensOnPort(files: ProcFiles, processes: readonly number[], port: number): boolean | null {
  const readable = processes.filter((pid) => files.list(`/proc/${pid}/fd`) !== null);
  const inodes = listenersOf(files, `/proc/${processes[0]}/net`, port);
  if (readable.length === 0 || inodes === null) return null;
  return readable.some((pid) => holdsOne(files, pid, inodes));
}

/** Null where neither table can be read. */
function listenersOf(files: ProcFiles, folder: string, port: number): Set<number> | null {
  const tables = ["tcp", "tcp6"].map((name) => files.readText(`${folder}/${name}`, TABLE_BYTES_MAX));
  if (tables.every((text) => text === null)) return null;
  return new Set(tables.flatMap((text) => parseListenerInodes(text, port)));
}

function holdsOne(files: ProcFiles, pid: number, inodes: ReadonlySet<number>): boolean {
  return (files.list(`/proc/${pid}/fd`) ?? []).some((descriptor) => {
    const inode = parseSocketLink(files.readLink(`/proc/${pid}/fd/${descriptor}`));
    return inode !== null && inodes.has(inode);
  });
}

function parentOf(files: ProcFiles, pid: number): number {
  return parseParent(files.readText(`/proc/${pid}/stat`, STAT_BYTES_MAX));
}
