// The log's storage: slow writes, slow syncs that requests wait for, and a full disk. A Tidemark tells of each; of another
// server only waiting for the disk can be seen, and not for what. A sync that no request waits for is no suspect. Pure.

import { bytesText, countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictAsked, predictShorter } from "./gain.ts";
import { type Reading, shareOf } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  DISK_WAITS,
  DISK_WAITS_NOT,
  FAILURES_EXPLAINED_MIN,
  QUEUE_BYTES_FULL,
  STORAGE_MS_MIN,
  STORAGE_SHARE,
  STORAGE_SHARE_POSSIBLE,
  SYNC_BUSY,
  WRITE_BUSY,
} from "./thresholds.ts";

/** A request waits for half of the sync before its own on average, and for its own. */
const SYNCS_WAITED = 1.5;

export const LOG_WRITE: Rule = {
  id: "log-write",
  title: "writing the log",
  restsOn: ({ evidence, stats, target }) =>
    target.isTidemark
      ? [
          { what: "the time of the server's writes (GET /stats)", value: stats?.writeMsMean ?? null },
          { what: "how full its queue was", value: stats?.queueRatioMax ?? null },
        ]
      : [
          {
            what: "what the server's threads wait for (needs --pid and /proc)",
            value: evidence.diskSleepRatio,
          },
          { what: "the machine's pressure on the disk", value: evidence.pressureIoRatio },
        ],
  judge: (reading) => (reading.target.isTidemark ? judgeOwnWrites(reading) : judgeForeignWrites(reading)),
};

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

export const DISK_FULL: Rule = {
  id: "disk-full",
  title: "a full disk",
  restsOn: ({ stats }) => [
    {
      what: "the state of the server's disk (only a Tidemark tells)",
      value: stats === null || stats.diskStates.length === 0 ? null : true,
    },
    { what: "its free space", value: stats?.diskFreeBytesMin ?? null },
  ],
  judge: judgeDiskFull,
};

function judgeOwnWrites(reading: Reading): Opinion {
  const { stats, latencyMsP50, processor } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const refused = stats?.rejected.queue ?? 0;
  const isRefusing = shareOf(reading, refused) >= reading.harmShare / 2;
  const mean = stats?.writeMsMean ?? null;
  const share = mean === null || !(latencyMsP50 > 0) ? 0 : mean / latencyMsP50;
  const isLong = mean !== null && mean >= STORAGE_MS_MIN && share >= STORAGE_SHARE_POSSIBLE;
  const isBusy = (stats?.writeBusyRatio ?? 0) >= WRITE_BUSY;
  const isQueueFull = (stats?.queueRatioMax ?? 0) >= QUEUE_BYTES_FULL;
  const isSaturated = processor.isSaturated === true;
  if (refused > 0) pros.push(`${countText(refused)} batches were refused because the log's queue was full.`);
  else if (stats !== null && stats.queueRatioMax !== null)
    (isQueueFull ? pros : cons).push(
      `The log's queue was at most ${shareText(round(stats.queueRatioMax))} full, and nothing was refused for it.`,
    );
  if (mean !== null)
    (isBusy || isLong ? pros : cons).push(
      `A write took ${msUnitText(mean)} in the mean, of a median latency of ${msUnitText(latencyMsP50)}${busyText("writes", stats?.writeBusyRatio)}.`,
    );
  if ((stats?.writeFailures ?? 0) > 0) pros.push(`${countText(stats!.writeFailures)} writes failed.`);
  // Small writes one after the other fill the time of a lane without being slow: the processor is the limit then.
  const isSlow = isLong && share >= STORAGE_SHARE && isBusy;
  const isConfirmed = (isSlow || (isRefusing && isBusy)) && !isSaturated;
  if (isSaturated && (isBusy || isLong || refused > 0))
    cons.push("The processor was the limit meanwhile, and writing needs it too.");
  const isHint = refused > 0 || isQueueFull || isLong || (isBusy && mean !== null && mean >= STORAGE_MS_MIN);
  const prediction =
    isConfirmed && mean !== null
      ? predictShorter(
          reading,
          latencyMsP50,
          SYNCS_WAITED * mean,
          `${msUnitText(latencyMsP50)} a request, of which about ${msUnitText(SYNCS_WAITED * mean)} is waiting for writes`,
        )
      : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : isHint ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.84 : 0.3 + 0.2 * Math.min(1, share),
    for: isConfirmed || isHint ? [...pros, ...prediction.sentences] : [],
    against: isConfirmed || isHint ? cons : [...pros, ...cons],
    predicted: prediction.factor,
    ...writeAdvice(reading),
  };
}

function judgeForeignWrites(reading: Reading): Opinion {
  const { diskSleepRatio: sleep, pressureIoRatio: pressure } = reading.evidence;
  const pressureHere = reading.isHere ? pressure : null;
  const pros: string[] = [];
  const cons: string[] = [];
  if (sleep !== null)
    (sleep >= DISK_WAITS ? pros : cons).push(
      `In ${shareText(round(sleep))} of the samples one of its threads waited for the disk (state D).`,
    );
  if (pressureHere !== null)
    (pressureHere >= DISK_WAITS ? pros : cons).push(
      `For ${shareText(round(pressureHere))} of the time some task of the machine waited for a disk.`,
    );
  const isWaiting = (sleep ?? 0) >= DISK_WAITS;
  const isPressed = (pressureHere ?? 0) >= DISK_WAITS;
  const isQuiet = (sleep ?? 1) < DISK_WAITS_NOT && (pressureHere ?? 1) < DISK_WAITS_NOT;
  const isConfirmed = isWaiting && isPressed && reading.processor.isSaturated === false;
  if ((isWaiting || isPressed) && reading.processor.isSaturated === true)
    cons.push("The processor was the limit meanwhile.");
  return {
    verdict: isConfirmed
      ? "confirmed"
      : isWaiting || isPressed
        ? "possible"
        : isQuiet
          ? "ruled-out"
          : "unknown",
    weight: isConfirmed ? 0.75 : 0.4,
    for: pros,
    against: cons,
    ...writeAdvice(reading),
  };
}

function writeAdvice(reading: Reading): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid, target } = reading;
  const isEach = target.settings?.commit === "each";
  return {
    check:
      `Linux: iostat -x 1 (sysstat) — %util near 100 and a w_await of milliseconds; cat /proc/pressure/io; strace -f -c -e trace=write,pwrite64,writev -p ${pid} for the time in writes. ` +
      `Of a Tidemark: GET /stats, commit.write_ms and queue. macOS: iostat -w 1; sudo fs_usage -w -f filesys ${pid}`,
    fix: target.isTidemark
      ? isEach
        ? "--commit group, so that one write carries all batches that wait"
        : "--data on a faster disk; --ack accepted takes the write out of the request's path, at the price that a crash loses what was answered"
      : "a faster disk for what the server writes, or fewer and larger writes",
    remedy: flagsFor(
      reading,
      isEach ? ["--commit", "group"] : ["--ack", "accepted"],
      "how a server that is not ours writes is set in its own configuration",
    ),
  };
}

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
  const sentence = `A sync took ${msUnitText(mean)} in the mean and ${msUnitText(stats.syncMsP99)} at p99${busyText("syncs", stats.syncBusyRatio)}.`;
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
        SYNCS_WAITED * mean,
        `${msUnitText(latencyMsP50)} a request, of which about ${msUnitText(Math.min(latencyMsP50, SYNCS_WAITED * mean))} is waiting for syncs (the rest of the one before, and its own)`,
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

function judgeDiskFull(reading: Reading): Opinion {
  const { stats, load } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const refused = stats?.rejected.disk_full ?? 0;
  const answered507 = load.statuses["507"] ?? 0;
  const isFull = stats?.diskStates.includes("full") ?? false;
  if (refused > 0) pros.push(`${countText(refused)} batches were refused because the disk was full.`);
  if (isFull)
    pros.push(`The server said that its disk was full (states seen: ${stats!.diskStates.join(", ")}).`);
  if (answered507 > 0) pros.push(`${countText(answered507)} answers were 507 Insufficient Storage.`);
  if (stats !== null && stats.diskFreeBytesMin !== null)
    (pros.length > 0 ? pros : cons).push(
      `At least ${bytesText(stats.diskFreeBytesMin)} of the disk were free throughout.`,
    );
  if (pros.length === 0 && stats !== null && stats.diskStates.length > 0)
    cons.push(
      `Its disk was in the state ${stats.diskStates.join(", ")} throughout, and nothing was refused for it.`,
    );
  const told = Math.max(refused, answered507);
  const isConfirmed =
    told > 0 &&
    shareOf(reading, told) >= reading.harmShare / 2 &&
    told >= FAILURES_EXPLAINED_MIN * reading.failed;
  return {
    verdict: isConfirmed ? "confirmed" : pros.length > 0 ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.98 : 0.6,
    for: pros,
    against: cons,
    ...(isConfirmed ? predictionOf(reading) : {}),
    check: `Linux and macOS: df -h on the server's data folder — Avail at 0; df -i for inodes. Of a Tidemark: GET /stats, disk`,
    fix: reading.target.isTidemark
      ? "room on the disk, or --retention-size or --retention-age below what it holds, or --data on a larger one"
      : "room on the disk that the server writes to",
    remedy: { kind: "none", why: "room on a disk is not a setting of the server" },
  };
}

function predictionOf(reading: Reading): { predicted: number | null } {
  return { predicted: predictAsked(reading).factor };
}

function busyText(what: string, ratio: number | null | undefined): string {
  return ratio === null || ratio === undefined
    ? ""
    : `; ${what} filled ${shareText(round(Math.min(1, ratio)))} of the time`;
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
