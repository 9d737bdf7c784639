// Writing the log: write(2) so slow that batches wait for it. A Tidemark tells how long its writes take and how full its
// queue is; of another server only waiting for the disk can be seen, and not for what. Writes that fill the time because
// the processor is full are no cause. Pure.

import { countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictShorter } from "./gain.ts";
import { type Reading, shareOf } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  DISK_WAITS,
  DISK_WAITS_NOT,
  QUEUE_BYTES_FULL,
  STORAGE_MS_MIN,
  STORAGE_SHARE,
  STORAGE_SHARE_POSSIBLE,
  TURNS_WAITED,
  WRITE_BUSY,
} from "./thresholds.ts";

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
      `A write took ${msUnitText(mean)} in the mean, of a median latency of ${msUnitText(latencyMsP50)}${busyText(stats?.writeBusyRatio ?? null)}.`,
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
          TURNS_WAITED * mean,
          `${msUnitText(latencyMsP50)} a request, of which about ${msUnitText(Math.min(latencyMsP50, TURNS_WAITED * mean))} is waiting for writes`,
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

function busyText(ratio: number | null): string {
  return ratio === null ? "" : `; writes filled ${shareText(round(Math.min(1, ratio)))} of the time`;
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
