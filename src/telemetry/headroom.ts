// How far the server is from each limit that could stop it, and which is the nearest: pure, from the figures that every
// reader has. A limit that is per thread (queue, memory, CPU) is told by the thread that is nearest to it, for one full
// lane already answers 503. What is unknown on either side has no ratio and is never the nearest.

import type { FieldName } from "./counters.layout.ts";
import type { ProbeSnapshot, Snapshot } from "./snapshot.ts";

export type LimitId =
  | "descriptors"
  | "connections"
  | "accept_queue"
  | "queue"
  | "memory"
  | "disk"
  | "cpu_thread"
  | "cpu_cores"
  | "cpu_quota";

export interface LimitUse {
  id: LimitId;
  /** In `unit`; NaN where unknown. */
  used: number;
  /** NaN where unknown, Infinity where there is none. */
  limit: number;
  unit: "descriptors" | "connections" | "bytes" | "cores";
  /** used / limit: 0 idle, 1 at the limit; NaN where unknown. */
  ratio: number;
  /** The ingest thread nearest to the limit, where the limit is per thread. */
  thread: number | null;
}

export interface Headroom {
  /** Null while no limit is known. */
  nearest: LimitUse | null;
  limits: LimitUse[];
}

export function headroomOf(snapshot: Snapshot, probe: ProbeSnapshot): Headroom {
  const { figures } = probe;
  const diskUsed = figures.diskTotalBytes - figures.diskFreeBytes;
  const limits: LimitUse[] = [
    use("descriptors", "descriptors", figures.descriptorsUsed, figures.descriptorsSoft),
    use("connections", "connections", snapshot.fields.connectionsOpen, snapshot.fields.connectionsMax),
    use("accept_queue", "connections", figures.acceptQueueLengthMax, figures.acceptQueueCap),
    nearestThread("queue", "bytes", snapshot, "queueBytes", "queueBytesMax"),
    nearestThread("memory", "bytes", snapshot, "memoryBytesUsed", "memoryBytesMax"),
    use("disk", "bytes", diskUsed, figures.diskTotalBytes),
    busiestThread(probe),
    use("cpu_cores", "cores", figures.coresBusy, figures.coresAllowed),
    use("cpu_quota", "cores", figures.processCpuRatio, figures.cpuQuotaCores),
  ];
  return { nearest: nearestOf(limits), limits };
}

function nearestThread(
  id: LimitId,
  unit: LimitUse["unit"],
  snapshot: Snapshot,
  used: FieldName,
  limit: FieldName,
): LimitUse {
  const threads = snapshot.threads.map(({ fields, thread }) =>
    use(id, unit, fields[used], fields[limit], thread),
  );
  return nearestOf(threads) ?? use(id, unit, snapshot.fields[used], Number.NaN);
}

function busiestThread(probe: ProbeSnapshot): LimitUse {
  const threads = probe.threads.map(({ cpuRatio }, thread) =>
    use("cpu_thread", "cores", cpuRatio, 1, thread),
  );
  return nearestOf(threads) ?? use("cpu_thread", "cores", Number.NaN, 1);
}

function nearestOf(uses: LimitUse[]): LimitUse | null {
  let nearest: LimitUse | null = null;
  for (const each of uses) if (each.ratio > (nearest?.ratio ?? -1)) nearest = each;
  return nearest;
}

/** A limit of 0 is one that nobody has set yet: not known. */
function use(id: LimitId, unit: LimitUse["unit"], used: number, limit: number, thread?: number): LimitUse {
  const known = limit > 0 ? limit : Number.NaN;
  return { id, used, limit: known, unit, ratio: used / known, thread: thread ?? null };
}
