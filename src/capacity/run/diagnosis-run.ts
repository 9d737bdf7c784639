// Joins the evidence of levels to the diagnosis: reduces each level's samples, chooses the levels that show the limit and
// the healthy one, and asks. Pure.

import { chooseLevels, diagnose } from "../diagnosis/diagnose.ts";
import type { Suspect } from "../diagnosis/suspect.ts";
import { summarise } from "../evidence/level-evidence.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { Objective } from "../search/objective.ts";

export interface Diagnosis {
  /** All of them, in order; empty where there was no level. */
  readonly suspects: readonly Suspect[];
  /** The level that shows the limit. */
  readonly limiting: Level | null;
}

export function diagnoseLevels(
  target: TargetFacts,
  levels: readonly Level[],
  objective: Objective,
): Diagnosis {
  if (levels.length === 0) return { suspects: [], limiting: null };
  const diagnosed = levels.map((level) => ({ level, evidence: summarise(level) }));
  const { limiting, healthy } = chooseLevels(diagnosed);
  return {
    suspects: diagnose({ target, levels: diagnosed, limiting, healthy, objective }),
    limiting: levels[limiting]!,
  };
}
