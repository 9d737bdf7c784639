// Tries the remedies: our own server as it was and with the fix, in turns, under the load that showed the limit, and the
// measured gain beside the predicted one. A machine's mood changes within minutes, hence the turns.

import type { Remedy, Suspect, SuspectId } from "../diagnosis/suspect.ts";
import type { Level, TargetFacts } from "../level.ts";
import type { VerificationJson } from "../report/report-json.ts";
import type { LevelSpec } from "../search/ladder.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import { diagnoseLevels } from "./diagnosis-run.ts";
import type { OnProgress } from "./progress.ts";
import { measureVariant, unpacedSpec, type Variant } from "./variant-run.ts";

/** Remedies tried in one run: the likeliest suspects only. */
const REMEDIES_MAX = 3;
const ROUNDS = 2;
const SECONDS = 2.5;
/** Measured and predicted gain agree within this share of the predicted. */
const AGREES_WITHIN = 0.25;
/** A gain below this is the machine's noise. */
const GAIN_MIN = 1.08;

/** As it is: no further flags, our own limits. */
const UNCHANGED: Variant = { flags: [], descriptors: null, keepAlive: null };

export async function verifyRemedies(
  options: CapacityOptions,
  target: TargetFacts,
  suspects: readonly Suspect[],
  limiting: Level,
  onProgress: OnProgress,
): Promise<VerificationJson[]> {
  const rows: VerificationJson[] = [];
  const likely = suspects.filter(({ verdict }) => verdict === "confirmed" || verdict === "possible");
  for (const suspect of likely.slice(0, REMEDIES_MAX)) {
    if (options.signal.aborted) break;
    const why = whyNotTried(target, suspect.remedy);
    if (why !== null) {
      rows.push(untried(suspect, why));
      continue;
    }
    onProgress({
      kind: "part",
      text: `what ${describeRemedy(suspect.remedy)} changes`,
      secondsAbout: 4 * ROUNDS * SECONDS,
    });
    rows.push(await tryRemedy(options, target, suspect, comparableSpec(limiting), onProgress));
  }
  return rows;
}

async function tryRemedy(
  options: CapacityOptions,
  target: TargetFacts,
  suspect: Suspect,
  spec: LevelSpec,
  onProgress: OnProgress,
): Promise<VerificationJson> {
  const before: Level[] = [];
  const after: Level[] = [];
  try {
    for (let round = 0; round < ROUNDS && !options.signal.aborted; round++) {
      before.push(...(await measureVariant(options, UNCHANGED, [spec], onProgress)));
      after.push(...(await measureVariant(options, variantOf(suspect.remedy), [spec], onProgress)));
    }
  } catch (error) {
    return untried(suspect, `it could not be tried: ${(error as Error).message}`);
  }
  if (after.length === 0) return untried(suspect, "it was not tried: the run was ended");
  const rateBefore = meanRate(before);
  const rateAfter = meanRate(after);
  const measured = rateBefore > 0 ? rateAfter / rateBefore : null;
  const next =
    measured === null || measured < GAIN_MIN ? null : nextSuspect(options, target, after, suspect.id);
  return {
    suspect: suspect.id,
    remedy: describeRemedy(suspect.remedy),
    rate_before: rateBefore,
    rate_after: rateAfter,
    predicted: suspect.gain.predicted,
    measured,
    conclusion: conclude(suspect.gain.predicted, measured, next),
    next_suspect: next,
  };
}

function whyNotTried(target: TargetFacts, remedy: Remedy): string | null {
  if (remedy.kind === "none") return `not tried: ${remedy.why}`;
  return target.isOwn ? null : "not tried: the target is not ours to start again";
}

function untried(suspect: Suspect, conclusion: string): VerificationJson {
  return {
    suspect: suspect.id,
    remedy: describeRemedy(suspect.remedy),
    rate_before: null,
    rate_after: null,
    predicted: suspect.gain.predicted,
    measured: null,
    conclusion,
    next_suspect: null,
  };
}

function variantOf(remedy: Remedy): Variant {
  if (remedy.kind === "flags") return { ...UNCHANGED, flags: remedy.flags };
  if (remedy.kind === "descriptors") return { ...UNCHANGED, descriptors: remedy.count };
  return UNCHANGED;
}

export function describeRemedy(remedy: Remedy): string {
  if (remedy.kind === "flags") return remedy.flags.join(" ");
  if (remedy.kind === "descriptors") return `ulimit -n ${remedy.count}`;
  return "none";
}

/** A searched rate asks for no more than it did before, so what limits it is measured with clients that do not wait. */
function comparableSpec(limiting: Level): LevelSpec {
  const { kind, clients, paceMs, load } = limiting;
  if (kind === "paced") {
    return { id: "verify", kind, part: "verify", clients, paceMs, rate: null, stop: load.plan.stop };
  }
  return { ...unpacedSpec("verify", "verify", clients, SECONDS), id: "verify" };
}

function meanRate(levels: readonly Level[]): number {
  return levels.reduce((sum, level) => sum + level.load.rate, 0) / levels.length;
}

function nextSuspect(
  options: CapacityOptions,
  target: TargetFacts,
  levels: readonly Level[],
  cured: SuspectId,
): SuspectId | null {
  const { suspects } = diagnoseLevels(target, levels, options.objective);
  const first = suspects.find(({ verdict }) => verdict === "confirmed" || verdict === "possible");
  return first === undefined || first.id === cured ? null : first.id;
}

function conclude(predicted: number | null, measured: number | null, next: SuspectId | null): string {
  const behind = next === null ? "" : `; what limits now looks like ${next}`;
  if (measured === null) return "no gain can be said: nothing succeeded before";
  if (measured < GAIN_MIN)
    return predicted !== null && predicted < GAIN_MIN
      ? "no gain, as predicted"
      : "no gain: this was not the limit, or another one stands right behind it";
  if (predicted === null) return `it helps; nothing had been predicted${behind}`;
  const share = measured / predicted;
  if (Math.abs(share - 1) <= AGREES_WITHIN) return `the gain agrees with the prediction${behind}`;
  return share < 1 ? `it helps, less than predicted${behind}` : `it helps more than predicted${behind}`;
}
