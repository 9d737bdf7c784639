// The answer of GET /stats: everything the server knows of itself, as JSON. Pure; docs/stats.md says what each key
// means, and a test holds the two together. null is "not known here", "unlimited" is "known to have no limit".

import type { Histogram } from "../base/histogram.ts";
import { REFUSALS } from "../errors.ts";
import { PROBE_INTERVAL_MS, STAGE_SAMPLE_EVERY } from "../limits.ts";
import { DISK_STATE, STAGES } from "./counters.layout.ts";
import type { FollowerSnapshot } from "./follower-figures.layout.ts";
import type { ForwardSnapshot } from "./forward-figures.layout.ts";
import { headroomOf, type LimitUse } from "./headroom.ts";
import type { ProbeSnapshot, Snapshot } from "./snapshot.ts";

export type SettingValue = string | number | boolean | null | readonly string[];

/** What is constant while the server runs. */
export interface StatsSettings {
  version: string;
  /** Such as "bun 1.4.5". */
  runtime: string;
  /** Milliseconds since 1970. */
  startedAtMs: number;
  /** The operator's settings by flag name. Secrets are the caller's to leave out; see hideSecrets. */
  settings: Readonly<Record<string, SettingValue>>;
  /** What the thread that replicates the log tells; null where there is none. */
  replication: FollowerSnapshot | null;
  /** What the thread that forwards the log tells; null where there is none. */
  forwarding: ForwardSnapshot | null;
}

export type Stats = ReturnType<typeof buildStats>;

export function buildStats(snapshot: Snapshot, probe: ProbeSnapshot, settings: StatsSettings) {
  const { account, fields, histograms } = snapshot;
  const { figures } = probe;
  const headroom = headroomOf(snapshot, probe);
  return {
    version: settings.version,
    runtime: settings.runtime,
    started_at_ms: settings.startedAtMs,
    uptime_s: (snapshot.readAtMs - settings.startedAtMs) / 1e3,
    ready: fields.ready === 1,
    headroom: {
      nearest: headroom.nearest?.id ?? null,
      limits: headroom.limits.map(limitStats),
    },
    settings: hideSecrets(settings.settings),
    accounting: {
      received: account.received,
      stored: account.stored,
      rejected: Object.fromEntries(REFUSALS.map(({ reason }, index) => [reason, account.rejected[index]!])),
      in_flight: fields.inFlightBatches,
      accepted_metrics_lost: fields.acceptedMetricsLost,
    },
    metrics_stored: account.metricsStored,
    bytes_stored: account.bytesStored,
    requests: fields.requests,
    latency_ms: {
      sampled_one_in: STAGE_SAMPLE_EVERY,
      ...(Object.fromEntries(STAGES.map((stage) => [stage, milliseconds(histograms[stage])])) as Record<
        (typeof STAGES)[number],
        Distribution
      >),
    },
    commit: {
      commits: fields.commits,
      bytes: fields.commitBytes,
      write_ms: milliseconds(histograms.write),
      batches: distribution(histograms.batchesPerCommit, 1),
      write_failures: fields.writeFailures,
    },
    sync: {
      syncs: fields.syncs,
      sync_ms: milliseconds(histograms.sync),
      sync_failures: fields.syncFailures,
    },
    log: {
      segments: fields.segments,
      bytes: fields.logBytes,
      quarantined_bytes: fields.quarantinedBytes + (figures.mainQuarantinedBytes || 0),
      damaged_records: fields.damagedRecords + (figures.mainDamagedRecords || 0),
      scrubbed_bytes: known(figures.scrubbedBytes),
      scrub_rounds: known(figures.scrubRounds),
    },
    replication: settings.replication === null ? null : replicationStats(settings.replication),
    forwarding: settings.forwarding === null ? null : forwardingStats(settings.forwarding),
    connections: {
      open: fields.connectionsOpen,
      limit: known(fields.connectionsMax || Number.NaN),
      accepted: fields.connectionsAccepted,
      refused: fields.connectionsRefused,
      reclaimed: fields.connectionsReclaimed,
      tls_handshakes_failed: fields.tlsHandshakesFailed,
      bytes_read: fields.bytesRead,
      bytes_written: fields.bytesWritten,
    },
    queue: {
      bytes: fields.queueBytes,
      bytes_limit: known(fields.queueBytesMax || Number.NaN),
      oldest_wait_ms: fields.oldestWaitMs,
    },
    memory: {
      budget_used_bytes: fields.memoryBytesUsed,
      budget_bytes: known(fields.memoryBytesMax || Number.NaN),
      resident_bytes: known(figures.residentBytes),
      resident_peak_bytes: known(figures.residentBytesMax),
      gc_pause_ms: null, // neither runtime tells a worker of its collections at a price we would pay
    },
    descriptors: {
      used: known(figures.descriptorsUsed),
      soft: known(figures.descriptorsSoft),
      hard: known(figures.descriptorsHard),
    },
    accept_queue: {
      sockets: known(figures.listeningSockets),
      length: known(figures.acceptQueueLength),
      max_length: known(figures.acceptQueueLengthMax),
      cap: known(figures.acceptQueueCap),
      asked: known(figures.acceptQueueAsked),
      somaxconn: known(figures.somaxconn),
      overflows: known(figures.listenOverflows),
      drops: known(figures.listenDrops),
    },
    cpu: {
      process_s: known(figures.processCpuSeconds),
      process_ratio: known(figures.processCpuRatio),
      cores_allowed: known(figures.coresAllowed),
      cores_busy: known(figures.coresBusy),
      quota_cores: known(figures.cpuQuotaCores),
      periods: known(figures.cpuPeriods),
      throttled_periods: known(figures.cpuPeriodsThrottled),
      throttled_ms: known(figures.cpuThrottledMs),
      busiest_other_thread: {
        id: known(figures.busiestOtherId),
        name: probe.busiestOtherName === "" ? null : probe.busiestOtherName,
        ratio: known(figures.busiestOtherCpuRatio),
      },
    },
    pressure: {
      cpu_ratio: known(figures.pressureCpuRatio),
      cpu_ms: known(figures.pressureCpuMs),
      io_ratio: known(figures.pressureIoRatio),
      io_ms: known(figures.pressureIoMs),
      memory_ratio: known(figures.pressureMemoryRatio),
      memory_ms: known(figures.pressureMemoryMs),
    },
    network: { time_wait_sockets: known(figures.timeWaitSockets) },
    disk: {
      state: diskStateName(fields.diskState),
      free_bytes: known(figures.diskFreeBytes),
      total_bytes: known(figures.diskTotalBytes),
    },
    threads: snapshot.threads.map((thread) => threadStats(thread, probe, snapshot.readAtMs)),
    probe: {
      every_ms: PROBE_INTERVAL_MS,
      age_ms: known(snapshot.readAtMs - figures.readAtMs),
      took_ms: known(figures.probeMs),
    },
  };
}

function replicationStats(figures: FollowerSnapshot) {
  return {
    flowing: figures.isFlowing === 1,
    blocks: known(figures.blocks),
    lines: known(figures.lines),
    bytes: known(figures.bytes),
    message_bytes: known(figures.messageBytes),
    duplicates: known(figures.duplicates),
    retries: known(figures.retries),
    lines_set_aside: known(figures.linesSetAside),
    lines_sent_again: known(figures.linesSentAgain),
    fresh_lag_ms: known(figures.freshLagMs),
    lines_behind: known(figures.linesBehind),
    lines_late: known(figures.linesLate),
    lines_unchecked: known(figures.linesUnchecked),
  };
}

function forwardingStats(figures: ForwardSnapshot) {
  return {
    flowing: figures.isFlowing === 1,
    samples: known(figures.samples),
    lag_lines: known(figures.lagLines),
    lag_ms: known(figures.lagMs),
    requests: known(figures.requests),
    retries: known(figures.retries),
    resends: known(figures.resends),
    sent_bytes: known(figures.sentBytes),
    dead_letters: known(figures.deadLetters),
    dropped_letter_files: known(figures.droppedLetterFiles),
  };
}

/** A setting whose name speaks of a secret is shown as set or not, whatever it holds: the second lock on that door. */
export function hideSecrets(settings: Readonly<Record<string, SettingValue>>): Record<string, SettingValue> {
  const entries = Object.entries(settings).map(([key, value]) => {
    if (!/token|secret|password|authorization/i.test(key)) return [key, value];
    const isSet = Array.isArray(value) ? value.length > 0 : value !== null && value !== "" && value !== false;
    return [key, isSet ? "set" : "none"];
  });
  return Object.fromEntries(entries);
}

function threadStats(thread: Snapshot["threads"][number], probe: ProbeSnapshot, nowMs: number) {
  const { account, fields } = thread;
  const cpu = probe.threads[thread.thread]!;
  return {
    thread: thread.thread,
    os_thread_id: fields.threadId === 0 ? null : fields.threadId,
    ready: fields.ready === 1,
    started_at_ms: fields.startedAtMs === 0 ? null : fields.startedAtMs,
    heartbeat_age_ms: fields.heartbeatMs === 0 ? null : nowMs - fields.heartbeatMs,
    restarts: fields.restarts,
    received: account.received,
    stored: account.stored,
    metrics_stored: account.metricsStored,
    in_flight: fields.inFlightBatches,
    connections_open: fields.connectionsOpen,
    requests: fields.requests,
    queue_bytes: fields.queueBytes,
    oldest_wait_ms: fields.oldestWaitMs,
    event_loop_lag_ms: fields.eventLoopLagMs,
    disk_state: diskStateName(fields.diskState),
    cpu_s: known(cpu.cpuSeconds),
    cpu_ratio: known(cpu.cpuRatio),
    cpu_wait_ratio: known(cpu.waitRatio),
  };
}

function limitStats(use: LimitUse) {
  const { id, unit, thread } = use;
  return { id, used: known(use.used), limit: known(use.limit), unit, ratio: known(use.ratio), thread };
}

export interface Distribution {
  count: number;
  mean: number | null;
  p50: number | null;
  p90: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

function milliseconds(histogram: Histogram): Distribution {
  return distribution(histogram, 1e6);
}

/** Values divided by `divisor`; a percentile is at most 1/16 above the true one. */
function distribution(histogram: Histogram, divisor: number): Distribution {
  const scaled = (value: number) => (Number.isNaN(value) ? null : value / divisor);
  return {
    count: histogram.count(),
    mean: scaled(histogram.mean()),
    p50: scaled(histogram.percentile(0.5)),
    p90: scaled(histogram.percentile(0.9)),
    p99: scaled(histogram.percentile(0.99)),
    p999: scaled(histogram.percentile(0.999)),
    max: scaled(histogram.max()),
  };
}

function diskStateName(state: number): "ok" | "full" | "error" {
  if (state === DISK_STATE.full) return "full";
  return state === DISK_STATE.ok ? "ok" : "error";
}

function known(value: number): number | "unlimited" | null {
  if (Number.isNaN(value)) return null;
  return value === Number.POSITIVE_INFINITY ? "unlimited" : value;
}
