// What every suspect's rule has in common: the figures it rests on, its opinion, and the advice that goes with it.
// Pure. Always: a rule that rules out while one of its sources is missing is turned into "unknown" here, so that no rule
// can get this wrong; and a confirmed suspect has a figure for it.

import { assert } from "../../base/assert.ts";
import type { Reading } from "./reading.ts";
import type { Remedy, Suspect, SuspectId, Verdict } from "./suspect.ts";

/** A figure that the rule cannot rule out without. */
export interface Source {
  /** In words: "the soft limit of descriptors". */
  readonly what: string;
  readonly value: unknown;
}

export interface Opinion {
  readonly verdict: Verdict;
  /** 0 to 1: how well the figures fit; it orders suspects of one verdict. */
  readonly weight: number;
  readonly for: readonly string[];
  readonly against: readonly string[];
  /** Factor on the rate; its arithmetic is one of the sentences in `for`. */
  readonly predicted?: number | null;
  readonly check: string;
  readonly fix: string;
  readonly remedy: Remedy;
}

export interface Rule {
  readonly id: SuspectId;
  readonly title: string;
  readonly restsOn: (reading: Reading) => readonly Source[];
  readonly judge: (reading: Reading) => Opinion;
}

export function applyRule(rule: Rule, reading: Reading): Suspect {
  const opinion = rule.judge(reading);
  const missing = rule
    .restsOn(reading)
    .filter(({ value }) => value === null)
    .map(({ what }) => what);
  const isBlind = opinion.verdict === "ruled-out" && missing.length > 0;
  const verdict = isBlind ? "unknown" : opinion.verdict;
  assert(verdict !== "confirmed" || opinion.for.length > 0, "what is confirmed has a figure for it");
  const against =
    verdict === "unknown" && missing.length > 0
      ? [...opinion.against, `Not known here: ${missing.join(", ")}.`]
      : opinion.against;
  return {
    id: rule.id,
    title: rule.title,
    verdict,
    weight: verdict === "unknown" || verdict === "ruled-out" ? 0 : clamp(opinion.weight),
    for: opinion.for,
    against,
    check: opinion.check,
    fix: opinion.fix,
    remedy: opinion.remedy,
    gain: {
      predicted: verdict === "confirmed" || verdict === "possible" ? (opinion.predicted ?? null) : null,
      measured: null,
    },
  };
}

/** The flags for a server of ours; for any other why they cannot be tried. */
export function flagsFor(reading: Reading, flags: readonly string[], otherwise: string): Remedy {
  return reading.target.isTidemark ? { kind: "flags", flags } : { kind: "none", why: otherwise };
}

function clamp(weight: number): number {
  return Math.min(1, Math.max(0, weight));
}
