// HOT: the closed loop without a pace: every client sends as soon as it is answered. Nothing is planned.

import type { LoadClient } from "./load-client.ts";
import type { LoopRun, RunLoop } from "./run-loop.ts";

export class UnpacedLoop implements RunLoop {
  readonly spunMs = 0;
  private readonly run: LoopRun;
  /** Of each client; Infinity where only time ends the run. */
  private readonly requestsEach: number;
  private readonly rampMs: number;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private started = 0;
  private finished = 0;

  constructor(run: LoopRun, requestsEach: number, rampMs: number) {
    this.run = run;
    this.requestsEach = requestsEach;
    this.rampMs = rampMs;
  }

  start(): void {
    this.startDue();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }

  hasWaiting(): boolean {
    return false;
  }

  failWaiting(): void {}

  planned(): number {
    return this.run.tally.began;
  }

  freed(client: LoadClient, nowMs: number): void {
    if (nowMs >= this.run.sendingEndMs || client.isFinished) return;
    while (client.begun < this.requestsEach && client.canBegin) client.begin(nowMs, nowMs);
    if (client.begun < this.requestsEach || client.inFlight > 0) return;
    client.finish();
    this.finished++;
    if (this.finished === this.run.clients.length) this.run.endSending(nowMs);
  }

  dialled(client: LoadClient, _failure: unknown, nowMs: number): void {
    this.freed(client, nowMs);
  }

  /** Starts the clients whose share of the ramp has passed. */
  private readonly startDue = (): void => {
    const { run } = this;
    const nowMs = run.nowMs();
    const passed = this.rampMs === 0 ? 1 : (nowMs - run.startMs) / this.rampMs;
    for (; this.started < run.clients.length; this.started++) {
      const client = run.clients[this.started]!;
      if (client.number / run.plan.clients > passed) break;
      this.freed(client, nowMs);
    }
    if (this.started < run.clients.length) this.timer = setTimeout(this.startDue, 1);
  };
}
