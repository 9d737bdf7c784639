// The days that docs/scale.md tells of: one on which nothing fails, one on which much does, and that one again with a
// calamity each that the plan does not cover, to see where it ends. Pure.
import { seededRandom } from "../seeded-random.ts";
import type { DaySettings } from "./day-settings.ts";
import { deploys, drawFailures, type Failure } from "./failures.ts";
import { drawLoad } from "./load-curve.ts";
import { type DayResult, runDay } from "./run-day.ts";

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly failures: readonly Failure[];
}

export interface ScenarioResult extends DayResult {
  readonly name: string;
  readonly title: string;
  readonly failures: readonly Failure[];
}

/** Of the day. */
const CALAMITY_AT = 0.7;
const OUTAGE_SHARE = 1 / 3;
const DRAINS_AWAY_SECONDS = 600;

export function drawScenarios(settings: DaySettings, seed: number): Scenario[] {
  const usual = deploys(settings);
  const failures = [...usual, ...drawFailures(settings, seededRandom(seed + 1))];
  const atS = Math.floor(settings.seconds * CALAMITY_AT);
  const drainsOf = (cluster: number): Failure[] =>
    Array.from({ length: settings.cells }, (_, cell) => cell)
      .filter((cell) => cell % settings.clusters === cluster)
      .flatMap((cell) =>
        Array.from(
          { length: settings.drainsPerCell },
          (_, drain): Failure => ({
            kind: "drain-away",
            atS: atS - DRAINS_AWAY_SECONDS,
            cell,
            drain,
            seconds: 2 * DRAINS_AWAY_SECONDS,
          }),
        ),
      );
  return [
    { name: "quiet", title: "nothing fails; two rolling deploys", failures: usual },
    { name: "failures", title: "a day with failures", failures },
    {
      name: "long-outage",
      title: "… and a cluster away for a third of the day",
      failures: [
        ...failures,
        {
          kind: "cluster-away",
          atS: Math.floor(settings.seconds * 0.4),
          cluster: 0,
          seconds: Math.floor(settings.seconds * OUTAGE_SHARE),
        },
      ],
    },
    {
      name: "drain-lost",
      title: "… and a drain's disk destroyed",
      failures: [...failures, { kind: "drain-lost", atS, cell: 0, drain: 0, seconds: 3_600 }],
    },
    {
      name: "power-cut",
      title: "… and the power of a cluster's majority, its drains away for 10 min",
      failures: [...failures, ...drainsOf(0), { kind: "power-cut", atS, cluster: 0 }],
    },
  ];
}

export function runScenario(settings: DaySettings, seed: number, scenario: Scenario): ScenarioResult {
  const load = drawLoad(settings, seededRandom(seed));
  return { ...scenario, ...runDay(settings, load, scenario.failures) };
}
