// HOT: every request passes here twice. What one generator thread counts, of the run and of itself.
//
// Invariants: every request that began ends once, answered or failed; `inFlight` is what has begun and not ended; the slots'
// counts add up to the totals. Times are monotonic milliseconds, as realClock gives them, histograms nanoseconds.
//
// Silence is watched here too: from one sign of life (an answer, a refusal) to the next, however long. A silence that lasts
// is kept with the moment from which something was in flight in it; whether it was a stall of the target is only known when
// all threads' are laid side by side (stalls.ts). Where the thread itself was asleep nothing is said.

import { Histogram } from "../../base/histogram.ts";
import { classOfStatus } from "./error-classes.ts";
import { ERROR_CLASSES, type ErrorClass, SLOT_MS, STALL_MS_MIN } from "./load-result.ts";
import type { Silence } from "./stalls.ts";
import type { SlotTally } from "./timeline.ts";

/** How often the thread looks up from its sockets, milliseconds. */
export const TICK_MS = 10;
/** A gap between two ticks from which the thread counts as having been asleep, milliseconds. */
const ASLEEP_MS_MIN = 30;
/** Most silences kept of one thread: an hour of ten requests a second has 36,000 that are no stall. */
const SILENCES_MAX = 50_000;
const STATUSES = 1000;
const NANOSECONDS_PER_MS = 1e6;

export class Tally {
  readonly latency = Histogram.fine();
  readonly latencyUncorrected = Histogram.fine();
  readonly latencyRefused = Histogram.fine();
  readonly connect = Histogram.fine();
  readonly sendLag = Histogram.fine();
  readonly errors = new Float64Array(ERROR_CLASSES.length);
  readonly statuses = new Float64Array(STATUSES);
  readonly silences: Silence[] = [];
  /** All that have ended; the last one is still being counted in. */
  readonly slots: SlotTally[] = [newSlot()];
  succeeded = 0;
  /** Requests that began. */
  began = 0;
  inFlight = 0;
  waitedForConnection = 0;
  opened = 0;
  connectsFailed = 0;
  clientsAnswered = 0;
  open = 0;
  openMax = 0;
  bytesSent = 0;
  bytesReceived = 0;
  loopLagMsMax = 0;
  /** From the common start to when the thread itself began: timers are late, and so is news of the start. */
  startLagMs = 0;
  /** Requests in flight × milliseconds, while sending. */
  inFlightMs = 0;
  private readonly isPlanned: boolean;
  private startMs = 0;
  private areaFromMs = 0;
  private isSending = false;
  private slot = this.slots[0]!;
  private slotEndMs = Number.POSITIVE_INFINITY;
  private slotsMax = 1;
  private quietFromMs = 0;
  /** Since when something was in flight in the present silence; -1 while nothing is. */
  private waitingFromMs = -1;
  private tickedMs = 0;

  /** `isPlanned`: requests have a planned time, and so a corrected latency. */
  constructor(isPlanned: boolean) {
    this.isPlanned = isPlanned;
  }

  start(startMs: number, sendingMsMax: number): void {
    this.startMs = startMs;
    this.areaFromMs = startMs;
    this.quietFromMs = startMs;
    this.tickedMs = startMs;
    this.slotEndMs = startMs + SLOT_MS;
    this.slotsMax = Math.max(1, Math.ceil(sendingMsMax / SLOT_MS));
    this.isSending = true;
  }

  /** What comes later is of the drain: it counts in the last slot, and no longer in the mean of what is in flight. */
  endSending(nowMs: number): void {
    this.turnSlots(nowMs);
    this.addArea(nowMs);
    this.endSilence(nowMs);
    this.isSending = false;
    this.slotEndMs = Number.POSITIVE_INFINITY;
  }

  begin(nowMs: number): void {
    if (nowMs >= this.slotEndMs) this.turnSlots(nowMs);
    this.addArea(nowMs);
    this.began++;
    this.slot.sent++;
    if (this.inFlight++ === 0 && this.waitingFromMs < 0) this.waitingFromMs = nowMs;
  }

  answer(plannedMs: number, sentMs: number, nowMs: number, status: number): void {
    this.end(nowMs);
    this.hear(nowMs);
    this.statuses[status] += 1;
    const failure = classOfStatus(status);
    if (failure !== null) {
      this.slot.failed++;
      this.errors[ERROR_CLASSES.indexOf(failure)] += 1;
      if (failure === "rate_limited" || failure === "unavailable")
        this.latencyRefused.record((nowMs - sentMs) * NANOSECONDS_PER_MS);
      return;
    }
    this.succeeded++;
    const slot = this.slot;
    // What a slot shows is the latency that the user felt.
    const latencyMs = nowMs - (this.isPlanned ? plannedMs : sentMs);
    slot.succeeded++;
    slot.latencyMsSum += latencyMs;
    if (latencyMs > slot.latencyMsMax) slot.latencyMsMax = latencyMs;
    this.recordLatency(plannedMs, sentMs, nowMs);
  }

  /** A request that began. */
  fail(failure: ErrorClass, plannedMs: number, sentMs: number, nowMs: number): void {
    this.end(nowMs);
    this.countFailure(failure, nowMs);
    if (isTimeout(failure)) this.recordLatency(plannedMs, sentMs, nowMs);
  }

  /** A planned request that never began, for want of a connection. */
  failUnsent(failure: ErrorClass, plannedMs: number, nowMs: number): void {
    if (nowMs >= this.slotEndMs) this.turnSlots(nowMs);
    this.countFailure(failure, nowMs);
    if (isTimeout(failure)) this.latency.record((nowMs - plannedMs) * NANOSECONDS_PER_MS);
  }

  lag(ms: number): void {
    this.sendLag.record(ms * NANOSECONDS_PER_MS);
  }

  connected(tookMs: number): void {
    this.opened++;
    this.connect.record(tookMs * NANOSECONDS_PER_MS);
    if (++this.open > this.openMax) this.openMax = this.open;
  }

  disconnected(): void {
    this.open--;
  }

  /** To be called every TICK_MS; returns the slots that have ended since. */
  tick(nowMs: number): void {
    const gapMs = nowMs - this.tickedMs;
    if (gapMs - TICK_MS > this.loopLagMsMax && this.isSending) this.loopLagMsMax = gapMs - TICK_MS;
    if (gapMs > ASLEEP_MS_MIN) this.hear(nowMs);
    this.tickedMs = nowMs;
    if (nowMs >= this.slotEndMs) this.turnSlots(nowMs);
  }

  private recordLatency(plannedMs: number, sentMs: number, nowMs: number): void {
    this.latencyUncorrected.record((nowMs - sentMs) * NANOSECONDS_PER_MS);
    if (this.isPlanned) this.latency.record((nowMs - plannedMs) * NANOSECONDS_PER_MS);
  }

  private countFailure(failure: ErrorClass, nowMs: number): void {
    this.slot.failed++;
    this.errors[ERROR_CLASSES.indexOf(failure)] += 1;
    if (!isTimeout(failure)) this.hear(nowMs);
  }

  private end(nowMs: number): void {
    if (nowMs >= this.slotEndMs) this.turnSlots(nowMs);
    this.addArea(nowMs);
    this.inFlight--;
  }

  private addArea(nowMs: number): void {
    if (!this.isSending) return;
    this.inFlightMs += this.inFlight * (nowMs - this.areaFromMs);
    this.areaFromMs = nowMs;
  }

  private turnSlots(nowMs: number): void {
    while (nowMs >= this.slotEndMs && this.slots.length < this.slotsMax) {
      this.slot = newSlot();
      this.slots.push(this.slot);
      this.slotEndMs += SLOT_MS;
    }
    if (this.slots.length === this.slotsMax) this.slotEndMs = Number.POSITIVE_INFINITY;
  }

  /** A sign of life. */
  private hear(nowMs: number): void {
    if (nowMs - this.quietFromMs >= STALL_MS_MIN) this.endSilence(nowMs);
    this.quietFromMs = nowMs;
    this.waitingFromMs = this.inFlight > 0 ? nowMs : -1;
  }

  private endSilence(nowMs: number): void {
    const toMs = nowMs - this.tickedMs > ASLEEP_MS_MIN ? this.tickedMs : nowMs;
    if (!this.isSending || toMs - this.quietFromMs < STALL_MS_MIN || this.silences.length >= SILENCES_MAX)
      return;
    this.silences.push({
      fromMs: this.quietFromMs - this.startMs,
      waitingFromMs: this.waitingFromMs < 0 ? Number.POSITIVE_INFINITY : this.waitingFromMs - this.startMs,
      toMs: toMs - this.startMs,
    });
  }
}

function isTimeout(failure: ErrorClass): boolean {
  return failure === "timeout" || failure === "connect_timeout";
}

function newSlot(): SlotTally {
  return { sent: 0, succeeded: 0, failed: 0, latencyMsSum: 0, latencyMsMax: 0 };
}
