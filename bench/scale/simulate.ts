// Replays a day of a fleet of 100 million metrics a second over its plan, with failures, from a seed:
// `npm run scale -- simulate --seed 7`. It writes bench/results/scale-day.json, and from it docs/scale-day.svg and the
// tables of docs/scale.md. `--nodes N` replays another fleet and only prints what came of it.
import { parseArgs } from "node:util";
import { print } from "../print.ts";
import { ASSUMED } from "./assumptions.ts";
import { daySettings } from "./day/day-settings.ts";
import { dayTable } from "./day/day-table.ts";
import { type RecordedDay, recordDay } from "./day/recorded-day.ts";
import { drawScenarios, runScenario } from "./day/scenarios.ts";
import { readMeasured } from "./measured.ts";
import { writePage } from "./page.ts";
import { DAY_GOAL, planFleet } from "./plan.ts";

const SEED = "7";

const { values } = parseArgs({
  options: { seed: { type: "string", default: SEED }, nodes: { type: "string" } },
});
const seed = Number(values.seed);
const nodes = values.nodes === undefined ? null : Number(values.nodes);
if (
  !Number.isSafeInteger(seed) ||
  (nodes !== null && !(Number.isSafeInteger(nodes) && nodes >= 2 && nodes <= 10_000))
) {
  console.error("cannot simulate because --seed must be a whole number and --nodes one from 2 to 10000");
  process.exit(2);
}
const measured = readMeasured();
const plan = planFleet("day", nodes === null ? DAY_GOAL : { nodes }, measured, ASSUMED);
const settings = daySettings(plan, measured);
const scenarios = drawScenarios(settings, seed).map((scenario) => {
  const startMs = performance.now();
  const result = runScenario(settings, seed, scenario);
  print(`${scenario.title}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return result;
});
const day: RecordedDay = { seed, settings, scenarios };
print(dayTable(day));
if (nodes === null) {
  recordDay(day);
  writePage();
}
