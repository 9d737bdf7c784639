// HOT: the closed loop with a pace: every client's turn comes once a pace, whether it was answered or not. A client that is
// not free at its turn owes it, and sends it as soon as it is; its latency counts from the turn.

import type { LoadClient } from "./load-client.ts";
import type { LoopRun, RunLoop } from "./run-loop.ts";
import { pacedSchedule, type Schedule } from "./schedule.ts";
import { SendTimer } from "./send-timer.ts";

export class PacedLoop implements RunLoop {
  private readonly run: LoopRun;
  private readonly requestsEach: number;
  private readonly schedule: Schedule;
  private readonly timer: SendTimer;
  /** Turns that have come. */
  private turned = 0;
  private finished = 0;

  constructor(run: LoopRun, paceMs: number, requestsEach: number) {
    this.run = run;
    this.requestsEach = requestsEach;
    this.schedule = pacedSchedule(paceMs, run.plan.clients, run.thread, run.threads, requestsEach);
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
    this.timer.start();
  }

  stop(): void {
    this.timer.stop();
  }

  hasWaiting(): boolean {
    return false;
  }

  failWaiting(): void {}

  planned(): number {
    return this.schedule.countBefore(this.run.sendingEndMs - this.run.startMs);
  }

  freed(client: LoadClient, nowMs: number): void {
    if (nowMs >= this.run.sendingEndMs || client.isFinished) return;
    this.sendOwed(client, nowMs);
    if (client.begun < this.requestsEach || client.inFlight > 0) return;
    client.finish();
    this.finished++;
    if (this.finished === this.run.clients.length) this.run.endSending(nowMs);
  }

  dialled(client: LoadClient, _failure: unknown, nowMs: number): void {
    this.freed(client, nowMs);
  }

  private pump(nowMs: number): number {
    const { run } = this;
    const clients = run.clients.length;
    for (;;) {
      const dueMs = run.startMs + this.schedule.timeMs(this.turned);
      if (dueMs >= run.sendingEndMs) return Number.POSITIVE_INFINITY;
      if (dueMs > nowMs) return dueMs;
      const client = run.clients[this.turned % clients]!;
      this.turned++;
      this.sendOwed(client, nowMs);
    }
  }

  /** Sends the client's turns that have come, oldest first, as many as it is free for. */
  private sendOwed(client: LoadClient, nowMs: number): void {
    const { run } = this;
    const clients = run.clients.length;
    const place = (client.number - run.thread) / run.threads;
    while (client.begun < this.requestsEach && client.canBegin) {
      const dueMs = run.startMs + this.schedule.timeMs(client.begun * clients + place);
      if (dueMs > nowMs) return;
      run.tally.lag(nowMs - Math.max(dueMs, client.freeSinceMs));
      client.begin(dueMs, nowMs);
    }
  }
}
