// HOT: Times the stages of one request in STAGE_SAMPLE_EVERY (limits.ts). One sample is under way at a time in a thread: it is begun
// in admit(), follows its request through the lane, and is recorded when the answer is out, or dropped on a refusal.
//
//   received ─read─▶ admit() ─admission─▶ handle() ─decode─▶ appended ─queue─▶ commit begins ─commit─▶ settled ─answer─▶ written
//
// "read" is what lies between admission and the whole body, plus the parse of the head: the socket's share.

import type { Clock } from "../base/clock.ts";
import type { StageName } from "../telemetry/counters.layout.ts";
import type { ThreadCounters } from "../telemetry/thread-counters.ts";

export class StageSample {
  /** True from the sampled request's admission to its record. */
  isActive = false;
  /** The connection whose request is followed, once it waits in the lane. */
  waiter: unknown = null;

  private readonly clock: Clock;
  private readonly counters: ThreadCounters;
  private beganMs = 0;
  private admittedMs = 0;
  private wholeMs = 0;
  private appendedMs = 0;

  constructor(clock: Clock, counters: ThreadCounters) {
    this.clock = clock;
    this.counters = counters;
  }

  /** Called for each request; begins a sample now and then. */
  tick(nowMs: number): void {
    if (!this.counters.sample()) return;
    // A sample that waits for a slow commit is not overwritten: slow requests would never be seen.
    if (this.isActive && this.waiter !== null) return;
    this.isActive = true;
    this.waiter = null;
    this.beganMs = nowMs;
  }

  admitted(): void {
    this.admittedMs = this.clock.monotonicMs();
  }

  whole(): void {
    this.wholeMs = this.clock.monotonicMs();
  }

  appended(waiter: unknown): void {
    this.waiter = waiter;
    this.appendedMs = this.clock.monotonicMs();
  }

  drop(): void {
    this.isActive = false;
    this.waiter = null;
  }

  /** The answer is with the kernel. */
  record(commitBeganMs: number, settledMs: number): void {
    const answeredMs = this.clock.monotonicMs();
    this.stage("admission", this.admittedMs - this.beganMs);
    this.stage("read", this.wholeMs - this.admittedMs);
    this.stage("decode", this.appendedMs - this.wholeMs);
    this.stage("queue", Math.max(0, commitBeganMs - this.appendedMs));
    this.stage("commit", settledMs - Math.max(commitBeganMs, this.appendedMs));
    this.stage("answer", answeredMs - settledMs);
    this.stage("total", answeredMs - this.beganMs);
    this.drop();
  }

  private stage(name: StageName, ms: number): void {
    this.counters.histograms[name].record(ms * 1e6);
  }
}
