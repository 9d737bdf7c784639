// HOT: Times the stages of one request in STAGE_SAMPLE_EVERY (limits.ts). One sample is under way at a time in a thread: it
// is begun in admit(), follows its request through the lane, and is recorded when the answer is out, or dropped on a refusal.
//
//   admit() ─admission─▶ admitted ─read─▶ whole ─decode─▶ appended ─queue─▶ commit begins ─commit─▶ settled ─answer─▶ sent
//
// "read" is the wait for the rest of the body: nothing where one read brought it all.

import type { Clock } from "../base/clock.ts";
import type { StageName } from "../telemetry/counters.layout.ts";
import type { ThreadCounters } from "../telemetry/thread-counters.ts";

export class StageSample {
  /** Whose request is followed; null while none is. A connection is known by identity alone. */
  subject: object | null = null;
  /** True once that request waits in the lane. */
  isQueued = false;

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

  /** Called for each request; begins a sample now and then. One that waits for a slow commit is never given up for it. */
  tick(subject: object, nowMs: number): void {
    if (!this.counters.sample() || this.isQueued) return;
    this.subject = subject;
    this.beganMs = nowMs;
  }

  /** True while this connection's newest request is the one that is followed. */
  follows(subject: object): boolean {
    return this.subject === subject && !this.isQueued;
  }

  admitted(): void {
    this.admittedMs = this.clock.monotonicMs();
  }

  whole(): void {
    this.wholeMs = this.clock.monotonicMs();
  }

  appended(): void {
    this.isQueued = true;
    this.appendedMs = this.clock.monotonicMs();
  }

  drop(): void {
    this.subject = null;
    this.isQueued = false;
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
