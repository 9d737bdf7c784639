// A capacity run, whole: this file reads as its life. Main thread; each step hands plain values to the next.
//
//   target ─▶ warm-up ─▶ ladder ─▶ search ─▶ diagnosis ─▶ remedies tried ─▶ phases ─▶ sweeps ─▶ report
//   (own or --target)    (paced, then unpaced)           (--verify)        (--compare-phases) (--sweep)

import { readMachineFacts } from "../evidence/machine-facts.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { PhaseRowJson, ReportJson, SweepJson, VerificationJson } from "../report/report-json.ts";
import type { FoundCapacity } from "../search/find-capacity.ts";
import { type LevelSpec, ladderLevels, ORIGIN_LADDER, plannedSeconds } from "../search/ladder.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import { diagnoseLevels } from "./diagnosis-run.ts";
import { climbLadder } from "./ladder-run.ts";
import type { LevelRunner } from "./level-runner.ts";
import type { OnProgress } from "./progress.ts";
import { buildReport } from "./report-builder.ts";
import { searchCapacity } from "./search-run.ts";
import { comparePhases, runSweep } from "./sweep-run.ts";
import { withTarget } from "./variant-run.ts";
import { verifyRemedies } from "./verify-run.ts";

/** The search takes about so long, seconds: for the progress display only. */
const SEARCH_SECONDS_ABOUT = 40;

/** Levels that a search alone starts from. */
const SEARCH_CLIENTS: readonly number[] = [8, 64];

interface Measured {
  readonly target: TargetFacts;
  readonly levels: readonly Level[];
  readonly found: FoundCapacity | null;
}

/**
 * Measures and says what it found. Throws TidemarkError where the target cannot be reached or started; what goes wrong
 * later is in the report. An abort ends the level at hand, skips what is left, and reports what there is.
 */
export async function runCapacity(options: CapacityOptions, onProgress: OnProgress): Promise<ReportJson> {
  const startedAtMs = Date.now();
  const asItIs = { flags: [], descriptors: null, keepAlive: null };
  const { target, levels, found } = await withTarget(
    options,
    asItIs,
    options.objective,
    onProgress,
    (runner) => measure(options, runner, onProgress),
  );
  const diagnosis = diagnoseLevels(target, levels, options.objective);

  let verification: VerificationJson[] = [];
  if (options.verifies && diagnosis.limiting !== null)
    verification = await verifyRemedies(options, target, diagnosis.suspects, diagnosis.limiting, onProgress);
  let phases: PhaseRowJson[] = [];
  if (options.comparesPhases) phases = await comparePhases(options, target, onProgress);
  const sweeps: SweepJson[] = [];
  for (const sweep of options.sweeps) sweeps.push(await runSweep(options, sweep, onProgress));

  return buildReport({
    options,
    startedAtMs,
    tookS: (Date.now() - startedAtMs) / 1000,
    machine: readMachineFacts(),
    target,
    levels,
    found,
    diagnosis,
    verification,
    phases,
    sweeps,
  });
}

async function measure(
  options: CapacityOptions,
  runner: LevelRunner,
  onProgress: OnProgress,
): Promise<Measured> {
  const { target } = runner;
  onProgress({ kind: "part", text: `warming ${target.url} up`, secondsAbout: 1 });
  await runner.warmUp();
  const specs = ladderLevels({ ladder: options.ladder, paceMs: options.paceMs }).filter(
    (spec) => options.runsLadder || (spec.kind === "unpaced" && SEARCH_CLIENTS.includes(spec.clients)),
  );
  onProgress({ kind: "part", text: "the ladder", secondsAbout: plannedSeconds(specs) });
  const origins = ORIGIN_LADDER.map(({ clients }) => clients);
  // What was asked for by name, and the origin's own tests, are run whatever the levels before them were like.
  const isWanted = (spec: LevelSpec): boolean =>
    options.ladder !== null || (spec.kind === "paced" && origins.includes(spec.clients));
  const levels = await climbLadder(runner, specs, isWanted, onProgress, options.signal);
  if (!options.searches || options.signal.aborted) return { target, levels, found: null };
  onProgress({ kind: "part", text: "the search for the highest rate", secondsAbout: SEARCH_SECONDS_ABOUT });
  const search = await searchCapacity(runner, levels, options, onProgress);
  return { target, levels: [...levels, ...search.levels], found: search.found };
}
