// An agent: makes its share of a load for whoever coordinates one, with the generator's own threads, and hands in what they
// counted. Main thread of `tidemark agent`.
//
//   free ──claim──▶ claimed ──prepare──▶ preparing ──▶ ready ──start──▶ sending ──▶ done ─┐
//    ▲                 ▲                                                                  │
//    │                 └──────────────────────────────────────────────────────────────────┘
//    └── release, or a coordinator that is gone or silent: what is under way is ended first
//
// It belongs to one coordinator at a time, and refuses a second. It never sends longer than the plan says: threads end by the
// plan's own clock whether anybody is there to hear of it or not.

import { hostname } from "node:os";
import type { NatsConnection } from "@nats-io/transport-node";
import { realClock } from "../../base/clock.ts";
import { AGENT_BEAT_MS, AGENT_GONE_MS_MAX, AGENT_SILENCE_MS_MAX } from "../../limits.ts";
import { GeneratorThreads, type ReadyShare } from "../load/generator-threads.ts";
import {
  decodeToAgent,
  type FromAgent,
  SUBJECT_OF_ALL,
  subjectOfAgent,
  subjectOfCoordinator,
  type ToAgent,
} from "./agent-messages.ts";
import { MessageChannel } from "./message-channel.ts";
import type { Sender } from "./message-parts.ts";

/** One share, from its preparation to its counts. */
interface Work {
  readonly run: number;
  share: ReadyShare | null;
  /** Told to begin no more requests, perhaps before it was ready. */
  isStopped: boolean;
  /** When to start; null where nobody wants it any more. */
  readonly start: PromiseWithResolvers<number | null>;
}

export class Agent {
  private readonly channel: MessageChannel<ToAgent>;
  private readonly say: (line: string) => void;
  private readonly threads = new GeneratorThreads();
  private readonly watch: ReturnType<typeof setInterval>;
  private coordinator: Sender | null = null;
  private heardMs = 0;
  /** Since when NATS says that the coordinator is not there; null where it is. */
  private goneSinceMs: number | null = null;
  private work: Work | null = null;
  /** Settles when the last work has. */
  private worked: Promise<void> = Promise.resolve();
  /** Free again as soon as the work has ended. */
  private isLeaving = false;

  /** `say` takes a line for the operator. The connection stays its giver's. */
  constructor(connection: NatsConnection, self: Sender, say: (line: string) => void) {
    this.say = say;
    this.channel = new MessageChannel<ToAgent>(connection, self, {
      decode: decodeToAgent,
      onMessage: (message, sender, answer) => this.receive(message, sender, answer),
      onFault: (sender, reason) => {
        this.say(`refused: ${reason}`);
        this.tell(sender, { kind: "refused", reason });
      },
    });
    this.channel.listen(SUBJECT_OF_ALL);
    this.channel.listen(subjectOfAgent(self.id));
    this.watch = setInterval(() => this.lookInBackground(), AGENT_BEAT_MS);
  }

  /** Ends what it is at, and says so to the coordinator; resolves when its threads are gone. */
  async end(): Promise<void> {
    clearInterval(this.watch);
    if (this.coordinator !== null && this.work !== null)
      this.tell(this.coordinator, { kind: "failed", run: this.work.run, reason: "it was told to end" });
    this.coordinator = null;
    this.leave();
    await this.threads.end();
  }

  private receive(message: ToAgent, sender: Sender, answer: (message: FromAgent) => void): void {
    const isMine = this.coordinator?.id === sender.id && !this.isLeaving;
    if (isMine) {
      this.heardMs = realClock.monotonicMs();
      this.goneSinceMs = null;
    }
    if (message.kind === "who") this.tell(sender, this.here());
    else if (message.kind === "beat")
      answer({ kind: "beat", atMs: realClock.monotonicMs(), isYours: isMine });
    else if (message.kind === "claim") this.claim(sender);
    else if (!isMine) this.refuse(sender);
    else if (message.kind === "prepare") this.prepare(message);
    else if (message.kind === "release") this.leave();
    else if (message.run !== this.work?.run) return;
    else if (message.kind === "start") this.work.start.resolve(message.startMs);
    else {
      this.work.isStopped = true;
      this.work.share?.stop();
    }
  }

  private claim(sender: Sender): void {
    const isAnothers = this.coordinator !== null && this.coordinator.id !== sender.id;
    if (isAnothers || this.isLeaving) {
      this.refuse(sender);
      return;
    }
    this.coordinator = sender;
    this.goneSinceMs = null;
    this.heardMs = realClock.monotonicMs();
    this.say(`works for ${sender.name}`);
    this.tell(sender, { kind: "claimed" });
  }

  private refuse(sender: Sender): void {
    const reason =
      this.coordinator === null ? "it is nobody's agent now" : `it works for ${this.coordinator.name}`;
    this.say(`refused ${sender.name}: ${reason}`);
    this.tell(sender, { kind: "refused", reason });
  }

  private prepare(message: ToAgent & { kind: "prepare" }): void {
    const { run } = message;
    if (this.work !== null) {
      const reason = `it is still at run ${this.work.run}`;
      this.tell(this.coordinator, { kind: "failed", run, reason });
      return;
    }
    this.work = { run, share: null, isStopped: false, start: Promise.withResolvers<number | null>() };
    this.worked = this.workInBackground(this.work, message);
  }

  private async workInBackground(
    work: Work,
    { run, plan, share }: ToAgent & { kind: "prepare" },
  ): Promise<void> {
    const tell = (message: FromAgent): void => this.tell(this.coordinator, message);
    try {
      work.share = await this.threads.prepare(plan, share, (slot) => tell({ kind: "slot", run, slot }));
      if (work.isStopped) work.share.stop();
      tell({ kind: "ready", run });
      const startMs = await work.start.promise;
      // Only the end of its threads closes connections that were opened for a run that never came.
      if (startMs === null) return await this.threads.end();
      const tallies = await work.share.start(startMs);
      tell({ kind: "done", run, tallies });
      const ended = tallies.reduce((sum, tally) => sum + tally.succeeded, 0);
      this.say(`run ${run} of ${plan.url}: ${ended} requests succeeded on ${tallies.length} threads`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.say(`run ${run} of ${plan.url} failed: ${reason}`);
      tell({ kind: "failed", run, reason });
    } finally {
      this.work = null;
    }
  }

  /** Once in AGENT_BEAT_MS: a coordinator that has missed some beats is asked for, and let go of where it is gone. */
  private async lookInBackground(): Promise<void> {
    const { coordinator } = this;
    if (coordinator === null || this.isLeaving) return;
    const silentMs = realClock.monotonicMs() - this.heardMs;
    if (silentMs < 2 * AGENT_BEAT_MS) return;
    const subject = subjectOfCoordinator(coordinator.id);
    const mayBe = await this.channel.mayBeHeard(subject, this.here(), AGENT_BEAT_MS);
    if (this.coordinator !== coordinator || this.isLeaving) return;
    this.goneSinceMs = mayBe ? null : (this.goneSinceMs ?? realClock.monotonicMs());
    const goneMs = this.goneSinceMs === null ? 0 : realClock.monotonicMs() - this.goneSinceMs;
    if (goneMs < AGENT_GONE_MS_MAX && silentMs < AGENT_SILENCE_MS_MAX) return;
    const reason =
      goneMs >= AGENT_GONE_MS_MAX ? "it is gone" : `it was silent for ${AGENT_SILENCE_MS_MAX / 1000} s`;
    this.say(`lets go of ${coordinator.name}: ${reason}`);
    this.leave();
  }

  private here(): FromAgent {
    return { kind: "here", host: hostname(), worksFor: this.coordinator?.name ?? "" };
  }

  private leave(): void {
    this.isLeaving = true;
    if (this.work !== null) {
      this.work.isStopped = true;
      this.work.start.resolve(null);
      this.work.share?.stop();
    }
    this.freeInBackground();
  }

  private async freeInBackground(): Promise<void> {
    await this.worked;
    if (this.coordinator !== null) this.say(`is free`);
    this.coordinator = null;
    this.isLeaving = false;
  }

  private tell(receiver: Sender | null, message: FromAgent): void {
    if (receiver === null) return;
    try {
      this.channel.send(subjectOfCoordinator(receiver.id), message);
    } catch (error) {
      if (message.kind !== "done") throw error;
      const reason = (error as Error).message;
      this.channel.send(subjectOfCoordinator(receiver.id), { kind: "failed", run: message.run, reason });
    }
  }
}
