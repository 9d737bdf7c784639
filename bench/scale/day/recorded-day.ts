// A simulated day as bench/results/scale-day.json keeps it: the settings that it ran with, what came of each scenario, and the
// samples of the one that is drawn.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DaySettings } from "./day-settings.ts";
import type { ScenarioResult } from "./scenarios.ts";

export interface RecordedDay {
  readonly seed: number;
  readonly settings: DaySettings;
  readonly scenarios: readonly ScenarioResult[];
}

/** Whose samples are kept. */
export const DRAWN = "failures";
const PATH = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "results/scale-day.json");

export function recordDay({ seed, settings, scenarios }: RecordedDay): void {
  const kept = scenarios.map((scenario) =>
    scenario.name === DRAWN ? scenario : { ...scenario, samples: [] },
  );
  const text = JSON.stringify({ seed, settings, scenarios: kept.map(withoutDeploys) }, null, 1);
  // A sample a line: a reader of a difference sees minutes, not digits.
  writeFileSync(
    PATH,
    `${text.replace(/\{\n\s+"(?:atS|kind)"[^{}]*\}/g, (object) => object.replace(/\s*\n\s*/g, " "))}\n`,
  );
}

export function readRecordedDay(): RecordedDay {
  return JSON.parse(readFileSync(PATH, "utf8")) as RecordedDay;
}

/** Deploys are the same in each, and many. */
function withoutDeploys(scenario: ScenarioResult): ScenarioResult {
  return { ...scenario, failures: scenario.failures.filter(({ kind }) => kind !== "node-restart") };
}
