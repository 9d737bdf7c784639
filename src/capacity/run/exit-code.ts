// What a capacity run tells a script: 0 the objective was met, 1 it was not, 2 the run proves nothing. Pure.

import type { ReportJson } from "../report/report-json.ts";

export function exitCodeOf({ void: isVoid, capacity, levels, command }: ReportJson): number {
  if (isVoid !== null) return 2;
  if (/ --ladder[ =]/.test(command) && !/ --search\b/.test(command)) {
    // These clients were asked for by name: each of them has to be served as the objective says.
    return levels.every(({ kind, objective_met: isMet }) => kind !== "paced" || isMet) ? 0 : 1;
  }
  return capacity.rate !== null && capacity.rate > 0 ? 0 : 1;
}
