// Puts a run's parts into the one shape that every report is made of. Pure: no clock, no files.

import { findSaturation, toEvidencePoints } from "../evidence/evidence-points.ts";
import { stolenRatio } from "../evidence/machine-facts.ts";
import { missingSources } from "../evidence/missing-sources.ts";
import type { Level, TargetFacts } from "../level.ts";
import { toLoadJson } from "../load/load-json.ts";
import type {
  CapacityJson,
  LevelJson,
  PhaseRowJson,
  ReportJson,
  SuspectJson,
  SweepJson,
  VerificationJson,
} from "../report/report-json.ts";
import type { FoundCapacity } from "../search/find-capacity.ts";
import { findLandmarks } from "../search/landmarks.ts";
import { originRows } from "../search/origin-report.ts";
import { fitScalability } from "../search/scalability.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import type { Diagnosis } from "./diagnosis-run.ts";
import { conclude, findFindings, nextSteps } from "./findings.ts";
import { measureBudget } from "./latency-budget.ts";
import { whyRunIsVoid } from "./run-void.ts";

export interface RunParts {
  readonly options: CapacityOptions;
  readonly startedAtMs: number;
  readonly tookS: number;
  readonly machine: ReportJson["machine"];
  readonly target: TargetFacts;
  readonly levels: readonly Level[];
  readonly found: FoundCapacity | null;
  readonly diagnosis: Diagnosis;
  readonly verification: readonly VerificationJson[];
  readonly phases: readonly PhaseRowJson[];
  readonly sweeps: readonly SweepJson[];
}

export function buildReport(parts: RunParts): ReportJson {
  const { options, target, levels, diagnosis, verification } = parts;
  const samples = levels.flatMap((level) => level.samples);
  const capacity = toCapacity(parts);
  const suspects = diagnosis.suspects.map((suspect): SuspectJson => {
    const measured = verification.find((row) => row.suspect === suspect.id)?.measured ?? null;
    const { id, title, verdict, check, fix } = suspect;
    const gain = { predicted: suspect.gain.predicted, measured };
    return { id, title, verdict, for: suspect.for, against: suspect.against, check, fix, gain };
  });
  const unpaced = levels.filter(
    ({ kind, load }) => kind === "unpaced" && load.void === null && load.rate > 0,
  );
  const isVoid = whyRunIsVoid(levels, parts.found, diagnosis.suspects);
  const told = { target, capacity, suspects, levels, verification, isVoid };
  return {
    format: "tidemark-capacity/1",
    tidemark: options.version,
    started_at: new Date(parts.startedAtMs).toISOString(),
    took_s: parts.tookS,
    command: options.commandText,
    target: {
      url: target.url,
      is_own: target.isOwn,
      is_tidemark: target.isTidemark,
      pid: target.pid,
      software: target.software,
      settings: target.settings,
    },
    machine: { ...parts.machine, stolen_ratio: stolenRatio(samples.at(0), samples.at(-1)) },
    levels: levels.map(toLevelJson),
    capacity,
    scalability: fitScalability(unpaced.map(({ clients, load }) => ({ clients, rate: load.rate }))),
    suspects,
    findings: findFindings(told),
    origin: originRows(levels),
    budget: measureBudget(levels),
    phases: parts.phases,
    sweeps: parts.sweeps,
    verification,
    conclusion: conclude(told),
    next_step: nextSteps(told),
    missing: missingSources(samples, target),
    void: isVoid,
  };
}

function toLevelJson(level: Level): LevelJson {
  const evidence = toEvidencePoints(level);
  return {
    ...toLoadJson(level.load),
    id: level.id,
    kind: level.kind,
    part: level.part,
    clients: level.clients,
    pace_ms: level.paceMs,
    planned_rate: level.plannedRate,
    objective_met: level.objective.met,
    objective_misses: level.objective.misses,
    evidence,
    saturation: findSaturation(evidence),
  };
}

function toCapacity({ options, levels, found }: RunParts): CapacityJson {
  const landmarks = findLandmarks(levels.filter(({ part }) => part === "ladder"));
  const best = bestHolding(levels);
  return {
    rate: found === null ? (best?.load.rate ?? null) : found.rate,
    low: found === null ? (best?.load.rate ?? null) : found.low,
    high: found?.high ?? null,
    objective: options.objective.text,
    is_at_least: found === null ? best !== null : found.isAtLeast,
    sweet_spot: landmarks.sweetSpot,
    knee: landmarks.knee,
    breaking_point: landmarks.breakingPoint,
    clients_at_breaking: landmarks.clientsAtBreaking,
  };
}

/** Without a search the ladder's best level is a lower bound. */
function bestHolding(levels: readonly Level[]): Level | null {
  return levels
    .filter(({ objective, load }) => objective.met && load.void === null)
    .reduce<Level | null>(
      (best, level) => (best === null || level.load.rate > best.load.rate ? level : best),
      null,
    );
}
