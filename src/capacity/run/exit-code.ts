// What a capacity run tells a script: 0 the objective was met, 1 it was not, 2 the run proves nothing. Pure.

import type { ReportJson } from "../report/report-json.ts";

/**
 * Where only a ladder was asked for, each of its clients was asked for by name: every paced level has to be served as
 * the objective says. Else it is enough that some rate was sustained.
 */
export function exitCodeOf(report: ReportJson, isLadderAlone: boolean): number {
  const { void: isVoid, capacity, levels } = report;
  if (isVoid !== null) return 2;
  if (isLadderAlone) return levels.every((level) => level.kind !== "paced" || level.objective_met) ? 0 : 1;
  return capacity.rate !== null && capacity.rate > 0 ? 0 : 1;
}
