// The names under which GET /metrics shows single figures, with their help and where each is read: a table and nothing
// else. Names follow Prometheus: base units, _total for what only grows. docs/stats.md tells the same figures as JSON.

import type { ProbeThreadField } from "./counters.layout.ts";
import type { FollowerSnapshot } from "./follower-figures.layout.ts";
import type { ForwardSnapshot } from "./forward-figures.layout.ts";
import type { ProbeSnapshot, Snapshot, ThreadSnapshot } from "./snapshot.ts";

export interface Figure<From> {
  name: string;
  type: "counter" | "gauge";
  help: string;
  /** NaN where not known. */
  read(from: From): number;
}

type Server = Pick<Snapshot, "account" | "fields"> & Pick<ProbeSnapshot, "figures">;
type Thread = ThreadSnapshot & { cpu: Record<ProbeThreadField, number> };

export const REASONS_METRIC = {
  name: "tidemark_batches_rejected_total",
  type: "counter",
  help: "Batches refused, by reason; nothing of them is stored.",
} as const;

export const SERVER_FIGURES: readonly Figure<Server>[] = [
  // accounting
  counter(
    "tidemark_batches_received_total",
    "Batches decided: stored plus rejected.",
    (of) => of.account.received,
  ),
  counter("tidemark_batches_stored_total", "Batches stored.", (of) => of.account.stored),
  counter("tidemark_metrics_stored_total", "Metrics stored.", (of) => of.account.metricsStored),
  counter("tidemark_stored_bytes_total", "Bytes of lines stored.", (of) => of.account.bytesStored),
  gauge(
    "tidemark_batches_in_flight",
    "Batches read and not yet answered.",
    (of) => of.fields.inFlightBatches,
  ),
  counter(
    "tidemark_accepted_metrics_lost_total",
    "Metrics answered at level accepted that the log refused afterwards.",
    (of) => of.fields.acceptedMetricsLost,
  ),
  gauge("tidemark_ready", "1 when every thread takes batches.", (of) => of.fields.ready),
  // requests and connections
  counter("tidemark_requests_total", "Requests of all routes.", (of) => of.fields.requests),
  counter(
    "tidemark_connections_accepted_total",
    "Connections accepted.",
    (of) => of.fields.connectionsAccepted,
  ),
  counter(
    "tidemark_connections_refused_total",
    "Connections refused at --connections-max.",
    (of) => of.fields.connectionsRefused,
  ),
  counter(
    "tidemark_connections_reclaimed_total",
    "Idle connections closed to make room at --connections-max.",
    (of) => of.fields.connectionsReclaimed,
  ),
  counter(
    "tidemark_tls_handshakes_failed_total",
    "Connections that ended without a finished TLS handshake.",
    (of) => of.fields.tlsHandshakesFailed,
  ),
  gauge("tidemark_connections_open", "Connections open.", (of) => of.fields.connectionsOpen),
  gauge("tidemark_connections_limit", "Connections that may be open.", (of) =>
    unset(of.fields.connectionsMax),
  ),
  counter("tidemark_read_bytes_total", "Bytes read from connections.", (of) => of.fields.bytesRead),
  counter("tidemark_written_bytes_total", "Bytes written to connections.", (of) => of.fields.bytesWritten),
  // queue, memory, log
  gauge("tidemark_queue_bytes", "Bytes of lines that wait to be written.", (of) => of.fields.queueBytes),
  gauge("tidemark_queue_limit_bytes", "Bytes of lines that may wait.", (of) =>
    unset(of.fields.queueBytesMax),
  ),
  gauge(
    "tidemark_queue_oldest_wait_seconds",
    "Age of the oldest batch that waits.",
    (of) => of.fields.oldestWaitMs / 1e3,
  ),
  gauge(
    "tidemark_memory_budget_used_bytes",
    "Bytes in flight, of the budget --memory-max.",
    (of) => of.fields.memoryBytesUsed,
  ),
  gauge("tidemark_memory_budget_bytes", "The budget for bytes in flight.", (of) =>
    unset(of.fields.memoryBytesMax),
  ),
  counter("tidemark_commits_total", "Group commits.", (of) => of.fields.commits),
  counter("tidemark_commit_bytes_total", "Bytes written by group commits.", (of) => of.fields.commitBytes),
  counter("tidemark_syncs_total", "Calls of fdatasync.", (of) => of.fields.syncs),
  counter("tidemark_write_failures_total", "Writes of the log that failed.", (of) => of.fields.writeFailures),
  counter("tidemark_sync_failures_total", "Calls of fdatasync that failed.", (of) => of.fields.syncFailures),
  gauge("tidemark_log_segments", "Segments of the log on disk.", (of) => of.fields.segments),
  gauge("tidemark_log_bytes", "Bytes of the log on disk.", (of) => of.fields.logBytes),
  gauge(
    "tidemark_quarantined_bytes",
    "Bytes that recovery cut off or took out and kept aside.",
    (of) => of.fields.quarantinedBytes + (of.figures.mainQuarantinedBytes || 0),
  ),
  gauge(
    "tidemark_damaged_records",
    "Commits whose bytes were not what had been written, found by recovery or the scrub.",
    (of) => of.fields.damagedRecords + (of.figures.mainDamagedRecords || 0),
  ),
  counter(
    "tidemark_scrubbed_bytes_total",
    "Bytes of sealed segments that the scrub has read.",
    (of) => of.figures.scrubbedBytes,
  ),
  counter(
    "tidemark_scrub_rounds_total",
    "Rounds of the scrub through all sealed segments.",
    (of) => of.figures.scrubRounds,
  ),
  gauge(
    "tidemark_disk_state",
    "State of the log's disk: 0 ok, 1 full, 2 error.",
    (of) => of.fields.diskState,
  ),
  // the operating system
  gauge("tidemark_descriptors_used", "File descriptors open.", (of) => of.figures.descriptorsUsed),
  gauge(
    "tidemark_descriptors_soft_limit",
    "Soft limit of file descriptors.",
    (of) => of.figures.descriptorsSoft,
  ),
  gauge(
    "tidemark_descriptors_hard_limit",
    "Hard limit of file descriptors.",
    (of) => of.figures.descriptorsHard,
  ),
  gauge(
    "tidemark_accept_queue_length",
    "Connections that wait to be accepted, all sockets.",
    (of) => of.figures.acceptQueueLength,
  ),
  gauge(
    "tidemark_accept_queue_length_max",
    "Connections that wait to be accepted, fullest socket.",
    (of) => of.figures.acceptQueueLengthMax,
  ),
  gauge(
    "tidemark_accept_queue_limit",
    "Connections that may wait on one socket.",
    (of) => of.figures.acceptQueueCap,
  ),
  counter(
    "tidemark_listen_overflows_total",
    "Connections lost to a full accept queue, whole network namespace.",
    (of) => of.figures.listenOverflows,
  ),
  counter(
    "tidemark_listen_drops_total",
    "Connections dropped by listening sockets, whole network namespace.",
    (of) => of.figures.listenDrops,
  ),
  gauge(
    "tidemark_time_wait_sockets",
    "Sockets in TIME-WAIT, whole network namespace.",
    (of) => of.figures.timeWaitSockets,
  ),
  gauge("tidemark_resident_bytes", "Resident memory.", (of) => of.figures.residentBytes),
  gauge("tidemark_resident_peak_bytes", "Most resident memory so far.", (of) => of.figures.residentBytesMax),
  counter("tidemark_cpu_seconds_total", "CPU time of the process.", (of) => of.figures.processCpuSeconds),
  gauge("tidemark_cores_allowed", "Cores the process may run on.", (of) => of.figures.coresAllowed),
  gauge(
    "tidemark_cores_busy",
    "Of those, busy in the last second with anyone's work.",
    (of) => of.figures.coresBusy,
  ),
  gauge(
    "tidemark_cpu_quota_cores",
    "CPU quota of the control group, in cores.",
    (of) => of.figures.cpuQuotaCores,
  ),
  counter(
    "tidemark_cpu_throttled_seconds_total",
    "Time the quota held threads back.",
    (of) => of.figures.cpuThrottledMs / 1e3,
  ),
  counter(
    "tidemark_pressure_cpu_seconds_total",
    "Time some task of the machine waited for CPU.",
    (of) => of.figures.pressureCpuMs / 1e3,
  ),
  counter(
    "tidemark_pressure_io_seconds_total",
    "Time some task of the machine waited for I/O.",
    (of) => of.figures.pressureIoMs / 1e3,
  ),
  counter(
    "tidemark_pressure_memory_seconds_total",
    "Time some task of the machine waited for memory.",
    (of) => of.figures.pressureMemoryMs / 1e3,
  ),
  gauge("tidemark_disk_free_bytes", "Room left on the log's file system.", (of) => of.figures.diskFreeBytes),
  gauge("tidemark_disk_total_bytes", "Room of the log's file system.", (of) => of.figures.diskTotalBytes),
];

export const REPLICATION_FIGURES: readonly Figure<FollowerSnapshot>[] = [
  gauge("tidemark_replication_flowing", "1 when the stream takes blocks.", (of) => of.isFlowing),
  counter("tidemark_replication_blocks_total", "Blocks that the stream has acknowledged.", (of) => of.blocks),
  counter("tidemark_replication_lines_total", "Lines in those blocks.", (of) => of.lines),
  counter("tidemark_replication_bytes_total", "Bytes of those lines.", (of) => of.bytes),
  counter(
    "tidemark_replication_message_bytes_total",
    "Bytes of those blocks as they were sent, compressed.",
    (of) => of.messageBytes,
  ),
  counter(
    "tidemark_replication_duplicates_total",
    "Blocks that the stream had already when they came.",
    (of) => of.duplicates,
  ),
  counter("tidemark_replication_retries_total", "Blocks that had to be sent again.", (of) => of.retries),
  counter(
    "tidemark_replication_lines_set_aside_total",
    "Lines too large for the servers, kept in dead-letter/.",
    (of) => of.linesSetAside,
  ),
  counter(
    "tidemark_replication_lines_sent_again_total",
    "Lines that the stream had acknowledged and lost.",
    (of) => of.linesSentAgain,
  ),
  gauge(
    "tidemark_replication_fresh_lag_seconds",
    "Age of the oldest fresh line that is not in the stream.",
    (of) => of.freshLagMs / 1e3,
  ),
  gauge("tidemark_replication_lines_behind", "Lines that are not in the stream yet.", (of) => of.linesBehind),
  gauge(
    "tidemark_replication_lines_late",
    "Of those, lines of an outage, which go behind the fresh ones.",
    (of) => of.linesLate,
  ),
  gauge(
    "tidemark_replication_lines_unchecked",
    "Lines that the stream has acknowledged and no drain's store is known to have for good.",
    (of) => of.linesUnchecked,
  ),
];

/** Under the names that the forwarder itself sends along and `tidemark forward --listen` shows. */
export const FORWARD_FIGURES: readonly Figure<ForwardSnapshot>[] = [
  gauge("tidemark_forward_up", "1 when the store takes samples.", (of) => of.isFlowing),
  gauge("tidemark_forward_lag_lines", "Lines that the store has not taken yet.", (of) => of.lagLines),
  gauge("tidemark_forward_lag_ms", "Age of the oldest line under way, by its timestamp.", (of) => of.lagMs),
  counter("tidemark_forward_samples_total", "Samples that the store has taken.", (of) => of.samples),
  counter("tidemark_forward_requests_total", "Requests to the store.", (of) => of.requests),
  counter("tidemark_forward_retries_total", "Requests that were tried again.", (of) => of.retries),
  counter("tidemark_forward_resends_total", "Times that the store had been away.", (of) => of.resends),
  counter("tidemark_forward_sent_bytes_total", "Bodies of requests, compressed.", (of) => of.sentBytes),
  counter(
    "tidemark_forward_dead_letters_total",
    "Lines set aside because the store refuses them.",
    (of) => of.deadLetters,
  ),
  counter(
    "tidemark_forward_dropped_letter_files_total",
    "Files of dead letters deleted to make room.",
    (of) => of.droppedLetterFiles,
  ),
];

export const THREAD_FIGURES: readonly Figure<Thread>[] = [
  counter(
    "tidemark_thread_batches_received_total",
    "Batches decided, by ingest thread.",
    (of) => of.account.received,
  ),
  gauge(
    "tidemark_thread_connections_open",
    "Connections open, by ingest thread.",
    (of) => of.fields.connectionsOpen,
  ),
  counter("tidemark_thread_restarts_total", "Times the thread was replaced.", (of) => of.fields.restarts),
  gauge(
    "tidemark_thread_event_loop_lag_seconds",
    "Longest event-loop lag of the last second.",
    (of) => of.fields.eventLoopLagMs / 1e3,
  ),
  gauge(
    "tidemark_thread_heartbeat_seconds",
    "Last sign of life, seconds since 1970.",
    (of) => unset(of.fields.heartbeatMs) / 1e3,
  ),
  counter("tidemark_thread_cpu_seconds_total", "CPU time, by ingest thread.", (of) => of.cpu.cpuSeconds),
  gauge("tidemark_thread_cpu_ratio", "Share of one core in the last second.", (of) => of.cpu.cpuRatio),
  gauge(
    "tidemark_thread_cpu_wait_ratio",
    "Share of the last second the thread was ready and had no core.",
    (of) => of.cpu.waitRatio,
  ),
];

function counter<From>(name: string, help: string, read: (from: From) => number): Figure<From> {
  return { name, type: "counter", help, read };
}

function gauge<From>(name: string, help: string, read: (from: From) => number): Figure<From> {
  return { name, type: "gauge", help, read };
}

/** A limit or time that no thread has set yet is 0, which means not known. */
function unset(value: number): number {
  return value === 0 ? Number.NaN : value;
}
