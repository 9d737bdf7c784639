// What coordinator and agent say to each other, and its form: one value of JSON each, with its `kind`. How values travel,
// and the version that they carry, is in message-parts.ts. Pure.
//
//   coordinator                                        agent
//   who ──────────────── to all ─────────────────────▶
//       ◀──────────────────────────────────────── here    name, host, and whom it works for
//   claim ───────────────────────────────────────────▶    it is one coordinator's now, or
//       ◀─────────────────────────────── claimed, refused    another's already, in words
//   beat ────────────── a request, twice a second ───▶
//       ◀──────────────────────────────────────── beat    its clock, and whose it is
//   prepare ── run, plan, share ─────────────────────▶    looks the target up, opens connections
//       ◀─────────────────────────────────────── ready
//   start ──── run, when by the agent's clock ───────▶    sends
//       ◀──────────────────────────────────────── slot    four a second, for the display only
//       ◀──────────────────────────────────────── done    every thread's tally
//   release ─────────────────────────────────────────▶    it is nobody's
//
// `stop` ends a run early; its `done` comes all the same. `failed` comes in the place of `ready` or `done`.

import { THREADS_MAX } from "../load/load-flags.ts";
import type { LoadPlan } from "../load/load-plan.ts";
import type { LoadSlot } from "../load/load-result.ts";
import type { LoadShare } from "../load/load-share.ts";
import type { ThreadTally } from "../load/thread-tally.ts";
import { Fields } from "./fields.ts";
import { NAME_LENGTH_MAX } from "./message-parts.ts";
import { decodePlan, decodeShare, encodePlan } from "./plan-codec.ts";
import { decodeTally, encodeTally } from "./tally-codec.ts";

/** All agents hear this subject. */
export const SUBJECT_OF_ALL = "tidemark.agents.who";
export const subjectOfAgent = (id: string): string => `tidemark.agents.agent.${id}`;
export const subjectOfCoordinator = (id: string): string => `tidemark.agents.coordinator.${id}`;

export type ToAgent =
  | { readonly kind: "who" }
  | { readonly kind: "claim" }
  | { readonly kind: "beat" }
  | { readonly kind: "prepare"; readonly run: number; readonly plan: LoadPlan; readonly share: LoadShare }
  /** `startMs`: of the agent's own monotonic clock. */
  | { readonly kind: "start"; readonly run: number; readonly startMs: number }
  | { readonly kind: "stop"; readonly run: number }
  | { readonly kind: "release" };

export type FromAgent =
  /** `worksFor`: the coordinator's name, "" where it is free. */
  | { readonly kind: "here"; readonly host: string; readonly worksFor: string }
  | { readonly kind: "claimed" }
  | { readonly kind: "refused"; readonly reason: string }
  /** `atMs`: its monotonic clock as it answers; `isYours`: it is claimed by who asks. */
  | { readonly kind: "beat"; readonly atMs: number; readonly isYours: boolean }
  | { readonly kind: "ready"; readonly run: number }
  | { readonly kind: "slot"; readonly run: number; readonly slot: LoadSlot }
  | { readonly kind: "done"; readonly run: number; readonly tallies: readonly ThreadTally[] }
  | { readonly kind: "failed"; readonly run: number; readonly reason: string };

const REASON_LENGTH_MAX = 2000;
const HOST_LENGTH_MAX = 255;
const KIND_LENGTH_MAX = 16;

/** For JSON.stringify. */
export function encodeMessage(message: ToAgent | FromAgent): unknown {
  if (message.kind === "prepare") return { ...message, plan: encodePlan(message.plan) };
  if (message.kind === "done") return { ...message, tallies: message.tallies.map(encodeTally) };
  if (message.kind === "failed" || message.kind === "refused")
    return { ...message, reason: message.reason.slice(0, REASON_LENGTH_MAX) };
  return message;
}

/** Throws TidemarkError where it is none. */
export function decodeToAgent(value: unknown): ToAgent {
  const fields = new Fields(value, "message");
  const kind = fields.text("kind", KIND_LENGTH_MAX);
  switch (kind) {
    case "who":
    case "claim":
    case "beat":
    case "release":
      return { kind };
    case "prepare": {
      const plan = decodePlan(fields.value("plan"));
      return { kind, run: fields.count("run"), plan, share: decodeShare(fields.value("share")) };
    }
    case "start":
      return { kind, run: fields.count("run"), startMs: fields.number("startMs") };
    case "stop":
      return { kind, run: fields.count("run") };
    default:
      throw fields.wrong("kind");
  }
}

/** Throws TidemarkError where it is none. */
export function decodeFromAgent(value: unknown): FromAgent {
  const fields = new Fields(value, "message");
  const kind = fields.text("kind", KIND_LENGTH_MAX);
  switch (kind) {
    case "here": {
      const worksFor = fields.text("worksFor", NAME_LENGTH_MAX);
      return { kind, host: fields.text("host", HOST_LENGTH_MAX), worksFor };
    }
    case "claimed":
      return { kind };
    case "refused":
      return { kind, reason: fields.text("reason", REASON_LENGTH_MAX) };
    case "beat":
      return { kind, atMs: fields.number("atMs"), isYours: fields.flag("isYours") };
    case "ready":
      return { kind, run: fields.count("run") };
    case "slot":
      return { kind, run: fields.count("run"), slot: decodeSlot(fields.fields("slot")) };
    case "done":
      return { kind, run: fields.count("run"), tallies: fields.list("tallies", THREADS_MAX, decodeTally) };
    case "failed":
      return { kind, run: fields.count("run"), reason: fields.text("reason", REASON_LENGTH_MAX) };
    default:
      throw fields.wrong("kind");
  }
}

function decodeSlot(fields: Fields): LoadSlot {
  return {
    atMs: fields.number("atMs"),
    sent: fields.count("sent"),
    succeeded: fields.count("succeeded"),
    failed: fields.count("failed"),
    latencyMsMean: fields.numberOrNull("latencyMsMean"),
    latencyMsMax: fields.numberOrNull("latencyMsMax"),
  };
}
