// The sentences of a report: key findings, conclusion, next steps, each from the run's own figures. Pure.

import type { Level, TargetFacts } from "../level.ts";
import type { CapacityJson, SuspectJson, VerificationJson } from "../report/report-json.ts";

export interface Told {
  readonly target: TargetFacts;
  readonly capacity: CapacityJson;
  readonly suspects: readonly SuspectJson[];
  readonly levels: readonly Level[];
  readonly verification: readonly VerificationJson[];
  readonly isVoid: string | null;
}

/** Paced levels whose rate lies within this share of the clients' pace say nothing of the server's limit. */
const AT_PACE = 0.98;

export function findFindings({ capacity, levels, isVoid }: Told): string[] {
  const findings: string[] = [];
  if (isVoid !== null) findings.push(`The run proves nothing about the target: ${isVoid}.`);
  findings.push(sustained(capacity));
  const { sweet_spot: sweet, breaking_point: breaking, knee } = capacity;
  if (sweet !== null)
    findings.push(
      `Sweet spot: ${count(sweet.rate)} requests/s at ${count(sweet.clients)} clients, ${percent(sweet.success)} success, p99 ${ms(sweet.p99_ms)}.`,
    );
  if (knee !== null && knee.level !== sweet?.level)
    findings.push(
      `Knee: past ${count(knee.clients)} clients (${count(knee.rate)} requests/s) more clients bring mostly latency.`,
    );
  findings.push(
    breaking === null
      ? "Breaking point: none was reached on the ladder."
      : `Breaking point: ${count(breaking.clients)} clients, ${percent(breaking.success)} success, p99 ${ms(breaking.p99_ms)} (${missesOf(levels, breaking.level)}).`,
  );
  const atPace = levels.filter(
    ({ kind, load, plannedRate }) =>
      kind === "paced" && plannedRate !== null && load.rate >= plannedRate * AT_PACE,
  );
  if (atPace.length > 0)
    findings.push(
      `In ${atPace.length} of the paced levels the rate is the pace that the clients were set to, not what the server can do; the unpaced levels and the search say that.`,
    );
  const made = madeByAgents(levels);
  if (made !== null) findings.push(made);
  const void_ = levels.filter(({ load }) => load.void !== null);
  if (void_.length > 0 && isVoid === null)
    findings.push(
      `Left out of every conclusion, because the generator was the limit: ${void_.map(({ id }) => id).join(", ")}.`,
    );
  return findings;
}

/** Who made the load, where other machines did. */
function madeByAgents(levels: readonly Level[]): string | null {
  const runs = levels.flatMap(({ load }) => (load.agents === null ? [] : [load.agents]));
  const names = [
    ...new Set(runs.flatMap(({ parts }) => parts.map(({ name, host }) => `${name} on ${host}`))),
  ];
  if (names.length === 0) return null;
  const apart = Math.max(0, ...runs.map(({ startsApartMs }) => startsApartMs ?? 0));
  const error = Math.max(0, ...runs.map(({ clockErrorMs }) => clockErrorMs));
  return `The load came from ${names.length === 1 ? "the agent" : `${names.length} agents:`} ${names.join(", ")}; in each level they started within ${ms(apart)}, give or take ${ms(error)}.`;
}

export function conclude({ capacity, suspects, verification, target, isVoid }: Told): string[] {
  if (isVoid !== null) return [`Nothing is proved: ${isVoid}.`];
  const lines = [sustained(capacity)];
  const confirmed = suspects.filter(({ verdict }) => verdict === "confirmed");
  const first = suspects[0];
  if (confirmed.length > 0) {
    lines.push(`What stops ${target.url} there: ${confirmed.map(nameOf).join("; ")}.`);
  } else if (first?.verdict === "possible") {
    lines.push(`What stops it is not certain; the likeliest is ${nameOf(first)}.`);
  } else {
    lines.push("What stops it is unknown: no suspect has enough evidence. That is an answer, not a failure.");
  }
  for (const row of verification) {
    if (row.measured !== null)
      lines.push(
        `Tried: ${row.remedy} (${row.suspect}) brought × ${row.measured.toFixed(2)}: ${row.conclusion}.`,
      );
  }
  return lines;
}

export function nextSteps({ suspects, verification, target, isVoid }: Told): string[] {
  if (isVoid !== null) return ["Mend what voids the run, and run it again."];
  const steps: string[] = [];
  for (const suspect of suspects) {
    if (suspect.verdict !== "confirmed" && suspect.verdict !== "possible") continue;
    const tried = verification.find((row) => row.suspect === suspect.id && row.measured !== null);
    const gain =
      suspect.gain.predicted === null ? "" : ` Predicted gain: × ${suspect.gain.predicted.toFixed(2)}.`;
    steps.push(
      tried === undefined
        ? `${capitalise(suspect.fix)}${suspect.fix.endsWith(".") ? "" : "."}${gain}`
        : `Keep ${tried.remedy}: measured × ${tried.measured!.toFixed(2)}.`,
    );
  }
  const hasRemedy = steps.length > 0 && verification.length === 0 && target.isOwn;
  if (hasRemedy) steps.push("Run again with --verify to have the fix tried and its gain measured.");
  if (!target.isTidemark && target.pid === null)
    steps.push("Give --pid, so that the target's own side can be read.");
  return steps;
}

function sustained({ rate, low, high, objective, is_at_least: isAtLeast }: CapacityJson): string {
  if (rate === null || rate === 0) return `No rate held the objective ${objective}.`;
  const interval = low === null || high === null ? "" : ` (${count(low)}–${count(high)})`;
  return `Sustained: ${isAtLeast ? "at least " : ""}${count(rate)} requests/s${interval} with ${objective}.`;
}

function missesOf(levels: readonly Level[], id: string): string {
  return levels.find((level) => level.id === id)?.objective.misses.join(", ") ?? "";
}

function nameOf({ title, verdict, for: reasons }: SuspectJson): string {
  return `${title} (${verdict}${reasons.length > 0 ? `: ${withoutStop(reasons[0]!)}` : ""})`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function ms(value: number | null): string {
  return value === null ? "unknown" : `${Number(value.toPrecision(3))} ms`;
}
