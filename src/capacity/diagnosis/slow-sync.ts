// Slow syncs that requests wait for: fdatasync(2) in the path of every answer. Only a Tidemark tells. A sync that runs in the
// background, however slow, is no suspect, and neither are quick ones that follow each other all the time. Pure.

import { countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictShorter } from "./gain.ts";
import type { Reading } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  DISK_WAITS_NOT,
  STORAGE_MS_MIN,
  STORAGE_SHARE,
  STORAGE_SHARE_POSSIBLE,
  SYNC_BUSY,
  TURNS_WAITED,
} from "./thresholds.ts";

export const SLOW_SYNC: Rule = {
  id: "slow-sync",
  title: "slow sync",
  restsOn: ({ stats }) => [
    {
      what: "the time of the server's syncs (only a Tidemark tells)",
      value: stats?.syncMsMean ?? stats?.syncs ?? null,
    },
    { what: "what it promises with an answer (--ack)", value: stats?.ack ?? null },
  ],
  judge: judgeSync,
};

function judgeSync(reading: Reading): Opinion {
  const { stats, latencyMsP50, processor } = reading;
  if (stats === null)
    return {
      verdict: "unknown",
      weight: 0,
      for: [],
      against: foreignSyncTexts(reading),
      ...syncAdvice(reading),
    };
  const isInPath = isSyncInPath(reading);
  const mean = stats.syncMsMean;
  const pros: string[] = [];
  const cons: string[] = [];
  if (isInPath === null)
    return { verdict: "unknown", weight: 0, for: [], against: [], ...syncAdvice(reading) };
  if (stats.syncs === 0 || mean === null) {
    cons.push("No sync was made during the level.");
    return {
      verdict: isInPath ? "unknown" : "ruled-out",
      weight: 0,
      for: [],
      against: cons,
      ...syncAdvice(reading),
    };
  }
  const sentence = `A sync took ${msUnitText(mean)} in the mean and ${msUnitText(stats.syncMsP99)} at p99${busyText(stats.syncBusyRatio)}.`;
  if (!isInPath) {
    cons.push(`No request waits for a sync with --ack ${stats.ack}: they run in the background.`, sentence);
    return { verdict: "ruled-out", weight: 0, for: [], against: cons, ...syncAdvice(reading) };
  }
  const share = latencyMsP50 > 0 ? mean / latencyMsP50 : 0;
  const isLong = mean >= STORAGE_MS_MIN && share >= STORAGE_SHARE_POSSIBLE;
  const isMost = isLong && share >= STORAGE_SHARE && (stats.syncBusyRatio ?? 1) >= SYNC_BUSY * 0.5;
  const isBusy = (stats.syncBusyRatio ?? 0) >= SYNC_BUSY && mean >= STORAGE_MS_MIN;
  const isSaturated = processor.isSaturated === true;
  const isConfirmed = (isMost || (isBusy && isLong)) && !isSaturated;
  (isLong || isBusy ? pros : cons).push(
    `Every answer waits for a sync (--ack ${stats.ack}). ${sentence} The median latency is ${msUnitText(latencyMsP50)}.`,
  );
  if (stats.stagesMs.commit !== null && stats.stagesMs.commit !== undefined && isLong)
    pros.push(`The stage commit took ${msUnitText(stats.stagesMs.commit)} of a request in the mean.`);
  if (stats.syncFailures > 0) pros.push(`${countText(stats.syncFailures)} syncs failed.`);
  if (isSaturated && (isLong || isBusy)) cons.push("The processor was the limit meanwhile.");
  const isHint = isLong || isBusy;
  const prediction = isConfirmed
    ? predictShorter(
        reading,
        latencyMsP50,
        TURNS_WAITED * mean,
        `${msUnitText(latencyMsP50)} a request, of which about ${msUnitText(Math.min(latencyMsP50, TURNS_WAITED * mean))} is waiting for syncs (the rest of the one before, and its own)`,
      )
    : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : isHint ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.9 : 0.3 + 0.3 * Math.min(1, share),
    for: isConfirmed || isHint ? [...pros, ...prediction.sentences] : [],
    against: cons,
    predicted: prediction.factor,
    ...syncAdvice(reading),
  };
}

/** By the server's setting, or by what the requests themselves asked for; null where neither is known. */
function isSyncInPath({ stats, load }: Reading): boolean | null {
  const prefers = load.plan.headers.some(
    ([name, value]) => name.toLowerCase() === "prefer" && /ack\s*=\s*"?synced/i.test(value),
  );
  if (prefers) return true;
  const ack = stats?.ack ?? null;
  return ack === null ? null : ack === "synced";
}

function foreignSyncTexts({ evidence }: Reading): string[] {
  return evidence.diskSleepRatio === null || evidence.diskSleepRatio >= DISK_WAITS_NOT
    ? []
    : [
        `Hardly any of its threads was seen waiting for the disk (${shareText(round(evidence.diskSleepRatio))} of the samples), which does not show what requests wait for.`,
      ];
}

function syncAdvice(reading: Reading): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid } = reading;
  return {
    check:
      `Linux: strace -f -T -e trace=fsync,fdatasync,sync_file_range -p ${pid} — the time in <> is that of each sync. ` +
      `Of a Tidemark: GET /stats, sync.sync_ms beside latency_ms.commit. macOS: sudo fs_usage -w -f filesys ${pid} | grep -i sync`,
    fix: reading.target.isTidemark
      ? "--ack written, where a power cut may take the last 100 ms; else --data on a disk with a faster sync (one with power-loss protection)"
      : "fewer syncs in the path of a request (group commit), or a disk with a faster sync",
    remedy: flagsFor(
      reading,
      ["--ack", "written"],
      "when a server that is not ours syncs is set in its own configuration",
    ),
  };
}

function busyText(ratio: number | null): string {
  return ratio === null ? "" : `; syncs filled ${shareText(round(Math.min(1, ratio)))} of the time`;
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
