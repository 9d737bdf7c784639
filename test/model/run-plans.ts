// Runs plan after plan, from one seed on, until so many crash points are reached or a run goes wrong.

import { ACK_ACCEPTED, ACK_WRITTEN } from "../../src/log/files.ts";
import { type Operation, type Plan, planRun } from "./operations.ts";
import type { Between } from "./restart.ts";
import { type RunCounts, shrink, simulate } from "./simulated-run.ts";

const COUNTS: (keyof RunCounts)[] = [
  "powerCuts",
  "kills",
  "batchesSynced",
  "batchesWritten",
  "batchesRefused",
  "linesChecked",
];

export interface Failure {
  readonly plan: Plan;
  readonly problems: readonly string[];
}

export interface RunsFound {
  readonly runs: number;
  readonly counts: RunCounts;
  readonly failed: Failure | null;
}

/** `told` hears of the progress, now and then. */
export function runPlans(
  seed: number,
  points: number,
  between?: Between,
  told: (counts: RunCounts) => void = () => {},
): RunsFound {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as unknown as RunCounts;
  let runs = 0;
  let toldAt = 0;
  while (counts.powerCuts + counts.kills < points) {
    const plan = planRun(seed + runs++);
    const result = simulate(plan, between);
    for (const name of COUNTS) counts[name] += result.counts[name];
    if (result.problems.length > 0) return { runs, counts, failed: { plan, problems: result.problems } };
    if (counts.powerCuts + counts.kills - toldAt < points / 20) continue;
    toldAt = counts.powerCuts + counts.kills;
    told(counts);
  }
  return { runs, counts, failed: null };
}

/** What went wrong, how to have it again, and the fewest operations that were found to do it. */
export function describeFailure(failure: Failure, between?: Between): string {
  const shorter = shrink(failure.plan, between);
  const again = simulate(shorter, between);
  const { operations, ...settings } = shorter;
  return [
    `TIDEMARK_MODEL_SEED=${failure.plan.seed}, or --seed ${failure.plan.seed}`,
    ...failure.problems,
    `With fewer operations, ${JSON.stringify(settings)}:`,
    ...operations.map((operation) => `  ${describe(operation)}`),
    ...again.problems,
  ].join("\n");
}

function describe(operation: Operation): string {
  if (operation.kind !== "append") return JSON.stringify(operation);
  const { lines, lineBytes, level } = operation;
  const ack = level === ACK_ACCEPTED ? "accepted" : level === ACK_WRITTEN ? "written" : "synced";
  return `append ${lines} lines of ${lineBytes} bytes at ${ack}`;
}
