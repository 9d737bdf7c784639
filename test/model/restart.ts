// What follows a crash in the model: recovery with the log's own code, itself crashed now and then and begun again, and
// the checks of what it leaves.

import type { LogFiles } from "../../src/log/files.ts";
import { ModelFiles } from "../../src/log/model-files.ts";
import { ModelTime } from "../../src/log/model-time.ts";
import { type RecoveryReport, recoverLane } from "../../src/log/recovery.ts";
import { type Random, wholeBetween } from "../crash/random.ts";
import { type Checked, checkQuarantine, checkRecovered, differences } from "./check.ts";
import type { Obligations, SentBatches } from "./sent-batches.ts";

export const LANE = "/data/lane-0";
/** So many steps a recovery has, about; it is crashed at one of them, or not where there are fewer. */
const STEPS_TYPICAL = 40;
const CRASHES_MAX = 3;
const NOTHING = /^$/;
/** Best effort: an index may be lost, and what was done to it; the probe is a file that nobody reads. */
const INDEX = /\.idx$|^direct\.probe$/;

/** Stands between the log and the model: a log that is broken on purpose, or nothing. */
export type Between = (files: ModelFiles) => LogFiles;

export interface Crash {
  readonly files: ModelFiles;
  readonly isPowerCut: boolean;
}

/** What must be there after each kind of crash. */
export interface Promises {
  readonly afterKill: Obligations;
  readonly afterPowerCut: Obligations;
}

export interface Restarted extends Checked {
  /** After a recovery that went through. */
  readonly files: ModelFiles;
  readonly crashes: number;
  readonly powerCuts: number;
}

export function crashHere(files: ModelFiles, isPowerCut: boolean, random: Random): Crash {
  return { files: isPowerCut ? files.afterPowerCut(random) : files.afterKill(random), isPowerCut };
}

export function restart(
  crash: Crash,
  sent: SentBatches,
  promises: Promises,
  random: Random,
  between: Between,
): Restarted {
  let { files } = crash;
  let powerCuts = crash.isPowerCut ? 1 : 0;
  let crashes = 1;
  for (;;) {
    const before = files.contents(LANE);
    const again = crashes <= CRASHES_MAX && random() < 0.4 ? wholeBetween(random, 1, STEPS_TYPICAL) : 0;
    const { report, next } = recoverUntil(files, again, random, between);
    if (next !== null) {
      files = next.files;
      crashes++;
      if (next.isPowerCut) powerCuts++;
      continue;
    }
    const obligations = powerCuts > 0 ? promises.afterPowerCut : promises.afterKill;
    const after = files.contents(LANE);
    const { problems, lines } = checkRecovered(after, report, sent, obligations);
    problems.push(...checkQuarantine(before, after), ...files.violations);
    if (files.openCount > 0) problems.push(`recovery left ${files.openCount} files open`);
    if (problems.length === 0) problems.push(...checkRepeated(files, report, random, between));
    return { files, crashes, powerCuts, problems, lines };
  }
}

/** Recovers, and says what the file system was at the step `crashAt` where that is reached. */
function recoverUntil(
  files: ModelFiles,
  crashAt: number,
  random: Random,
  between: Between,
): { report: RecoveryReport; next: Crash | null } {
  let next: Crash | null = null;
  let step = 0;
  files.onStep = () => {
    if (++step === crashAt) next = crashHere(files, random() < 0.6, random);
  };
  const report = recoverLane(between(files), LANE, () => {});
  files.onStep = () => {};
  return { report, next };
}

/** A second recovery finds nothing to do, and neither does one after the power went right behind the first. */
function checkRepeated(
  files: ModelFiles,
  report: RecoveryReport,
  random: Random,
  between: Between,
): string[] {
  const isPowerCut = random() < 0.5;
  const before = files.contents(LANE);
  const { files: again } = crashHere(files, isPowerCut, random);
  const second = recoverLane(between(again), LANE, () => {});
  const what = isPowerCut ? "after a power cut behind the recovery" : "after a second recovery";
  const problems = differences(what, before, again.contents(LANE), isPowerCut ? INDEX : NOTHING);
  if (second.nextSequence !== report.nextSequence)
    problems.push(`${what} the next sequence is ${second.nextSequence} and was ${report.nextSequence}`);
  return problems;
}

/** A file system with the lane's parent on it, as the server finds it. */
export function emptyFiles(random: Random): ModelFiles {
  const files = new ModelFiles(new ModelTime(), random);
  files.mkdir("/data");
  files.fsyncDirectory("/");
  return files;
}
