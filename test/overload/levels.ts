// One server under a load of 0.8, 2, 5 and 10 times what it can serve, and of 0.8 times again, in interleaved rounds: what
// it served, how long those waited who were accepted, how quick the refusals were, and whether it still said how it is.
//
// Loads are open loops of the project's own generator. Latencies are from the actual send: what waits in the generator for
// one of its connections has not reached the server, which can only be held to what it was sent. The peak is that of a
// closed loop that is refused nothing.

import type { LoadJson } from "../../src/capacity/report/report-json.ts";
import { loadJson } from "../support/load-process.ts";
import { exchange } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import { OverloadProbe } from "./probe.ts";

export const OVERLOADS = [2, 5, 10] as const;
/** Before and after the overloads. */
const MODERATE = 0.8;

export interface LevelsPlan {
  readonly name: string;
  readonly port: number;
  readonly clients: number;
  /** Of the closed loop that finds the peak: enough to keep the disk or the core busy, too few to be refused. */
  readonly peakClients: number;
  readonly metrics: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Words before the generator. */
  readonly wrapper: readonly string[];
}

interface Step {
  readonly rate: number;
  /** Its rate as a part of the peak of the same round: what else the machine does changes from round to round. */
  readonly share: number;
  readonly acceptedMsP99: number;
  readonly refusedMsP99: number | null;
  readonly success: number;
}

export interface LevelsFound {
  /** Medians over the rounds. */
  readonly peak: Step;
  readonly before: Step;
  readonly after: Step;
  readonly overloads: ReadonlyMap<number, Step>;
  readonly pagesMsP99: number;
  readonly pages: number;
  /** The first batch after the overload: milliseconds, the slowest round. */
  readonly firstAfterMs: number;
  readonly refusals: number;
  readonly problems: readonly string[];
}

export async function runLevels(plan: LevelsPlan): Promise<LevelsFound> {
  const probe = new OverloadProbe();
  let peak = 0;
  const steps = new Map<string, Step[]>();
  let firstAfterMs = 0;
  let refusals = 0;
  const step = async (label: string, words: readonly string[], isProbed: boolean): Promise<LoadJson> => {
    if (isProbed) probe.start(plan.port);
    const json = await runLoad(plan, words);
    if (isProbed) await probe.stop();
    const taken: Step = {
      rate: json.rate,
      share: label === "peak" ? 1 : json.rate / peak,
      acceptedMsP99: json.latency_uncorrected_ms.p99 ?? Number.POSITIVE_INFINITY,
      refusedMsP99: json.latency_refused_ms.p99,
      success: json.success,
    };
    refusals += (json.errors.unavailable ?? 0) + (json.errors.rate_limited ?? 0);
    steps.set(label, [...(steps.get(label) ?? []), taken]);
    const figures = [
      `${Math.round(taken.rate)}/s`,
      `accepted p99 ${msText(taken.acceptedMsP99)}`,
      `refused p99 ${msText(taken.refusedMsP99)}`,
    ];
    console.error(
      `${plan.name}, ${label}: ${figures.join(", ")}${json.void === null ? "" : `; ${json.void}`}`,
    );
    return json;
  };
  for (let round = 0; round < plan.rounds; round++) {
    peak = (await step("peak", ["--clients", `${plan.peakClients}`], false)).rate;
    await step("before", ["--rate", `${Math.max(1, Math.round(peak * MODERATE))}`], false);
    for (const times of round % 2 === 0 ? OVERLOADS : OVERLOADS.toReversed())
      await step(`${times}`, ["--rate", `${Math.round(peak * times)}`], true);
    const sentMs = performance.now();
    const { status } = await exchange(plan.port, post(metric("after_overload"), { "X-Client-Id": "after" }));
    firstAfterMs = Math.max(firstAfterMs, performance.now() - sentMs);
    if (status !== 200) probe.problems.push(`the first batch after the overload was answered ${status}`);
    await step("after", ["--rate", `${Math.max(1, Math.round(peak * MODERATE))}`], false);
  }
  return {
    peak: medianStep(steps.get("peak")!),
    before: medianStep(steps.get("before")!),
    after: medianStep(steps.get("after")!),
    overloads: new Map(OVERLOADS.map((times) => [times, medianStep(steps.get(`${times}`)!)])),
    pagesMsP99: probe.pages.percentile(0.99) / 1e6,
    pages: probe.pages.count(),
    firstAfterMs,
    refusals,
    problems: [...new Set(probe.problems)],
  };
}

async function runLoad(plan: LevelsPlan, words: readonly string[]): Promise<LoadJson> {
  const url = `http://127.0.0.1:${plan.port}/metrics`;
  const shape = ["--clients", `${plan.clients}`, "--batch", `${plan.metrics}`];
  const time = ["--duration", `${plan.seconds}s`, "--warm-up", "1s", "--timeout", "2s"];
  return (await loadJson(["--url", url, ...shape, ...time, ...words], plan.wrapper)).json;
}

function medianStep(steps: readonly Step[]): Step {
  const refused = steps.flatMap(({ refusedMsP99 }) => (refusedMsP99 === null ? [] : [refusedMsP99]));
  return {
    rate: median(steps.map(({ rate }) => rate)),
    share: median(steps.map(({ share }) => share)),
    acceptedMsP99: median(steps.map(({ acceptedMsP99 }) => acceptedMsP99)),
    refusedMsP99: refused.length === 0 ? null : median(refused),
    success: median(steps.map(({ success }) => success)),
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export function msText(ms: number | null): string {
  return ms === null ? "none" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
