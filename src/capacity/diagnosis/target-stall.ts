// A target that stalls: silences that recur, in which it answers nothing and, where that can be seen, does nothing. A
// lock, a job of its own, a synchronous call to something slow. Clients alone can tell the silences; that they come at a
// regular beat tells them from the machine's noise. Quotas, syncs and full queues make silences too: see rank.ts. Pure.

import { countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, type Prediction, predict } from "./gain.ts";
import type { Reading } from "./reading.ts";
import { readStalls, type StallPattern } from "./stall-pattern.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import { SILENT_SHARE_MIN, STALL_MS_LONG } from "./thresholds.ts";

export const TARGET_STALL: Rule = {
  id: "target-stall",
  title: "a target that stalls",
  restsOn: ({ load }) => [{ what: "any answer of the server", value: load.succeeded > 0 ? true : null }],
  judge: judgeStall,
};

function judgeStall(reading: Reading): Opinion {
  const pattern = readStalls(reading);
  const { here, periodMs, activity } = pattern;
  const pros: string[] = [];
  const cons: string[] = [];
  if (here.length > 0)
    pros.push(
      `In ${countText(here.length)} silences of up to ${msUnitText(pattern.longestMs)} (${msUnitText(pattern.meanMs)} in the mean, ${shareText(round(pattern.share))} of the time) not one answer came.`,
    );
  else cons.push(`There was no silence of ${STALL_MS_LONG} ms or longer.`);
  if (periodMs !== null)
    pros.push(
      `They come every ${msUnitText(periodMs)}, by ${countText(pattern.gaps)} gaps over the run; ${countText(pattern.levelsWith)} of ${countText(pattern.levelsAll)} levels had one.`,
    );
  else if (here.length >= 2) cons.push("They come at no regular beat, as far as the few of them show.");
  if (activity === "idle")
    pros.push(
      `During them it used ${shareText(round(pattern.activityRatio ?? 0))} of the CPU that it uses otherwise: it waited for something.`,
    );
  if (activity === "worked")
    pros.push("During them it used as much CPU as otherwise: it worked on something other than answers.");
  const doesMatter = matters(reading, pattern);
  if (!doesMatter && here.length > 0) cons.push("They are too short or too few to miss the objective.");
  const isConfirmed = periodMs !== null && here.length > 0 && doesMatter;
  // A single one at no beat may be anybody's, but where it is long enough to miss the objective it is named.
  const didMiss = !reading.level.objective.met && doesMatter && pattern.share >= SILENT_SHARE_MIN;
  const isPossible = here.length >= 2 || periodMs !== null || didMiss;
  const prediction = isConfirmed ? predictSteady(reading, pattern) : NO_PREDICTION;
  const isNamed = isConfirmed || isPossible;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.87 : activity === "idle" ? 0.4 : 0.25,
    for: isNamed ? [...pros, ...prediction.sentences] : [],
    against: isNamed ? cons : [...pros, ...cons],
    predicted: prediction.factor,
    check: `Linux: strace -f -r -p ${reading.pid} — a gap in the first column with the call it is in; cat /proc/${reading.pid}/stack during one (root). macOS: sample ${reading.pid} 5; sudo fs_usage -w ${reading.pid}. Stalls at a steady beat point to a timer or a job`,
    fix: "find what runs at that beat (a timer, a flush, a backup, a lock that is held) and move it off the path of requests",
    remedy: { kind: "none", why: "what stalls is the server's own work, and no setting is known to stop it" },
  };
}

/** They delay more than the objective allows: long enough, and often enough. */
function matters(reading: Reading, pattern: StallPattern): boolean {
  if (reading.level.objective.met) return pattern.share >= SILENT_SHARE_MIN;
  const { boundMs } = reading;
  return boundMs === null || pattern.longestMs >= boundMs;
}

function predictSteady(reading: Reading, { share }: StallPattern): Prediction {
  if (!(share < 1)) return NO_PREDICTION;
  return predict(
    reading,
    1 / (1 - share),
    `time that is not silent (1 ÷ (1 − ${share.toFixed(3)})); under an objective for latency it may be much more`,
  );
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
