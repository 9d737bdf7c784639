// A coordinator's view of one agent, from its claim to its release: what it was told, what it has answered, its clock, and
// whether it is alive. Twice a second it is asked for a beat; NATS says at once where nobody listens any more, and silence
// says the rest. Main thread.
//
// Invariant: once `lost` is a reason it stays one, and everything that was waited for fails with it.

import { setTimeout as pause } from "node:timers/promises";
import { realClock } from "../../base/clock.ts";
import { TidemarkError } from "../../errors.ts";
import {
  AGENT_ANSWER_MS_MAX,
  AGENT_BEAT_MS,
  AGENT_CLOCK_READINGS,
  AGENT_GONE_MS_MAX,
  AGENT_SILENCE_MS_MAX,
} from "../../limits.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import type { LoadSlot } from "../load/load-result.ts";
import type { LoadShare } from "../load/load-share.ts";
import type { ThreadTally } from "../load/thread-tally.ts";
import { decodeFromAgent, type FromAgent, subjectOfAgent, type ToAgent } from "./agent-messages.ts";
import { type ClockOffset, type ClockReading, findClockOffset } from "./clock-offset.ts";
import { isNobodyThere, type MessageChannel } from "./message-channel.ts";

export interface AgentFacts {
  readonly id: string;
  /** Unique among a run's agents. */
  readonly name: string;
  readonly host: string;
}

type Answer = FromAgent & { kind: "claimed" | "refused" | "ready" | "done" | "failed" };

export class AgentLink {
  readonly facts: AgentFacts;
  /** Why it no longer counts: a clause whose subject is "it". */
  lost: string | null = null;
  onSlot: (slot: LoadSlot) => void = () => {};
  onLost: () => void = () => {};
  private readonly channel: MessageChannel<FromAgent>;
  private readonly subject: string;
  private readonly end = new AbortController();
  private heardMs = realClock.monotonicMs();
  private run = 0;
  private isClaimed = false;
  private waiting: { kind: "claimed" | "ready" | "done"; promise: PromiseWithResolvers<Answer> } | null =
    null;
  /** An answer that came before it was waited for. */
  private early: Answer | null = null;

  constructor(channel: MessageChannel<FromAgent>, facts: AgentFacts) {
    this.channel = channel;
    this.facts = facts;
    this.subject = subjectOfAgent(facts.id);
  }

  /** Throws TidemarkError where it is another's, or does not answer. */
  async claim(): Promise<void> {
    this.tell({ kind: "claim" });
    await this.answer("claimed", AGENT_ANSWER_MS_MAX, "did not answer");
    this.isClaimed = true;
    this.beatInBackground();
  }

  /** Resolves when it is ready. Throws TidemarkError: why it cannot. */
  async prepare(run: number, plan: LoadPlan, share: LoadShare, msMax: number): Promise<void> {
    this.run = run;
    this.early = null;
    this.tell({ kind: "prepare", run, plan, share });
    await this.answer("ready", msMax, "did not get ready");
  }

  /** `startMs`: of its own clock. */
  start(startMs: number): void {
    this.tell({ kind: "start", run: this.run, startMs });
  }

  stop(): void {
    this.tell({ kind: "stop", run: this.run });
  }

  /** What it counted. Throws TidemarkError. */
  async counts(msMax: number): Promise<readonly ThreadTally[]> {
    const answer = await this.answer("done", msMax, "did not hand in its counts");
    return (answer as FromAgent & { kind: "done" }).tallies;
  }

  /** Null where it does not answer: the beats say why. */
  async readClock(): Promise<ClockOffset | null> {
    const readings: ClockReading[] = [];
    for (let index = 0; index < AGENT_CLOCK_READINGS && this.lost === null; index++) {
      const reading = await this.ask(AGENT_ANSWER_MS_MAX).catch(() => null);
      if (reading !== null) readings.push(reading);
    }
    return findClockOffset(readings);
  }

  release(): void {
    this.end.abort();
    // A lost one, too: it may be there all the same, and would wait for beats.
    if (this.isClaimed) this.tell({ kind: "release" });
    this.isClaimed = false;
  }

  /** A message of this agent's. */
  receive(message: FromAgent): void {
    this.heardMs = realClock.monotonicMs();
    if (message.kind === "here" || message.kind === "beat") return;
    if ("run" in message && message.run !== this.run) return;
    if (message.kind === "slot") this.onSlot(message.slot);
    else if (this.isClaimed && message.kind === "refused") this.lose(`let go of us: ${message.reason}`);
    else if (this.waiting === null) this.early = message;
    else this.settle(this.waiting, message);
  }

  lose(reason: string): void {
    if (this.lost !== null) return;
    this.lost = reason;
    this.end.abort();
    this.waiting?.promise.reject(new TidemarkError(reason));
    this.onLost();
  }

  private settle({ kind, promise }: NonNullable<AgentLink["waiting"]>, answer: Answer): void {
    if (answer.kind === kind) promise.resolve(answer);
    else if (answer.kind === "failed" || answer.kind === "refused")
      promise.reject(new TidemarkError(answer.reason));
  }

  private async answer(kind: "claimed" | "ready" | "done", msMax: number, failure: string): Promise<Answer> {
    const promise = Promise.withResolvers<Answer>();
    this.waiting = { kind, promise };
    const timer = setTimeout(
      () => promise.reject(new TidemarkError(`${failure} within ${Math.ceil(msMax / 1000)} s`)),
      msMax,
    );
    try {
      if (this.lost !== null) throw new TidemarkError(this.lost);
      if (this.early !== null) this.settle(this.waiting, this.early);
      return await promise.promise;
    } finally {
      clearTimeout(timer);
      this.waiting = null;
      this.early = null;
    }
  }

  private tell(message: ToAgent): void {
    this.channel.send(this.subject, message);
  }

  private async ask(timeoutMs: number): Promise<ClockReading & { readonly isYours: boolean }> {
    const askedMs = realClock.monotonicMs();
    const answer = await this.channel.ask(this.subject, { kind: "beat" }, decodeFromAgent, timeoutMs);
    const answeredMs = realClock.monotonicMs();
    if (answer.kind !== "beat") throw new TidemarkError("the answer to a beat is none");
    this.heardMs = answeredMs;
    return { askedMs, theirMs: answer.atMs, answeredMs, isYours: answer.isYours };
  }

  private async beatInBackground(): Promise<void> {
    let goneSinceMs: number | null = null;
    while (!this.end.signal.aborted) {
      try {
        const { isYours } = await this.ask(AGENT_SILENCE_MS_MAX);
        goneSinceMs = null;
        if (!isYours) this.lose("let go of us, having heard nothing of us for too long");
      } catch (error) {
        const nowMs = realClock.monotonicMs();
        if (isNobodyThere(error)) goneSinceMs ??= nowMs;
        if (goneSinceMs !== null && nowMs - goneSinceMs >= AGENT_GONE_MS_MAX)
          this.lose("died, or lost its connection to NATS");
        else if (nowMs - this.heardMs >= AGENT_SILENCE_MS_MAX)
          this.lose(`said nothing for ${AGENT_SILENCE_MS_MAX / 1000} s`);
      }
      await pause(AGENT_BEAT_MS, undefined, { signal: this.end.signal }).catch(() => {});
    }
  }
}
