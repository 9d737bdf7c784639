// Notices an ingest thread that spins: alive, silent, and using the processor. A thread that is merely silent waits for the
// system (a disk that hangs, a process that was stopped) and would gain nothing by being replaced. Main thread.
//
// A heartbeat is compared with itself only, and time is counted in looks: neither a wall clock that is set nor a process
// that was stopped for an hour makes a thread look dead.

import type { OsFiles } from "../base/os-files.ts";
import { parseTaskStat } from "../base/proc-texts.ts";
import { THREAD_SILENT_LOOKS_MAX, THREAD_SPIN_CPU_S_MIN } from "../limits.ts";
import type { ThreadSnapshot } from "../telemetry/snapshot.ts";

const TASK_STAT_BYTES_MAX = 1024;

/** What is known of one thread now. */
export interface ThreadSign {
  /** Changes with every tick of the thread; 0 before the first. */
  heartbeat: number;
  /** Processor seconds that the thread has used; NaN where the system does not tell. */
  cpuSeconds: number;
}

export type ThreadVerdict = "alive" | "waits" | "spins";

interface Watched extends ThreadSign {
  looks: number;
}

export class ThreadWatch {
  private readonly watched = new Map<number, Watched>();

  /** One look at a thread, at an even pace. "waits" is said once for each silence. */
  look(thread: number, sign: ThreadSign): ThreadVerdict {
    const before = this.watched.get(thread);
    if (before === undefined || before.heartbeat !== sign.heartbeat || sign.heartbeat === 0) {
      this.watched.set(thread, { ...sign, looks: 0 });
      return "alive";
    }
    before.looks++;
    if (before.looks < THREAD_SILENT_LOOKS_MAX) return "alive";
    // Where nobody tells its processor time, a silence four times as long has to do.
    const spins = Number.isNaN(sign.cpuSeconds - before.cpuSeconds)
      ? before.looks >= 4 * THREAD_SILENT_LOOKS_MAX
      : sign.cpuSeconds - before.cpuSeconds >= THREAD_SPIN_CPU_S_MIN;
    if (spins) {
      this.watched.delete(thread);
      return "spins";
    }
    return before.looks === THREAD_SILENT_LOOKS_MAX ? "waits" : "alive";
  }
}

export function readThreadSign(files: OsFiles, { fields }: ThreadSnapshot): ThreadSign {
  const stat = parseTaskStat(files.readText(`/proc/self/task/${fields.threadId}/stat`, TASK_STAT_BYTES_MAX));
  return { heartbeat: fields.heartbeatMs, cpuSeconds: stat?.cpuSeconds ?? Number.NaN };
}
