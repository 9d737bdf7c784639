// HOT: the open loop: requests are due on a clock of their own. Each takes the client that has been free longest; where none
// is free it waits, in the order of the plan, and its corrected latency counts from its time in the plan. What has waited as
// long as the timeout is given up unsent.
//
//   number  0 … sent │ next … due │ due …          sent: begun; next … due: waiting for a client; then: not yet due
//
// Since requests are sent in the order of the plan the queue is nothing but these two numbers.

import type { LoadClient } from "./load-client.ts";
import type { ErrorClass } from "./load-result.ts";
import type { LoopRun, RunLoop } from "./run-loop.ts";
import { openSchedule, type Schedule } from "./schedule.ts";
import { SendTimer } from "./send-timer.ts";

export class OpenLoop implements RunLoop {
  private readonly run: LoopRun;
  private readonly schedule: Schedule;
  private readonly timer: SendTimer;
  private next = 0;
  private due = 0;
  /** A ring of the clients that can begin a request, the longest free first; each is in it at most once. */
  private free: (LoadClient | null)[] = [];
  private freeHead = 0;
  private freeCount = 0;
  /** Why the last connection could not be made; null while one is open or on its way. */
  private failure: ErrorClass | null = null;

  constructor(run: LoopRun, ratePerSecond: number, rateEndPerSecond: number, seconds: number) {
    this.run = run;
    this.schedule = openSchedule(ratePerSecond, rateEndPerSecond, seconds, run.thread, run.threads);
    this.timer = new SendTimer({
      nowMs: run.nowMs,
      nap: run.nap,
      work: () => run.work(),
      pump: (nowMs) => this.pump(nowMs),
    });
  }

  get spunMs(): number {
    return this.timer.spunMs;
  }

  start(): void {
    this.free = new Array<LoadClient | null>(this.run.clients.length).fill(null);
    for (const client of this.run.clients) {
      client.freeSinceMs = this.run.startMs;
      if (client.canBegin) this.enqueue(client);
    }
    this.timer.start();
  }

  /** Past the end of sending what is due and waits is still sent. */
  stop(nowMs: number): void {
    this.timer.stop();
    this.pump(nowMs);
  }

  hasWaiting(): boolean {
    return this.next < this.due;
  }

  failWaiting(nowMs: number): void {
    this.failUntil(this.due, "timeout", nowMs);
  }

  planned(): number {
    return this.schedule.countBefore(this.run.sendingEndMs - this.run.startMs);
  }

  freed(client: LoadClient, nowMs: number): void {
    // What came due while every client was busy has waited, even if the timer had no time to see it.
    this.markDue(nowMs);
    this.failure = null;
    if (client.canBegin) this.enqueue(client);
    this.sendWaiting(nowMs);
  }

  dialled(_client: LoadClient, failure: ErrorClass | null, nowMs: number): void {
    if (failure !== null && this.run.tally.open === 0 && this.run.dialling() === 0) {
      this.failure = failure;
      this.failUntil(this.due, failure, nowMs);
    }
  }

  private pump(nowMs: number): number {
    const dueMs = this.markDue(nowMs);
    this.sendWaiting(nowMs);
    return dueMs < this.run.sendingEndMs ? dueMs : Number.POSITIVE_INFINITY;
  }

  /** Moves what is due by now into the queue, and on to a client where one is free; returns when the next one is due. */
  private markDue(nowMs: number): number {
    const { run, schedule } = this;
    let dueMs = run.startMs + schedule.timeMs(this.due);
    while (dueMs <= nowMs && dueMs < run.sendingEndMs) {
      if (this.freeCount === 0) this.wait(dueMs, nowMs);
      this.due++;
      if (this.freeCount > 0) this.sendWaiting(nowMs);
      dueMs = run.startMs + schedule.timeMs(this.due);
    }
    return dueMs;
  }

  private wait(dueMs: number, nowMs: number): void {
    this.run.tally.waitedForConnection++;
    // Every client waits out a refusal: this request would only meet the same.
    if (this.failure === null || this.next !== this.due) return;
    this.run.tally.failUnsent(this.failure, dueMs, nowMs);
    this.next++;
  }

  private sendWaiting(nowMs: number): void {
    const { run } = this;
    if (this.next < this.due) this.giveUpOld(nowMs);
    while (this.next < this.due && this.freeCount > 0) {
      const client = this.dequeue();
      if (!client.canBegin) continue;
      const dueMs = run.startMs + this.schedule.timeMs(this.next);
      this.next++;
      run.tally.lag(Math.max(0, nowMs - Math.max(dueMs, client.freeSinceMs)));
      client.begin(dueMs, nowMs);
      if (client.canBegin) this.enqueue(client);
    }
  }

  private giveUpOld(nowMs: number): void {
    const { run } = this;
    while (this.next < this.due) {
      const dueMs = run.startMs + this.schedule.timeMs(this.next);
      if (nowMs - dueMs < run.plan.timeoutMs) return;
      run.tally.failUnsent("timeout", dueMs, nowMs);
      this.next++;
    }
  }

  private failUntil(end: number, failure: ErrorClass, nowMs: number): void {
    for (; this.next < end; this.next++) {
      this.run.tally.failUnsent(failure, this.run.startMs + this.schedule.timeMs(this.next), nowMs);
    }
  }

  private enqueue(client: LoadClient): void {
    if (client.isQueued) return;
    client.isQueued = true;
    this.free[(this.freeHead + this.freeCount) % this.free.length] = client;
    this.freeCount++;
  }

  private dequeue(): LoadClient {
    const client = this.free[this.freeHead]!;
    this.free[this.freeHead] = null;
    this.freeHead = (this.freeHead + 1) % this.free.length;
    this.freeCount--;
    client.isQueued = false;
    return client;
  }
}
