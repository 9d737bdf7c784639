// GET /stats of a Tidemark, reduced to what the diagnosis uses. Pure: from parsed JSON of unknown make, so from a newer
// or an older server too, to a sample; a figure that is not there is null, and a body that is no Tidemark's is null whole.

import type { StatsSample } from "./sample.ts";

/** Null where this is not the answer of a Tidemark. */
export function reduceStats(body: unknown): StatsSample | null {
  const received = numberAt(body, "accounting", "received");
  const stored = numberAt(body, "accounting", "stored");
  const version = at(body, "version");
  if (typeof version !== "string" || received === null || stored === null) return null;
  const threads = at(body, "threads");
  const queue = nearestLane(body, "queue");
  const memory = nearestLane(body, "memory");
  return {
    version,
    ack: ackOf(at(body, "settings", "ack")),
    received,
    stored,
    rejected: numbersIn(at(body, "accounting", "rejected")),
    inFlight: numberAt(body, "accounting", "in_flight"),
    connectionsOpen: numberAt(body, "connections", "open"),
    connectionsLimit: numberAt(body, "connections", "limit"),
    connectionsRefused: numberAt(body, "connections", "refused"),
    descriptorsUsed: numberAt(body, "descriptors", "used"),
    descriptorsSoft: numberAt(body, "descriptors", "soft"),
    descriptorsHard: numberAt(body, "descriptors", "hard"),
    acceptQueueMax: numberAt(body, "accept_queue", "max_length"),
    acceptQueueCap: numberAt(body, "accept_queue", "cap"),
    acceptQueueAsked: numberAt(body, "accept_queue", "asked"),
    somaxconn: numberAt(body, "accept_queue", "somaxconn"),
    queueBytes: queue?.used ?? numberAt(body, "queue", "bytes"),
    queueBytesLimit: queue?.limit ?? numberAt(body, "queue", "bytes_limit"),
    queueOldestWaitMs: numberAt(body, "queue", "oldest_wait_ms"),
    memoryUsedBytes: memory?.used ?? numberAt(body, "memory", "budget_used_bytes"),
    memoryBudgetBytes: memory?.limit ?? numberAt(body, "memory", "budget_bytes"),
    residentBytes: numberAt(body, "memory", "resident_bytes"),
    gcPauseMs: numberAt(body, "memory", "gc_pause_ms"),
    eventLoopLagMs: Array.isArray(threads) ? largest(threads, "event_loop_lag_ms") : null,
    threads: Array.isArray(threads) ? threads.length : 0,
    commits: numberAt(body, "commit", "commits") ?? 0,
    writeFailures: numberAt(body, "commit", "write_failures") ?? 0,
    writeMsTotal: totalOf(at(body, "commit", "write_ms")),
    writeMsP99: numberAt(body, "commit", "write_ms", "p99"),
    batchesPerCommitMean: numberAt(body, "commit", "batches", "mean"),
    syncs: numberAt(body, "sync", "syncs") ?? 0,
    syncFailures: numberAt(body, "sync", "sync_failures") ?? 0,
    syncMsTotal: totalOf(at(body, "sync", "sync_ms")),
    syncMsP99: numberAt(body, "sync", "sync_ms", "p99"),
    diskState: textOf(at(body, "disk", "state")),
    diskFreeBytes: numberAt(body, "disk", "free_bytes"),
    diskTotalBytes: numberAt(body, "disk", "total_bytes"),
    stagesMs: stagesOf(at(body, "latency_ms")),
  };
}

/** A Tidemark's settings as it tells them; null where there are none. */
export function settingsOf(body: unknown): Readonly<Record<string, unknown>> | null {
  const settings = at(body, "settings");
  return isObject(settings) ? settings : null;
}

/** "tidemark 0.1.0 (bun 1.4.5)". */
export function softwareOf(body: unknown): string {
  const runtime = textOf(at(body, "runtime"));
  return `tidemark ${textOf(at(body, "version")) ?? ""}${runtime === null ? "" : ` (${runtime})`}`;
}

const ACK_NAMES = ["", "accepted", "written", "synced"];

function ackOf(ack: unknown): string | null {
  return typeof ack === "number" ? (ACK_NAMES[ack] ?? null) : textOf(ack);
}

/** Of a limit that each lane has its own share of: the one nearest to it, which the sums over the lanes would hide. */
function nearestLane(body: unknown, id: string): { used: number | null; limit: number | null } | null {
  const limits = at(body, "headroom", "limits");
  if (!Array.isArray(limits)) return null;
  const found = limits.find((entry) => at(entry, "id") === id);
  const used = numberAt(found, "used");
  return used === null ? null : { used, limit: numberAt(found, "limit") };
}

/** Count × mean. Nothing counted is nothing spent. */
function totalOf(distribution: unknown): number | null {
  const count = numberAt(distribution, "count");
  if (count === 0) return 0;
  const mean = numberAt(distribution, "mean");
  return count === null || mean === null ? null : count * mean;
}

function stagesOf(latency: unknown): StatsSample["stagesMs"] {
  const stages: Record<string, { count: number; mean: number | null }> = {};
  if (!isObject(latency)) return stages;
  for (const [stage, distribution] of Object.entries(latency)) {
    const count = numberAt(distribution, "count");
    if (count !== null) stages[stage] = { count, mean: numberAt(distribution, "mean") };
  }
  return stages;
}

function numbersIn(body: unknown): Record<string, number> {
  const numbers: Record<string, number> = {};
  if (isObject(body))
    for (const [key, value] of Object.entries(body)) if (typeof value === "number") numbers[key] = value;
  return numbers;
}

function largest(entries: readonly unknown[], key: string): number | null {
  const known = entries.map((entry) => numberAt(entry, key)).filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function numberAt(body: unknown, ...keys: readonly string[]): number | null {
  const value = at(body, ...keys);
  if (value === "unlimited") return Number.POSITIVE_INFINITY;
  return typeof value === "number" ? value : null;
}

function at(body: unknown, ...keys: readonly string[]): unknown {
  let value = body;
  for (const key of keys) value = isObject(value) ? value[key] : undefined;
  return value;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
