// All cores in use: the machine's, or those that the server may run on, with the server's part large. Its threads wait for
// a core, or keep every one of theirs busy. The generator on the same machine is a part of it, which is said. Pure.

import { countText, gainText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, type Prediction } from "./gain.ts";
import { isMostlyTargets } from "./processor-state.ts";
import type { Reading } from "./reading.ts";
import type { Opinion, Rule } from "./suspect-rule.ts";
import { GAIN_MIN, MACHINE_FULL, MACHINE_NEAR, OTHERS_SHARE_MAX, THREAD_NEAR } from "./thresholds.ts";

export const ALL_CORES: Rule = {
  id: "all-cores",
  title: "all cores",
  restsOn: ({ evidence, isHere }) => [
    { what: "the CPU of the server's machine", value: isHere ? evidence.machineRatio : null },
    { what: "the server's CPU (needs --pid and /proc)", value: evidence.processCores },
  ],
  judge: judgeAllCores,
};

function judgeAllCores(reading: Reading): Opinion {
  const { evidence, processor, isHere } = reading;
  const { machineCores, processCores } = evidence;
  const machineRatio = isHere ? evidence.machineRatio : null;
  const pros: string[] = [];
  const cons: string[] = [];
  const isFull = processor.isMachineFull === true;
  const busy = evidence.threadsBusy ?? 0;
  const reachable = processor.coresReachable;
  const coversCores =
    processor.isThreadPinned === true && reachable !== null && Math.max(1, busy) >= Math.floor(reachable);
  const isAllowanceFull = processor.areAllowedCoresFull === true || coversCores;
  const isWaiting = processor.isThreadWaiting === true;
  const isOthers = (evidence.otherCores ?? 0) > OTHERS_SHARE_MAX * (machineCores ?? 1);
  const isTargets = isMostlyTargets(evidence) && !isOthers;
  if (machineRatio !== null)
    (machineRatio >= MACHINE_NEAR ? pros : cons).push(
      `${shareText(round(machineRatio))} of the machine's ${countText(machineCores)} cores was in use${partsText(reading)}.`,
    );
  if (isAllowanceFull)
    pros.push(
      `The server used ${coresText(processCores)} of the ${countText(reachable)} cores that it may run on.`,
    );
  if (isWaiting)
    pros.push(
      `Its busiest thread ran ${shareText(round(processor.threadRatio ?? 0))} of the time and waited for a core ${shareText(round(processor.threadWait ?? 0))}.`,
    );
  if (processor.isThreadPinned === true && !coversCores)
    cons.push(
      "Its busiest thread ran all the time without waiting for a core: the thread is short, not the cores.",
    );
  if (isFull && !isTargets)
    cons.push(
      `${coresText(processCores)} of it was the server's, and ${coresText(evidence.otherCores)} that of others.`,
    );
  const isConfirmed = isAllowanceFull || (isFull && isTargets && isWaiting && processCores !== null);
  // Others may fill the machine while the server sleeps.
  const wants = (processor.threadRatio ?? 1) + (processor.threadWait ?? 0);
  const isPossible = wants >= THREAD_NEAR && (isWaiting || (machineRatio ?? 0) >= MACHINE_NEAR);
  if (isFull && wants < THREAD_NEAR)
    cons.push(
      `Its busiest thread neither ran nor waited for a core ${shareText(round(1 - wants))} of the time.`,
    );
  const prediction = isConfirmed ? predictAlone(reading) : NO_PREDICTION;
  const isNamed = isConfirmed || isPossible;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isConfirmed
      ? 0.7 + 0.1 * Math.max(machineRatio ?? 0, isAllowanceFull ? 1 : 0)
      : 0.55 * (machineRatio ?? 0.5),
    for: isNamed ? [...pros, ...prediction.sentences] : [],
    against: isNamed ? cons : [...pros, ...cons],
    predicted: prediction.factor,
    ...advice(reading),
  };
}

function partsText({ evidence }: Reading): string {
  const { processCores, generatorCores, otherCores, stolenRatio, machineCores } = evidence;
  const parts = [
    [processCores, "the server"],
    [generatorCores, "the generator"],
    [otherCores, "others and interrupts"],
    [stolenRatio === null || machineCores === null ? null : stolenRatio * machineCores, "the hypervisor"],
  ] as const;
  const known = parts.filter(([cores]) => cores !== null);
  if (known.length === 0) return "";
  return `: ${known.map(([cores, who]) => `${cores!.toFixed(2)} by ${who}`).join(", ")}`;
}

/** What the generator takes could be the server's, were it elsewhere. */
function predictAlone(reading: Reading): Prediction {
  const { processCores, generatorCores } = reading.evidence;
  const { coresReachable } = reading.processor;
  if (processCores === null || processCores <= 0 || generatorCores === null || coresReachable === null)
    return NO_PREDICTION;
  const alone = Math.min(coresReachable, processCores + generatorCores);
  const factor = alone / processCores;
  if (factor < GAIN_MIN) return NO_PREDICTION;
  return {
    factor,
    sentences: [
      `Predicted gain ${gainText(factor)} with the generator on another machine: the server would have ${coresText(alone)} instead of ${coresText(processCores)}, at the same CPU a request.`,
    ],
  };
}

function coresText(cores: number | null): string {
  return cores === null ? "an unknown number of cores" : `${cores.toFixed(2)} cores`;
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

function advice(reading: Reading): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid } = reading;
  return {
    check: `Linux: top -b -n 2 -d 1 -p ${pid} — the line %Cpu(s) has no idle left; cat /proc/pressure/cpu; taskset -cp ${pid} for the cores it may use. macOS: top -l 2 -pid ${pid}`,
    fix:
      reading.processor.areAllowedCoresFull === true && reading.processor.isMachineFull !== true
        ? "more of the machine's cores for the server (taskset, cpuset, Docker: --cpuset-cpus), with a thread for each"
        : `more or faster cores (full is ${shareText(MACHINE_FULL)} here), or the generator on another machine, or less work a request`,
    remedy: { kind: "none", why: "cores cannot be added to this machine by a setting" },
  };
}
