// What readers see of the counters: copies of the shared regions, per thread and summed, taken by any thread.
// A copy of an account is consistent (its lock says so); where a writer stopped in the middle of a write for longer
// than a reader will wait, `received` is taken from the other side, so received = stored + Σ rejected always holds.

import { Histogram } from "../base/histogram.ts";
import { REFUSALS } from "../errors.ts";
import {
  ACCOUNT,
  ACCOUNT_SLOTS,
  copyConsistently,
  FIELDS,
  type FieldName,
  HISTOGRAMS,
  type HistogramName,
  loadAccount,
  PROBE_FIELDS,
  PROBE_THREAD_FIELDS,
  type ProbeField,
  type ProbeThreadField,
  probeRegion,
  type TelemetryMemory,
  type ThreadRegion,
  telemetryThreads,
  threadRegion,
} from "./counters.layout.ts";
import { receivedOf } from "./thread-counters.ts";

/** All in batches, except metricsStored and bytesStored. */
export interface Account {
  received: number;
  stored: number;
  /** By index in REFUSALS. */
  rejected: number[];
  metricsStored: number;
  bytesStored: number;
}

export interface ThreadSnapshot {
  thread: number;
  account: Account;
  /** False when the account was read in the middle of a write and `received` was mended. */
  isSettled: boolean;
  fields: Record<FieldName, number>;
}

export interface Snapshot {
  /** Wall clock at the reading, milliseconds since 1970. */
  readAtMs: number;
  threads: ThreadSnapshot[];
  account: Account;
  fields: Record<FieldName, number>;
  /** Of all threads together; private copies. */
  histograms: Record<HistogramName, Histogram>;
}

/** NaN: not known here. Infinity: known to have no limit. */
export interface ProbeSnapshot {
  figures: Record<ProbeField, number>;
  /** By ingest thread. */
  threads: Record<ProbeThreadField, number>[];
  /** The busiest thread that is no ingest thread; empty where unknown. */
  busiestOtherName: string;
}

export function readSnapshot(shared: TelemetryMemory, wallMs: number): Snapshot {
  const regions = Array.from({ length: telemetryThreads(shared) }, (_, thread) =>
    threadRegion(shared, thread),
  );
  const threads = regions.map(readThread);
  return {
    readAtMs: wallMs,
    threads,
    account: sumAccounts(threads.map((thread) => thread.account)),
    fields: joinFields(threads.map((thread) => thread.fields)),
    histograms: mergeHistograms(regions),
  };
}

export function readProbe(shared: TelemetryMemory): ProbeSnapshot {
  const region = probeRegion(shared);
  const figures = new Float64Array(region.figures.length);
  const threads = region.threads.map((thread) => new Float64Array(thread.length));
  const name = new Uint8Array(region.busiestOtherName.length);
  copyConsistently(region.lock, () => {
    figures.set(region.figures);
    for (let index = 0; index < threads.length; index++) threads[index]!.set(region.threads[index]!);
    name.set(region.busiestOtherName);
  });
  return {
    figures: named(PROBE_FIELDS, figures),
    threads: threads.map((thread) => named(PROBE_THREAD_FIELDS, thread)),
    busiestOtherName: String.fromCharCode(...name.filter((byte) => byte !== 0)),
  };
}

function readThread(region: ThreadRegion, thread: number): ThreadSnapshot {
  const slots = new Float64Array(ACCOUNT_SLOTS);
  const bits = new BigInt64Array(slots.buffer);
  const isSettled = copyConsistently(region.lock, () => loadAccount(region.account, bits));
  if (!isSettled) slots[ACCOUNT.received] = receivedOf(slots);
  return {
    thread,
    account: {
      received: slots[ACCOUNT.received]!,
      stored: slots[ACCOUNT.stored]!,
      rejected: Array.from(slots.subarray(ACCOUNT.rejected)),
      metricsStored: slots[ACCOUNT.metricsStored]!,
      bytesStored: slots[ACCOUNT.bytesStored]!,
    },
    isSettled,
    fields: named(
      FIELDS.map((field) => field.name),
      region.fields,
    ),
  };
}

function sumAccounts(accounts: Account[]): Account {
  const sum: Account = {
    received: 0,
    stored: 0,
    rejected: REFUSALS.map(() => 0),
    metricsStored: 0,
    bytesStored: 0,
  };
  for (const account of accounts) {
    sum.received += account.received;
    sum.stored += account.stored;
    sum.metricsStored += account.metricsStored;
    sum.bytesStored += account.bytesStored;
    for (let index = 0; index < sum.rejected.length; index++)
      sum.rejected[index]! += account.rejected[index]!;
  }
  return sum;
}

function joinFields(threads: Record<FieldName, number>[]): Record<FieldName, number> {
  const entries = FIELDS.map(({ name, over }) => {
    const values = threads.map((fields) => fields[name]);
    if (over === "max") return [name, Math.max(...values)];
    if (over === "min") return [name, Math.min(...values)];
    return [name, values.reduce((sum, value) => sum + value, 0)];
  });
  return Object.fromEntries(entries);
}

function mergeHistograms(regions: ThreadRegion[]): Record<HistogramName, Histogram> {
  const entries = HISTOGRAMS.map((name, index) => {
    const merged = new Histogram();
    for (const region of regions) merged.merge(new Histogram(region.histograms[index]!));
    return [name, merged];
  });
  return Object.fromEntries(entries);
}

function named<Name extends string>(names: readonly Name[], values: Float64Array): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]!])) as Record<Name, number>;
}
