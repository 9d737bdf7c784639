// Measures our own server along one setting (`--sweep threads=1,2,4`), and in the architectures that the project came
// from (`--compare-phases`): the same loads for each, a fresh server for each.

import type { SuspectId } from "../diagnosis/suspect.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { PhaseRowJson, SweepJson } from "../report/report-json.ts";
import { PHASES } from "../search/phases.ts";
import type { Sweep } from "../search/sweep.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import { diagnoseLevels } from "./diagnosis-run.ts";
import type { OnProgress } from "./progress.ts";
import { measureVariant, pacedSpec, unpacedSpec, type Variant } from "./variant-run.ts";

const SECONDS = 2;
/** Enough to keep every ingest thread busy, few enough that each has its turn within the objective. */
const SWEEP_CLIENTS = 128;
/** The origin's column: success with this many clients. */
const PHASE_CLIENTS = 100;
/** Where the origin's own curve broke; what an architecture can do is looked for up to here. */
const PHASE_RATE_CLIENTS: readonly number[] = [16, 100, 500];

export async function runSweep(
  options: CapacityOptions,
  sweep: Sweep,
  onProgress: OnProgress,
): Promise<SweepJson> {
  const rows: SweepJson["rows"][number][] = [];
  onProgress({
    kind: "part",
    text: `the sweep of --${sweep.flag}`,
    secondsAbout: sweep.values.length * (SECONDS + 2),
  });
  let first: number | null = null;
  for (const value of sweep.values) {
    if (options.signal.aborted) break;
    const row = await tryMeasure(options, variant([`--${sweep.flag}`, value]), onProgress);
    first ??= row.rate;
    rows.push({
      value,
      ...row,
      gain: first !== null && first > 0 && row.rate !== null ? row.rate / first : null,
    });
    onProgress({
      kind: "note",
      text:
        row.error ??
        `--${sweep.flag} ${value}: ${Math.round(row.rate ?? 0)} requests/s, p99 ${row.p99_ms?.toFixed(1)} ms`,
    });
  }
  return { setting: sweep.flag, rows };
}

async function tryMeasure(
  options: CapacityOptions,
  setting: Variant,
  onProgress: OnProgress,
): Promise<Omit<SweepJson["rows"][number], "value" | "gain">> {
  try {
    const spec = unpacedSpec("sweep", "sweep", SWEEP_CLIENTS, SECONDS);
    const [level] = await measureVariant(options, setting, [spec], onProgress);
    return { rate: level!.load.rate, p99_ms: msP99(level!), success: successOf(level!), error: null };
  } catch (error) {
    return { rate: null, p99_ms: null, success: null, error: (error as Error).message };
  }
}

export async function comparePhases(
  options: CapacityOptions,
  target: TargetFacts,
  onProgress: OnProgress,
): Promise<PhaseRowJson[]> {
  onProgress({ kind: "part", text: "the phases", secondsAbout: PHASES.length * (4 * SECONDS + 2) });
  const rows: PhaseRowJson[] = [];
  for (const phase of PHASES) {
    if (options.signal.aborted) break;
    const specs = [
      pacedSpec("phase", phase.id, PHASE_CLIENTS, options.paceMs, SECONDS),
      ...PHASE_RATE_CLIENTS.map((clients) => unpacedSpec("phase", phase.id, clients, SECONDS)),
    ];
    const setting: Variant = { flags: phase.flags, descriptors: null, keepAlive: phase.keepAlive };
    const levels = await measureVariant(options, setting, specs, onProgress);
    rows.push(toPhaseRow(options, target, phase, levels));
    const { rate, p99_ms } = rows.at(-1)!;
    onProgress({
      kind: "note",
      text: `${phase.title}: ${Math.round(rate ?? 0)} requests/s, p99 ${p99_ms?.toFixed(1)} ms`,
    });
  }
  return rows;
}

function toPhaseRow(
  options: CapacityOptions,
  target: TargetFacts,
  phase: (typeof PHASES)[number],
  levels: readonly Level[],
): PhaseRowJson {
  const [paced, ...unpaced] = levels;
  const holding = unpaced.filter((level) => level.objective.met);
  const best = highestRate(holding) ?? highestRate(unpaced);
  return {
    phase: phase.title,
    architecture: phase.architecture,
    flags: phase.flags,
    origin: phase.origin,
    rate: best === null ? null : best.load.rate,
    success_100: paced === undefined ? null : successOf(paced),
    p99_ms: best === null ? null : msP99(best),
    limit: best === null ? null : limitOf(options, target, unpaced),
  };
}

function limitOf(options: CapacityOptions, target: TargetFacts, levels: readonly Level[]): SuspectId | null {
  const { suspects } = diagnoseLevels(target, levels, options.objective);
  const first = suspects[0];
  return first?.verdict === "confirmed" || first?.verdict === "possible" ? first.id : null;
}

function variant(flags: readonly string[]): Variant {
  return { flags, descriptors: null, keepAlive: flags[0] === "--keep-alive" ? flags[1] !== "off" : null };
}

function highestRate(levels: readonly Level[]): Level | null {
  return levels.reduce<Level | null>(
    (best, level) => (best === null || level.load.rate > best.load.rate ? level : best),
    null,
  );
}

function successOf(level: Level): number {
  return level.load.requests === 0 ? 0 : level.load.succeeded / level.load.requests;
}

function msP99(level: Level): number | null {
  const nanoseconds = level.load.latency.percentile(0.99);
  return Number.isNaN(nanoseconds) ? null : nanoseconds / 1e6;
}
