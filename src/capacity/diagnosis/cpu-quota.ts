// CPU taken away from the server: a control group's quota that throttles it, a rival on its cores, or a hypervisor that
// gives the time to others. The server then waits with work to do. The ordinary theft on a shared machine is no suspect. Pure.

import { countText, gainText, shareText } from "../report/figures.ts";
import { generatorWait } from "./choose-levels.ts";
import { NO_PREDICTION, type Prediction } from "./gain.ts";
import type { Reading } from "./reading.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import {
  GAIN_MIN,
  OTHERS_CORES,
  OTHERS_CORES_ALONE,
  OTHERS_GENERATOR_WAIT,
  OTHERS_WAIT,
  STOLEN_CONFIRMED,
  STOLEN_POSSIBLE,
  THREAD_WANTS,
  THROTTLED_CONFIRMED,
  THROTTLED_POSSIBLE,
} from "./thresholds.ts";

type Degree = 0 | 1 | 2;

interface Sign {
  /** 0: not there, 1: something, 2: enough. */
  readonly degree: Degree;
  readonly sentence: string | null;
}

export const CPU_QUOTA: Rule = {
  id: "cpu-quota",
  title: "CPU taken away: quota or rivals",
  restsOn: ({ evidence, isHere }) => [
    { what: "the control group's quota (needs --pid and /proc)", value: evidence.quotaCores },
    {
      what: "how often it was throttled",
      value: evidence.quotaCores === Number.POSITIVE_INFINITY ? true : evidence.throttledPeriodsRatio,
    },
    {
      what: "how long the server's threads waited for a core",
      value: evidence.hottestThread?.waitRatio ?? null,
    },
    { what: "the CPU of others on the server's machine", value: isHere ? evidence.otherCores : null },
    { what: "the CPU that the hypervisor took", value: isHere ? evidence.stolenRatio : null },
  ],
  judge: judgeQuota,
};

function judgeQuota(reading: Reading): Opinion {
  const throttled = throttledSign(reading);
  const others = othersSign(reading);
  const stolen = stolenSign(reading);
  const signs = [throttled, others, stolen];
  const degree = Math.max(...signs.map((sign) => sign.degree));
  const texts = (isFor: boolean): string[] =>
    signs.flatMap(({ degree: each, sentence }) =>
      sentence !== null && each > 0 === isFor ? [sentence] : [],
    );
  const prediction = degree === 2 ? predictFreed(reading, throttled.degree === 2) : NO_PREDICTION;
  return {
    verdict: degree === 2 ? "confirmed" : degree === 1 ? "possible" : "ruled-out",
    weight: degree === 2 ? (throttled.degree === 2 ? 0.9 : 0.84) : 0.3,
    for: [...texts(true), ...prediction.sentences],
    against: texts(false),
    predicted: prediction.factor,
    ...advice(reading, throttled.degree > 0),
  };
}

function throttledSign({ evidence }: Reading): Sign {
  const { quotaCores, throttledPeriodsRatio: ratio, throttledMs, processCores } = evidence;
  if (quotaCores === null) return { degree: 0, sentence: null };
  if (quotaCores === Number.POSITIVE_INFINITY)
    return { degree: 0, sentence: "Its control group has no CPU quota." };
  if (ratio === null) return { degree: 0, sentence: null };
  const used = processCores === null ? "" : ` while it used ${processCores.toFixed(2)}`;
  const stopped = throttledMs === null ? "" : `, ${countText(throttledMs)} ms in all`;
  return {
    degree: degreeOf(ratio, THROTTLED_POSSIBLE, THROTTLED_CONFIRMED),
    sentence: `Its control group may use ${quotaCores.toFixed(2)} cores${used}, and was throttled in ${shareText(round(ratio))} of the periods${stopped}.`,
  };
}

/** A rival is there at light load too; interrupts and the system's own threads grow with the rate. */
function othersSign(reading: Reading): Sign {
  const { evidence, isHere } = reading;
  const wait = evidence.hottestThread?.waitRatio ?? null;
  if (!isHere || evidence.otherCores === null) return { degree: 0, sentence: null };
  const lighter = reading.levels
    .filter(({ level }) => level !== reading.level && level.load.rate < reading.load.rate * 0.5)
    .map(({ evidence: each }) => each.otherCores)
    .filter((cores) => cores !== null);
  const steady = lighter.length === 0 ? null : Math.min(...lighter);
  const isRival =
    steady === null
      ? evidence.otherCores >= OTHERS_CORES_ALONE
      : evidence.otherCores >= OTHERS_CORES && steady >= OTHERS_CORES;
  const wanted = (evidence.hottestThread?.ratio ?? 0) + (wait ?? 0);
  const isWaiting = wait !== null && wanted >= THREAD_WANTS && wait >= OTHERS_WAIT * wanted;
  const waitThere = generatorWait(reading.load);
  const isEverybodys = waitThere >= OTHERS_GENERATOR_WAIT;
  const disturbed =
    isRival && isEverybodys
      ? `; the generator waited for one ${shareText(round(waitThere))}, so that the whole measurement is disturbed`
      : "";
  const atRest = steady === null ? "" : ` (${steady.toFixed(2)} at a lighter level)`;
  const waited =
    wait === null ? "" : `, and its busiest thread waited for a core ${shareText(round(wait))} of the time`;
  return {
    degree: isRival && isWaiting && !isEverybodys ? 2 : isRival && (isWaiting || wait === null) ? 1 : 0,
    sentence: `Others on the machine used ${evidence.otherCores.toFixed(2)} cores${atRest}${waited}${disturbed}.`,
  };
}

function stolenSign({ evidence, isHere }: Reading): Sign {
  if (!isHere || evidence.stolenRatio === null) return { degree: 0, sentence: null };
  return {
    degree: degreeOf(evidence.stolenRatio, STOLEN_POSSIBLE, STOLEN_CONFIRMED),
    sentence: `The hypervisor took ${shareText(round(evidence.stolenRatio))} of the CPU time.`,
  };
}

function degreeOf(value: number, possible: number, confirmed: number): Degree {
  return value >= confirmed ? 2 : value >= possible ? 1 : 0;
}

/** What the server would have of the machine without the quota or the rival, the generator growing with it. */
function predictFreed({ evidence, processor, isHere }: Reading, isThrottled: boolean): Prediction {
  const { processCores, machineCores, generatorCores, otherCores, stolenRatio, coresAllowed } = evidence;
  if (!isHere || processCores === null || processCores <= 0 || machineCores === null) return NO_PREDICTION;
  const others = isThrottled ? (otherCores ?? 0) : 0;
  const free = machineCores - others - (stolenRatio ?? 0) * machineCores;
  const generator = generatorCores ?? 0;
  const reachable = coresAllowed ?? processor.coresReachable ?? machineCores;
  const threads = Math.min(reachable, Math.max(1, evidence.stats?.threads ?? evidence.threadsBusy ?? 1));
  const factor = Math.min(threads / processCores, free / (processCores + generator));
  if (!(factor >= GAIN_MIN)) return NO_PREDICTION;
  return {
    factor,
    sentences: [
      `Predicted gain ${gainText(factor)}: the server could use ${threads.toFixed(2)} cores instead of ${processCores.toFixed(2)}, of ${free.toFixed(2)} that it shares with the generator (${generator.toFixed(2)} now, growing with the rate).`,
    ],
  };
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

function advice(reading: Reading, isQuota: boolean): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid } = reading;
  return {
    check:
      `Linux: cat /sys/fs/cgroup$(cut -d: -f3 /proc/${pid}/cgroup)/cpu.stat twice — nr_throttled that grows is the quota; ` +
      `cat /proc/${pid}/schedstat twice — the second figure is nanoseconds of waiting for a core; top for who else runs; st in top's %Cpu(s) is the hypervisor. macOS: top -o cpu (there are no quotas)`,
    fix: isQuota
      ? "a larger quota (systemd: CPUQuota=; Docker: --cpus; Kubernetes: resources.limits.cpu), or fewer threads than cores of quota"
      : "cores of its own for the server (taskset, systemd: CPUAffinity= or CPUWeight=), the rival elsewhere, or a machine that is not shared",
    remedy: {
      kind: "none",
      why: "quotas and rivals are outside of the server: its settings do not change them",
    },
  };
}
