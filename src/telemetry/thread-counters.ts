// HOT: add, set, sample and the histograms' record run per request; settledStored once per group commit.
// The writer of one thread's region of the counters. Exactly one per ingest thread, made by that thread; a thread that
// replaces a dead one makes a new writer on the same region, which goes on counting where the dead one stopped.
//
// Invariant: received = stored + Σ rejected(reason) in every snapshot that any reader takes. A batch is received when
// it is decided, and both sides move inside one beginWrite/endWrite. All of them count batches (a request that is
// refused before its body is read counts as one batch); what is read and not yet decided is the gauge inFlightBatches.

import { assert } from "../base/assert.ts";
import { Histogram } from "../base/histogram.ts";
import { REFUSALS, type Refusal } from "../errors.ts";
import { STAGE_SAMPLE_EVERY } from "../limits.ts";
import {
  ACCOUNT,
  ACCOUNT_SLOTS,
  beginWrite,
  endWrite,
  FIELD,
  FIELDS,
  HISTOGRAMS,
  type HistogramName,
  loadAccount,
  storeSlot,
  type TelemetryMemory,
  takeOverLock,
  threadRegion,
} from "./counters.layout.ts";

export class ThreadCounters {
  readonly thread: number;
  /** Nanoseconds each, except batchesPerCommit. Record the stages only for a request that sample() chose. */
  readonly histograms: Readonly<Record<HistogramName, Histogram>>;
  private readonly lock: Int32Array;
  private readonly account: BigInt64Array;
  private readonly fields: Float64Array;
  /** The account as this thread counts it, and the same bytes as the bits that are stored from it. */
  private readonly slots: Float64Array;
  private readonly bits: BigInt64Array;
  private untilSample: number;
  private random: number;

  constructor(shared: TelemetryMemory, thread: number) {
    const region = threadRegion(shared, thread);
    this.thread = thread;
    this.lock = region.lock;
    this.account = region.account;
    this.fields = region.fields;
    this.histograms = Object.fromEntries(
      HISTOGRAMS.map((name, index) => [name, new Histogram(region.histograms[index]!)]),
    ) as Record<HistogramName, Histogram>;
    this.slots = new Float64Array(ACCOUNT_SLOTS);
    this.bits = new BigInt64Array(this.slots.buffer);
    this.untilSample = 1;
    this.random = thread + 1;
    this.takeOver();
  }

  /** Batches that the log has at the level they were answered for; `bytes` as stored. Once per group commit. */
  settledStored(batches: number, metrics: number, bytes: number): void {
    const { slots, account, lock } = this;
    slots[ACCOUNT.received] += batches;
    slots[ACCOUNT.stored] += batches;
    slots[ACCOUNT.metricsStored] += metrics;
    slots[ACCOUNT.bytesStored] += bytes;
    beginWrite(lock);
    storeSlot(account, this.bits, ACCOUNT.received);
    storeSlot(account, this.bits, ACCOUNT.stored);
    storeSlot(account, this.bits, ACCOUNT.metricsStored);
    storeSlot(account, this.bits, ACCOUNT.bytesStored);
    endWrite(lock);
  }

  /** One batch refused for this reason. */
  rejected(refusal: Refusal): void {
    this.rejectedMany(refusal, 1);
  }

  /** A whole group refused for one reason: a failed write or sync. */
  rejectedMany(refusal: Refusal, batches: number): void {
    assert(refusal >= 0 && refusal < REFUSALS.length, "a refusal is an index into REFUSALS");
    const { slots, account, lock } = this;
    slots[ACCOUNT.received] += batches;
    slots[ACCOUNT.rejected + refusal] += batches;
    beginWrite(lock);
    storeSlot(account, this.bits, ACCOUNT.received);
    storeSlot(account, this.bits, ACCOUNT.rejected + refusal);
    endWrite(lock);
  }

  /** `field` is one of FIELD; `amount` may be negative for gauges. */
  add(field: number, amount: number): void {
    this.fields[field] += amount;
  }

  set(field: number, value: number): void {
    this.fields[field] = value;
  }

  get(field: number): number {
    return this.fields[field]!;
  }

  /**
   * True for one request in STAGE_SAMPLE_EVERY on average, the first among them. The gaps are random because a fixed
   * one falls in step with the connections: with 64 of them served in turn it would time the same one for ever.
   */
  sample(): boolean {
    this.untilSample -= 1;
    if (this.untilSample > 0) return false;
    this.random = (Math.imul(this.random, 1_664_525) + 1_013_904_223) | 0;
    this.untilSample = 1 + ((this.random >>> 16) % (2 * STAGE_SAMPLE_EVERY - 1));
    return true;
  }

  private takeOver(): void {
    const { slots, account, lock, fields } = this;
    const isReplacement = takeOverLock(lock);
    loadAccount(account, this.bits);
    // Where the dead thread stopped between the two sides, the sides that name a fate are believed.
    slots[ACCOUNT.received] = receivedOf(slots);
    beginWrite(lock);
    storeSlot(account, this.bits, ACCOUNT.received);
    endWrite(lock);
    for (let index = 0; index < FIELDS.length; index++)
      if (FIELDS[index]!.life === "gauge") fields[index] = 0;
    if (isReplacement) fields[FIELD.restarts] += 1;
  }
}

/** What received must be, from the other slots of an account. */
export function receivedOf(slots: Float64Array): number {
  let received = slots[ACCOUNT.stored]!;
  for (let slot = ACCOUNT.rejected; slot < ACCOUNT_SLOTS; slot++) received += slots[slot]!;
  return received;
}
