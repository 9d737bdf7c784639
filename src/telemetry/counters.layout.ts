// The shared memory in which the server tells of itself: one region for each ingest thread, written without locks by
// that thread alone, one for the probe on the main thread; every thread may read all of it.
//
//   0      header      Int32: number of threads                                                   (one line of 128 bytes)
//   128    probe       lock │ PROBE_FIELDS │ PROBE_THREAD_FIELDS × threads │ name of a busy thread, 16 bytes
//   …      thread 0    lock │ account      │ FIELDS                        │ HISTOGRAMS × HISTOGRAM_WORDS
//   …      thread 1    lock │ account      │ FIELDS                        │ HISTOGRAMS × HISTOGRAM_WORDS
//
// Each part starts on its own 128 bytes (two cache lines: processors fetch them in pairs), so writers never share one.
// A lock is a version word: odd while its owner writes. The account (received = stored + Σ rejected) is written under
// it with Atomics, which orders the whole on every processor, the 8 bytes of a number in one store (as a BigInt): a copy
// taken in the middle of a write has each number as it was or as it will be, and none of them half. Fields and
// histograms are plain 8-byte numbers: each is right by itself (an aligned 8-byte store is one store on 64-bit
// machines), a set is not.

import { assert } from "../base/assert.ts";
import { HISTOGRAM_WORDS } from "../base/histogram.ts";
import { REFUSALS } from "../errors.ts";
import { THREADS_MAX } from "../limits.ts";

export type TelemetryMemory = SharedArrayBuffer;

/** Slots of the account; the reasons of REFUSALS follow, by index. */
export const ACCOUNT = { received: 0, stored: 1, metricsStored: 2, bytesStored: 3, rejected: 4 } as const;
export const ACCOUNT_SLOTS = ACCOUNT.rejected + REFUSALS.length;

/**
 * The plain numbers of a thread. `life` counter: only grows, and survives the thread's replacement; gauge: starts at
 * 0 with each thread. `over`: how the threads' figures make one for the server.
 */
export const FIELDS = [
  { name: "connectionsOpen", life: "gauge", over: "sum" },
  { name: "connectionsMax", life: "gauge", over: "max" }, // of the whole server: --connections-max
  { name: "connectionsAccepted", life: "counter", over: "sum" },
  { name: "connectionsRefused", life: "counter", over: "sum" },
  { name: "connectionsReclaimed", life: "counter", over: "sum" }, // idle ones, closed to make room for others
  { name: "tlsHandshakesFailed", life: "counter", over: "sum" },
  { name: "requests", life: "counter", over: "sum" }, // of all routes
  { name: "bytesRead", life: "counter", over: "sum" },
  { name: "bytesWritten", life: "counter", over: "sum" },
  { name: "queueBytes", life: "gauge", over: "sum" }, // lines in the lane that are not yet written
  { name: "queueBytesMax", life: "gauge", over: "sum" }, // what the lane's buffers hold
  { name: "inFlightBatches", life: "gauge", over: "sum" }, // read, not yet answered
  { name: "memoryBytesUsed", life: "gauge", over: "sum" }, // of the budget for bytes in flight
  { name: "memoryBytesMax", life: "gauge", over: "sum" }, // that budget
  { name: "acceptedMetricsLost", life: "counter", over: "sum" }, // answered at level accepted, then refused by the log
  { name: "oldestWaitMs", life: "gauge", over: "max" }, // age of the oldest batch in the lane
  { name: "commits", life: "counter", over: "sum" },
  { name: "commitBytes", life: "counter", over: "sum" },
  { name: "syncs", life: "counter", over: "sum" },
  { name: "writeFailures", life: "counter", over: "sum" },
  { name: "syncFailures", life: "counter", over: "sum" },
  { name: "segments", life: "gauge", over: "sum" },
  { name: "logBytes", life: "gauge", over: "sum" },
  { name: "quarantinedBytes", life: "counter", over: "sum" },
  { name: "damagedRecords", life: "counter", over: "sum" }, // found by recovery
  { name: "eventLoopLagMs", life: "gauge", over: "max" }, // longest of the last second
  { name: "diskState", life: "gauge", over: "max" }, // DISK_STATE
  { name: "ready", life: "gauge", over: "min" }, // 1 when the thread takes batches
  { name: "heartbeatMs", life: "gauge", over: "min" }, // milliseconds since 1970
  { name: "startedAtMs", life: "gauge", over: "min" }, // milliseconds since 1970
  { name: "threadId", life: "gauge", over: "max" }, // the operating system's number (gettid), 0 where unknown
  { name: "restarts", life: "counter", over: "sum" },
] as const;
export type FieldName = (typeof FIELDS)[number]["name"];
/** Index of a field, as the hot path names it. */
export const FIELD = indexed(FIELDS.map((field) => field.name));

export const DISK_STATE = { ok: 0, full: 1, error: 2 } as const;

/** Nanoseconds, except batchesPerCommit. Stages are sampled (one request in STAGE_SAMPLE_EVERY), the rest is not. */
export const STAGES = ["read", "admission", "decode", "queue", "commit", "answer", "total"] as const;
export const HISTOGRAMS = [...STAGES, "write", "sync", "batchesPerCommit"] as const;
export type StageName = (typeof STAGES)[number];
export type HistogramName = (typeof HISTOGRAMS)[number];

/** What the probe reads of the operating system. NaN: not known here. Infinity: known to have no limit. */
export const PROBE_FIELDS = [
  "readAtMs",
  "probeMs",
  "descriptorsUsed",
  "descriptorsSoft",
  "descriptorsHard",
  "residentBytes",
  "residentBytesMax",
  "processCpuSeconds",
  "processCpuRatio",
  "coresAllowed",
  "coresBusy",
  "busiestOtherId",
  "busiestOtherCpuRatio",
  "listeningSockets",
  "acceptQueueLength",
  "acceptQueueLengthMax",
  "acceptQueueAsked",
  "acceptQueueCap",
  "somaxconn",
  "listenOverflows",
  "listenDrops",
  "cpuQuotaCores",
  "cpuPeriods",
  "cpuPeriodsThrottled",
  "cpuThrottledMs",
  "pressureCpuRatio",
  "pressureIoRatio",
  "pressureMemoryRatio",
  "pressureCpuMs",
  "pressureIoMs",
  "pressureMemoryMs",
  "diskFreeBytes",
  "diskTotalBytes",
  "timeWaitSockets",
  "scrubbedBytes",
  "scrubRounds",
  "mainDamagedRecords", // by the scrub, and in lanes that no ingest thread owns
  "mainQuarantinedBytes",
] as const;
export type ProbeField = (typeof PROBE_FIELDS)[number];
export const PROBE_FIELD = indexed(PROBE_FIELDS);

/** What the probe reads of each ingest thread. `waitRatio`: share of the time it was ready and no core was free. */
export const PROBE_THREAD_FIELDS = ["cpuSeconds", "cpuRatio", "waitRatio"] as const;
export type ProbeThreadField = (typeof PROBE_THREAD_FIELDS)[number];
export const PROBE_THREAD_FIELD = indexed(PROBE_THREAD_FIELDS);

/** Bytes of a thread's name in Linux, the closing 0 included. */
export const THREAD_NAME_BYTES = 16;

const LINE_BYTES = 128;
const PROBE_OFFSET = LINE_BYTES;
const ACCOUNT_BYTES = aligned(ACCOUNT_SLOTS * 8);
const FIELDS_BYTES = aligned(FIELDS.length * 8);
const HISTOGRAM_BYTES = HISTOGRAM_WORDS * 8;
const THREAD_BYTES = LINE_BYTES + ACCOUNT_BYTES + FIELDS_BYTES + aligned(HISTOGRAMS.length * HISTOGRAM_BYTES);
const PROBE_FIELDS_BYTES = aligned(PROBE_FIELDS.length * 8);
const PROBE_THREAD_BYTES = PROBE_THREAD_FIELDS.length * 8;

export interface ThreadRegion {
  /** [0] version: odd while the account is written; [1] 1 once a thread has owned the region. */
  lock: Int32Array;
  /** The bits of the account's numbers, as Float64. */
  account: BigInt64Array;
  fields: Float64Array;
  /** By index in HISTOGRAMS. */
  histograms: Float64Array[];
}

export interface ProbeRegion {
  lock: Int32Array;
  figures: Float64Array;
  threads: Float64Array[];
  busiestOtherName: Uint8Array;
}

/** Memory for this many ingest threads, all counters 0 and all of the probe's figures unknown. */
export function allocateTelemetry(threads: number): TelemetryMemory {
  assert(
    Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX,
    "1 to THREADS_MAX ingest threads",
  );
  const memory = new SharedArrayBuffer(threadOffset(threads, threads));
  new Int32Array(memory, 0, 1)[0] = threads;
  const probe = probeRegion(memory);
  probe.figures.fill(Number.NaN);
  for (const thread of probe.threads) thread.fill(Number.NaN);
  return memory;
}

export function telemetryThreads(memory: TelemetryMemory): number {
  return new Int32Array(memory, 0, 1)[0]!;
}

export function threadRegion(memory: TelemetryMemory, thread: number): ThreadRegion {
  const threads = telemetryThreads(memory);
  assert(thread >= 0 && thread < threads, "the thread has a region");
  const offset = threadOffset(threads, thread);
  const fieldsOffset = offset + LINE_BYTES + ACCOUNT_BYTES;
  const histogramsOffset = fieldsOffset + FIELDS_BYTES;
  return {
    lock: new Int32Array(memory, offset, 2),
    account: new BigInt64Array(memory, offset + LINE_BYTES, ACCOUNT_SLOTS),
    fields: new Float64Array(memory, fieldsOffset, FIELDS.length),
    histograms: HISTOGRAMS.map(
      (_, index) => new Float64Array(memory, histogramsOffset + index * HISTOGRAM_BYTES, HISTOGRAM_WORDS),
    ),
  };
}

export function probeRegion(memory: TelemetryMemory): ProbeRegion {
  const threads = telemetryThreads(memory);
  const figuresOffset = PROBE_OFFSET + LINE_BYTES;
  const threadsOffset = figuresOffset + PROBE_FIELDS_BYTES;
  return {
    lock: new Int32Array(memory, PROBE_OFFSET, 2),
    figures: new Float64Array(memory, figuresOffset, PROBE_FIELDS.length),
    threads: Array.from(
      { length: threads },
      (_, index) =>
        new Float64Array(memory, threadsOffset + index * PROBE_THREAD_BYTES, PROBE_THREAD_FIELDS.length),
    ),
    busiestOtherName: new Uint8Array(memory, threadsOffset + threads * PROBE_THREAD_BYTES, THREAD_NAME_BYTES),
  };
}

/** Only the region's owner; never nested. */
export function beginWrite(lock: Int32Array): void {
  Atomics.add(lock, 0, 1);
}

export function endWrite(lock: Int32Array): void {
  Atomics.add(lock, 0, 1);
}

/** One number of the account, from its bits in a private array; between beginWrite and endWrite. */
export function storeSlot(account: BigInt64Array, bits: BigInt64Array, slot: number): void {
  Atomics.store(account, slot, bits[slot]!);
}

export function loadAccount(account: BigInt64Array, bits: BigInt64Array): void {
  for (let slot = 0; slot < ACCOUNT_SLOTS; slot++) bits[slot] = Atomics.load(account, slot);
}

/**
 * Copies under the lock: again until nothing was written meanwhile. False when the owner was in the middle of a write
 * all along (it lost its core there, or died there): then the copy may be torn, and the caller mends or drops it.
 */
export function copyConsistently(lock: Int32Array, copy: () => void): boolean {
  for (let attempt = 0; attempt < COPY_ATTEMPTS_MAX; attempt++) {
    const version = Atomics.load(lock, 0);
    if ((version & 1) !== 0) continue;
    copy();
    if (Atomics.load(lock, 0) === version) return true;
  }
  copy();
  return false;
}
/** A write takes well under a microsecond; this many looks take longer than any that has a core. */
const COPY_ATTEMPTS_MAX = 1_000;

/** Closes a write that its dead owner left open. True when the region had an owner before. Only the new owner. */
export function takeOverLock(lock: Int32Array): boolean {
  if ((Atomics.load(lock, 0) & 1) !== 0) Atomics.add(lock, 0, 1);
  return Atomics.exchange(lock, 1, 1) === 1;
}

function threadOffset(threads: number, thread: number): number {
  const probeBytes =
    LINE_BYTES + PROBE_FIELDS_BYTES + aligned(threads * PROBE_THREAD_BYTES + THREAD_NAME_BYTES);
  return PROBE_OFFSET + probeBytes + thread * THREAD_BYTES;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}

function indexed<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>;
}
