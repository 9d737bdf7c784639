// What is known of the store, over all connections to it: whether it takes, since when not and why, and until when it asked to
// be left alone. It tells the operator of changes, not of every try.

import type { Clock } from "../base/clock.ts";
import { type ForwardSettings, showUrl } from "./forward-settings.ts";
import { adviceFor, type StoreAnswer, type Verdict } from "./verdict.ts";

export type ForwardLog = (
  level: "info" | "warn" | "error",
  text: string,
  fields: Record<string, unknown>,
) => void;

/** VictoriaMetrics 1.79 loses samples of new series when it is killed within 10 s of its answer; here is as much again. */
const VICTORIA_METRICS_RESEND_MS = 20_000;

export class StoreState {
  /** Monotonic, of the last request that was taken; -1 before. */
  takenMs = -1;
  /** Between a request that was not taken and the next one that is. */
  trouble: "" | "later" | "settings" = "";
  /** How often it has taken again after trouble. */
  recoveries = 0;
  private readonly settings: ForwardSettings;
  private readonly clock: Clock;
  private readonly log: ForwardLog;
  private isVictoriaMetrics: boolean | null = null;
  private notBeforeMs = 0;
  private told = "";

  constructor(settings: ForwardSettings, clock: Clock, log: ForwardLog) {
    this.settings = settings;
    this.clock = clock;
    this.log = log;
  }

  /** How long what it has taken may be in its memory only, milliseconds. */
  get resendMs(): number {
    const { resendMs } = this.settings;
    if (resendMs !== null) return resendMs;
    return this.isVictoriaMetrics === false ? 0 : VICTORIA_METRICS_RESEND_MS;
  }

  /** Milliseconds until it may be asked again. */
  get pauseMs(): number {
    return Math.max(0, this.notBeforeMs - this.clock.monotonicMs());
  }

  taken({ isVictoriaMetrics }: StoreAnswer): void {
    this.takenMs = this.clock.monotonicMs();
    this.isVictoriaMetrics = isVictoriaMetrics;
    if (this.trouble === "") return;
    this.trouble = "";
    this.told = "";
    this.recoveries++;
    this.log("info", "the store takes samples again", { url: showUrl(this.settings.url) });
  }

  notTaken(verdict: Verdict, answer: StoreAnswer): void {
    const { status, text, retryAfterMs } = answer;
    if (retryAfterMs !== null) this.notBeforeMs = this.clock.monotonicMs() + retryAfterMs;
    const isSettings = verdict === "settings";
    this.trouble = isSettings ? "settings" : "later";
    const what = `${verdict} ${status === 0 ? text : status}`;
    if (what === this.told) return;
    this.told = what;
    const fields = { url: showUrl(this.settings.url), status, answer: text };
    if (isSettings)
      this.log(
        "error",
        `the store does not take what is sent to it; ${adviceFor(answer)}; nothing is skipped meanwhile`,
        fields,
      );
    else
      this.log(
        "warn",
        "the store cannot be reached or has no room; the log is kept until it takes it",
        fields,
      );
  }
}
