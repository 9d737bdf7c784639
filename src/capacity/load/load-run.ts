// One thread's part of a run: its clients, its loop, its clock.
//
//   prepare ─▶ ready ─▶ start(at) ─▶ sending ─▶ drain ─▶ tally
//      │ open loop: connections     │ ends at the plan's time, when every client is done, or when told to
//      └ are opened first           └ at most DRAIN_MS_MAX for what is outstanding; then it has failed

import { realClock } from "../../base/clock.ts";
import type { Connect } from "../../net/transport.ts";
import { type ClientHost, LoadClient } from "./load-client.ts";
import { DRAIN_MS_MAX, type LoadPlan } from "./load-plan.ts";
import type { LoadUrl } from "./load-url.ts";
import { Nap } from "./nap.layout.ts";
import { openConnections } from "./open-connections.ts";
import { OpenLoop } from "./open-loop.ts";
import { OwnHealth } from "./own-health.ts";
import { PacedLoop } from "./paced-loop.ts";
import { Random } from "./random.ts";
import { buildRequests } from "./request-bytes.ts";
import type { LoopRun, RunLoop } from "./run-loop.ts";
import { Tally, TICK_MS } from "./tally.ts";
import { packTally, type ThreadTally } from "./thread-tally.ts";
import type { SlotTally } from "./timeline.ts";
import { UnpacedLoop } from "./unpaced-loop.ts";

export interface LoadRunOptions {
  readonly plan: LoadPlan;
  readonly url: LoadUrl;
  /** An address; the URL's name has been looked up. */
  readonly address: string;
  readonly thread: number;
  readonly threads: number;
  readonly connect: Connect;
  /** Slots that have ended, in order. */
  readonly onSlots: (slots: readonly SlotTally[]) => void;
}

/** Between two looks at what has timed out: this share of the timeout, within bounds; milliseconds. */
const LOOK_SHARE = 1 / 20;
const LOOK_MS_MAX = 100;

export class LoadRun implements LoopRun {
  readonly plan: LoadPlan;
  readonly thread: number;
  readonly threads: number;
  readonly tally: Tally;
  readonly clients: LoadClient[] = [];
  readonly nap = new Nap();
  readonly nowMs = realClock.monotonicMs;
  startMs = 0;
  /** Nothing is begun from here on; it moves nearer when the run is ended early. */
  sendingEndMs = 0;
  private readonly host: ClientHost;
  private readonly loop: RunLoop;
  private readonly health = new OwnHealth();
  private readonly onSlots: (slots: readonly SlotTally[]) => void;
  private readonly lookIntervalMs: number;
  private lookMs = 0;
  private slotsTold = 0;
  private isSending = false;
  /** Told to end before it began. */
  private isUnwanted = false;
  private ticker: ReturnType<typeof setInterval> | null = null;
  private ender: ReturnType<typeof setTimeout> | null = null;
  private tell: (tally: ThreadTally) => void = () => {};

  constructor(options: LoadRunOptions) {
    const { plan, thread, threads } = options;
    this.plan = plan;
    this.thread = thread;
    this.threads = threads;
    this.onSlots = options.onSlots;
    this.lookIntervalMs = Math.min(LOOK_MS_MAX, plan.timeoutMs * LOOK_SHARE);
    const { arrivals, pipeline } = plan;
    const isPlanned = arrivals.kind === "open" || arrivals.paceMs > 0;
    this.tally = new Tally(isPlanned);
    const clients = Math.ceil((plan.clients - thread) / threads);
    this.loop = this.newLoop();
    this.host = {
      connect: options.connect,
      address: { host: options.address, port: options.url.port },
      requests: buildRequests(plan, options.url),
      random: new Random(plan.seed + thread),
      tally: this.tally,
      nowMs: this.nowMs,
      isForHead: plan.method === "HEAD",
      keepAlive: plan.keepAlive,
      pipeline,
      timeoutMs: plan.timeoutMs,
      plannedMs: new Float64Array(clients * pipeline),
      begunMs: new Float64Array(clients * pipeline),
      backingOff: 0,
      dialling: 0,
      loop: this.loop,
    };
    for (let index = 0; index < clients; index++) {
      this.clients.push(new LoadClient(this.host, index, thread + index * threads));
    }
  }

  /** All that is to be done before the common start. */
  async prepare(): Promise<void> {
    if (this.plan.arrivals.kind === "open" && this.plan.keepAlive) {
      await openConnections(this.host, this.clients, this.loop);
    }
  }

  /** Sends from that moment on (monotonic, shared by all threads); resolves when the last answer is in or given up. */
  start(startMs: number): Promise<ThreadTally> {
    return new Promise((resolve) => {
      this.tell = resolve;
      setTimeout(() => this.begin(startMs), Math.max(0, startMs - this.nowMs()));
    });
  }

  /** No more requests begin. */
  endSending(nowMs: number): void {
    if (!this.isSending) {
      this.isUnwanted = true;
      return;
    }
    this.isSending = false;
    this.sendingEndMs = Math.min(this.sendingEndMs, nowMs);
    this.tally.endSending(this.sendingEndMs);
    this.health.end(this.sendingEndMs - this.startMs);
    if (this.ender !== null) clearTimeout(this.ender);
    this.loop.stop(nowMs);
    this.drain();
  }

  /** A number that changes whenever a request begins or ends. */
  work(): number {
    return this.tally.began * 2 - this.tally.inFlight;
  }

  dialling(): number {
    return this.host.dialling;
  }

  private newLoop(): RunLoop {
    const { arrivals, stop, rampMs } = this.plan;
    const each = stop.kind === "requests-each" ? stop.requests : Number.POSITIVE_INFINITY;
    if (arrivals.kind === "open") {
      const seconds = stop.kind === "seconds" ? stop.seconds : stop.secondsMax;
      return new OpenLoop(this, arrivals.ratePerSecond, arrivals.rateEndPerSecond, seconds);
    }
    return arrivals.paceMs > 0
      ? new PacedLoop(this, arrivals.paceMs, each)
      : new UnpacedLoop(this, each, rampMs);
  }

  private begin(startMs: number): void {
    const { stop } = this.plan;
    const sendingMs = (stop.kind === "seconds" ? stop.seconds : stop.secondsMax) * 1000;
    this.startMs = startMs;
    this.sendingEndMs = startMs + sendingMs;
    this.isSending = true;
    this.tally.start(startMs, sendingMs);
    this.tally.startLagMs = this.nowMs() - startMs;
    this.health.start();
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.armEnd();
    if (this.isUnwanted) this.endSending(startMs);
    else this.loop.start();
  }

  /** Timers come up to a millisecond early, too: the end is not before its time, or planned requests would be missing. */
  private armEnd(): void {
    const leftMs = this.sendingEndMs - this.nowMs();
    if (leftMs <= 0) this.endSending(this.nowMs());
    else this.ender = setTimeout(() => this.armEnd(), Math.ceil(leftMs));
  }

  private tick(): void {
    const nowMs = this.nowMs();
    this.tally.tick(nowMs);
    this.tellSlots();
    if (nowMs - this.lookMs >= this.lookIntervalMs || (this.host.backingOff > 0 && this.isSending)) {
      this.lookMs = nowMs;
      for (const client of this.clients) client.look(nowMs);
    }
  }

  private tellSlots(): void {
    const { slots } = this.tally;
    if (slots.length - 1 <= this.slotsTold) return;
    this.onSlots(slots.slice(this.slotsTold, slots.length - 1));
    this.slotsTold = slots.length - 1;
  }

  private drain(): void {
    const deadlineMs = this.nowMs() + DRAIN_MS_MAX;
    const look = () => {
      const nowMs = this.nowMs();
      const isDone = this.tally.inFlight === 0 && !this.loop.hasWaiting();
      if (isDone || nowMs >= deadlineMs) this.finish(nowMs);
      else setTimeout(look, 1);
    };
    look();
  }

  private finish(nowMs: number): void {
    if (this.ticker !== null) clearInterval(this.ticker);
    for (const client of this.clients) {
      if (client.inFlight > 0) client.giveUp(nowMs);
      client.finish();
    }
    this.loop.failWaiting(nowMs);
    const seconds = (this.sendingEndMs - this.startMs) / 1000;
    this.tell(
      packTally(
        this.tally,
        this.loop.planned(),
        seconds,
        this.health.read(this.loop.spunMs, this.tally.loopLagMsMax),
      ),
    );
  }
}
