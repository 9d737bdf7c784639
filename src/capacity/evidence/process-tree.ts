// A process and all that it has started, and what those have started: a server of a master and its workers is one target.
// Cold: it reads a file for every thread, so it is done once in a while and not in every sample.

import type { OsFiles } from "../../base/os-files.ts";
import { parseChildren } from "../../base/proc-texts.ts";

/** Most processes that are looked at; a target with more is seen in part. */
export const PROCESSES_MAX = 256;
const BYTES_MAX = 16 * 1024;

/** The process first, then its descendants by generation. Where the system does not tell children: the process alone. */
export function findProcessTree(files: OsFiles, pid: number): number[] {
  const found = [pid];
  for (let index = 0; index < found.length && found.length < PROCESSES_MAX; index++) {
    const folder = `/proc/${found[index]}/task`;
    // A child is listed under the thread that started it.
    for (const thread of files.list(folder) ?? []) {
      for (const child of parseChildren(files.readText(`${folder}/${thread}/children`, BYTES_MAX)))
        if (!found.includes(child) && found.length < PROCESSES_MAX) found.push(child);
    }
  }
  return found;
}
