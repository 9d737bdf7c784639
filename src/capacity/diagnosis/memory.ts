// Memory: the server's own budget, the control group's limit, the machine's pressure, and a growth that will not end
// well; and pauses of a garbage collector, which no runtime of ours reports and which show only as lag of the event loop. Pure.

import { bytesText, countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictAsked } from "./gain.ts";
import { type Reading, shareOf } from "./reading.ts";
import { readStalls } from "./stall-pattern.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  FAILURES_EXPLAINED_MIN,
  LOOP_LAG_MS_LONG,
  LOOP_LAG_MS_QUIET,
  MEMORY_BUDGET_FULL,
  MEMORY_LIMIT_FULL,
  MEMORY_LIMIT_NEAR,
  MEMORY_PRESSURE_CONFIRMED,
  MEMORY_PRESSURE_POSSIBLE,
  MEMORY_SLOPE_HORIZON_S,
} from "./thresholds.ts";

export const MEMORY: Rule = {
  id: "memory",
  title: "memory",
  restsOn: ({ evidence, stats, target, isHere }) => [
    { what: "the server's resident memory (needs --pid and /proc)", value: evidence.residentBytesMax },
    { what: "its control group's memory limit", value: evidence.memoryLimitBytes },
    { what: "the machine's free memory", value: isHere ? evidence.memoryAvailableBytesMin : null },
    ...(target.isTidemark
      ? [{ what: "its own memory budget (GET /stats)", value: stats?.memoryRatioMax ?? null }]
      : []),
  ],
  judge: judgeMemory,
};

function judgeMemory(reading: Reading): Opinion {
  const { evidence, stats } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const refused = stats?.rejected.memory ?? 0;
  const isRefusing =
    shareOf(reading, refused) >= reading.harmShare / 2 && refused >= FAILURES_EXPLAINED_MIN * reading.failed;
  if (refused > 0) pros.push(`${countText(refused)} batches were refused because --memory-max was used up.`);
  const budget = stats?.memoryRatioMax ?? null;
  if (budget !== null)
    (budget >= MEMORY_BUDGET_FULL || refused > 0 ? pros : cons).push(
      `The server's own budget was at most ${shareText(round(budget))} used as far as samples show.`,
    );
  const limit = limitRatio(reading);
  if (limit !== null)
    (limit >= MEMORY_LIMIT_NEAR ? pros : cons).push(
      `It held at most ${bytesText(evidence.residentBytesMax)}, ${shareText(round(limit))} of its control group's ${bytesText(evidence.memoryLimitBytes)}.`,
    );
  const pressure = reading.isHere ? evidence.pressureMemoryRatio : null;
  if (pressure !== null)
    (pressure >= MEMORY_PRESSURE_POSSIBLE ? pros : cons).push(
      `For ${shareText(round(pressure))} of the time some task of the machine waited for memory.`,
    );
  const horizonS = horizonOf(reading);
  const isSteep = horizonS !== null && horizonS <= MEMORY_SLOPE_HORIZON_S;
  if (isSteep)
    pros.push(
      `It grew from ${bytesText(evidence.residentBytesStart)} to ${bytesText(evidence.residentBytesEnd)} in ${Math.round(evidence.seconds)} s: at that pace there is none left in ${Math.round(horizonS)} s.`,
    );
  else if (evidence.residentBytesMax !== null && limit === null)
    cons.push(`It held at most ${bytesText(evidence.residentBytesMax)}${availableText(reading)}.`);
  const isSqueezed = (pressure ?? 0) >= MEMORY_PRESSURE_CONFIRMED && (limit ?? 0) >= MEMORY_LIMIT_FULL;
  const isConfirmed = isRefusing || isSqueezed;
  const isPossible =
    refused > 0 ||
    (budget ?? 0) >= MEMORY_BUDGET_FULL ||
    (limit ?? 0) >= MEMORY_LIMIT_NEAR ||
    (pressure ?? 0) >= MEMORY_PRESSURE_POSSIBLE ||
    isSteep;
  const prediction = isRefusing ? predictAsked(reading) : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isRefusing ? 0.92 : isConfirmed ? 0.85 : 0.35,
    for: [...pros, ...prediction.sentences],
    against: cons,
    predicted: prediction.factor,
    ...memoryAdvice(reading, refused > 0 || (budget ?? 0) >= MEMORY_BUDGET_FULL),
  };
}

/** Null where there is no limit, or it is not known. */
function limitRatio({ evidence }: Reading): number | null {
  const { residentBytesMax, memoryLimitBytes } = evidence;
  if (residentBytesMax === null || memoryLimitBytes === null || memoryLimitBytes === Number.POSITIVE_INFINITY)
    return null;
  return memoryLimitBytes > 0 ? residentBytesMax / memoryLimitBytes : null;
}

/** Seconds until what is available is used up, at the level's growth; null where it does not grow or is not known. */
function horizonOf({ evidence, isHere }: Reading): number | null {
  const { residentBytesStart: start, residentBytesEnd: end, memoryAvailableBytesMin: available } = evidence;
  if (start === null || end === null || evidence.seconds <= 0) return null;
  const growth = (end - start) / evidence.seconds;
  const rooms = [
    isHere ? available : null,
    evidence.memoryLimitBytes === null ? null : evidence.memoryLimitBytes - end,
  ].filter((room) => room !== null);
  if (growth <= 0 || rooms.length === 0) return null;
  return Math.max(0, Math.min(...rooms)) / growth;
}

function availableText({ evidence, isHere }: Reading): string {
  const available = isHere ? evidence.memoryAvailableBytesMin : null;
  return available === null ? "" : `, with ${bytesText(available)} of the machine's still available`;
}

function memoryAdvice(reading: Reading, isBudget: boolean): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid } = reading;
  const advised = ["--memory-max", "1GiB"];
  return {
    check:
      `Linux: grep VmRSS /proc/${pid}/status; cat /proc/pressure/memory; cat /sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup)/memory.max — near the limit, or "some" above 0. ` +
      `Of a Tidemark: GET /stats, memory.budget_used_bytes. macOS: footprint ${pid}; memory_pressure`,
    fix:
      reading.target.isTidemark && isBudget
        ? `--memory-max larger than now (for example ${advised[1]})`
        : "more memory for the server (systemd: MemoryMax=; Docker: --memory), or less held a request",
    remedy:
      reading.target.isTidemark && !isBudget
        ? {
            kind: "none",
            why: "the machine's memory and the control group's limit are not settings of the server",
          }
        : flagsFor(reading, advised, "the memory of a server that is not ours is set where it is started"),
  };
}

export const COLLECTION: Rule = {
  id: "collection",
  title: "garbage collection",
  restsOn: ({ stats }) => [
    {
      what: "pauses of the server's event loop (only a Tidemark tells)",
      value: stats?.gcPauseMs ?? stats?.eventLoopLagMsMax ?? null,
    },
  ],
  judge: judgeCollection,
};

function judgeCollection(reading: Reading): Opinion {
  const { stats } = reading;
  const pros: string[] = [];
  const cons: string[] = [];
  const lag = stats?.eventLoopLagMsMax ?? null;
  const pause = stats?.gcPauseMs ?? null;
  const stalls = readStalls(reading);
  const worked = stalls.here.length > 0 && stalls.activity === "worked";
  if (pause !== null)
    (pause >= LOOP_LAG_MS_QUIET ? pros : cons).push(
      `The longest collection paused it for ${msUnitText(pause)}.`,
    );
  if (lag !== null)
    (lag >= LOOP_LAG_MS_LONG ? pros : cons).push(
      `Its event loops lagged by at most ${msUnitText(lag)}, whatever the cause: no pause was longer.`,
    );
  if (worked)
    pros.push(
      `In ${countText(stalls.here.length)} silences of up to ${msUnitText(stalls.longestMs)} it answered nothing and used CPU all the same, as a collector does.`,
    );
  const isPossible = worked || (pause ?? 0) >= LOOP_LAG_MS_QUIET || (lag ?? 0) >= LOOP_LAG_MS_LONG;
  const isQuiet = lag !== null && lag < LOOP_LAG_MS_QUIET;
  const isContended = reading.processor.isThreadWaiting === true && !worked;
  if (isPossible && isContended)
    cons.push("Its threads also waited for a core, which delays a loop in the same way.");
  return {
    verdict: isPossible ? "possible" : isQuiet ? "ruled-out" : "unknown",
    weight: worked ? 0.45 : 0.2,
    for: pros,
    against: cons,
    check:
      `Node: node --trace-gc … writes each collection with its pause. Java: -Xlog:gc. Go: GODEBUG=gctrace=1. ` +
      `Linux: perf top -p ${reading.pid} shows the collector's functions; macOS: sample ${reading.pid}. A pause counts when it is as long as the latency's tail`,
    fix: "less garbage a request, or a larger young generation (Node: --max-semi-space-size=64; Java: -Xmn; Go: GOGC=400)",
    remedy: {
      kind: "none",
      why: "the collector's settings are the runtime's, and serve has no flag for them",
    },
  };
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}
