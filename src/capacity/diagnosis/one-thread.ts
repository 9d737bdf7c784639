// One saturated thread: all the work on it (or on fewer threads than there are cores) while cores are idle. The thread
// runs all the time and does not wait for a core: with more threads there would be more. Pure.

import { countText, gainText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, type Prediction } from "./gain.ts";
import type { Reading } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import { GAIN_MIN, ONE_CORE_BAND, RATE_FLAT, THREAD_NEAR } from "./thresholds.ts";

export const ONE_THREAD: Rule = {
  id: "one-thread",
  title: "one saturated thread",
  restsOn: ({ evidence }) => [
    { what: "the CPU of the server's threads (needs --pid and /proc)", value: evidence.hottestThread },
    { what: "the server's CPU as a whole", value: evidence.processCores },
  ],
  judge: judgeOneThread,
};

function judgeOneThread(reading: Reading): Opinion {
  const { evidence, processor } = reading;
  const thread = evidence.hottestThread;
  const pros: string[] = [];
  const cons: string[] = [];
  if (thread === null) return { ...without(cons), ...advice(reading) };
  const ratio = processor.threadRatio ?? thread.ratio;
  const busy = Math.max(1, evidence.threadsBusy ?? 1);
  const reachable = processor.coresReachable;
  const coversCores = reachable !== null && busy >= Math.floor(reachable);
  const isPinned = processor.isThreadPinned === true;
  const isLocked = isUnderOneLock(reading);
  const sentence = `Its busiest thread, ${thread.name} (${thread.tid}), used ${coreText(ratio)}${waitText(thread.waitRatio)}${stolenText(reading)}.`;
  (ratio >= THREAD_NEAR && processor.isThreadWaiting !== true ? pros : cons).push(sentence);
  if (isPinned && coversCores)
    cons.push(
      `${countText(busy)} of its threads were busy and it may use ${countText(reachable)} cores: another thread would find no core.`,
    );
  if (isPinned && !coversCores) pros.push(...loneTexts(reading, busy));
  if (processor.isThreadWaiting === true)
    cons.push("That thread was ready to run and waited for a core: the cores are short, not the threads.");
  if (isLocked)
    pros.push(
      `All its ${countText(evidence.threadsCount)} threads together used ${coreText(evidence.processCores)}, none of them much: as under one lock that lets only one run at a time (Python's).`,
    );
  const isConfirmed = isPinned && !coversCores;
  const isPossible = isLocked || (ratio >= THREAD_NEAR && !coversCores && processor.isThreadWaiting !== true);
  const prediction = isConfirmed ? predictThreads(reading, busy) : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : isPossible ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.7 + 0.1 * ratio : isLocked ? 0.65 : 0.3 + 0.3 * ratio,
    for: isConfirmed || isPossible ? [...pros, ...prediction.sentences] : [],
    against: isConfirmed || isPossible ? cons : [...pros, ...cons],
    predicted: prediction.factor,
    ...advice(reading),
  };
}

function without(cons: string[]): Pick<Opinion, "verdict" | "weight" | "for" | "against"> {
  return { verdict: "unknown", weight: 0, for: [], against: cons };
}

function loneTexts(reading: Reading, busy: number): string[] {
  const { evidence, curve } = reading;
  const texts: string[] = [];
  const threads = busy === 1 ? "only that thread was" : `only ${countText(busy)} of its threads were`;
  if (evidence.processCores !== null)
    texts.push(`The whole server used ${coreText(evidence.processCores)}: ${threads} busy.`);
  const last = curve.at(-1);
  const before = curve.findLast(({ clients }) => last !== undefined && clients <= last.clients / 2);
  if (last !== undefined && before !== undefined && last.rate / before.rate < RATE_FLAT)
    texts.push(
      `From ${countText(before.clients)} to ${countText(last.clients)} clients the rate changed by ${gainText(last.rate / before.rate)} only.`,
    );
  return texts;
}

/** Many threads, together one core. */
function isUnderOneLock({ evidence, processor }: Reading): boolean {
  const { processCores, threadsCount } = evidence;
  if (processCores === null || threadsCount === null || processor.isThreadPinned === true) return false;
  if (threadsCount < 3 || (processor.coresReachable ?? 1) < 2 || (processor.threadRatio ?? 1) > THREAD_NEAR)
    return false;
  return processCores >= ONE_CORE_BAND[0] && processCores <= ONE_CORE_BAND[1];
}

/** Cores that the server and the generator could have together, at the CPU that both spend on a request now. */
function predictThreads(reading: Reading, busy: number): Prediction {
  const { evidence, processor } = reading;
  const { processCores, machineCores, generatorCores } = evidence;
  const reachable = processor.coresReachable;
  if (processCores === null || processCores <= 0 || reachable === null || !reading.isHere)
    return NO_PREDICTION;
  const others = (evidence.otherCores ?? 0) + (evidence.stolenRatio ?? 0) * (machineCores ?? reachable);
  const generator = generatorCores ?? 0;
  const free = Math.max(0, (machineCores ?? reachable) - others);
  const factor = Math.min(reachable / busy, free / (processCores + generator));
  if (!(factor >= GAIN_MIN))
    return {
      factor: 1,
      sentences: [
        `Predicted gain none on this machine: the generator takes ${coreText(generator)} of the rest, and would take more with every further request.`,
      ],
    };
  return {
    factor,
    sentences: [
      `Predicted gain ${gainText(factor)}: ${coreText(free)} free of others ÷ (${coreText(processCores)} of the server + ${coreText(generator)} of the generator, which grows with it), at most ${countText(reachable)} cores ÷ ${countText(busy)} busy threads; assumed that the work can be shared evenly.`,
    ],
  };
}

function coreText(cores: number | null): string {
  return cores === null ? "an unknown part of a core" : `${cores.toFixed(2)} cores`;
}

function waitText(wait: number | null): string {
  return wait === null ? "" : ` and waited for one ${shareText(round(wait))} of the time`;
}

function stolenText({ evidence }: Reading): string {
  const stolen = evidence.stolenRatio ?? 0;
  return stolen >= 0.02 ? `, reckoned without the ${shareText(round(stolen))} that the hypervisor took` : "";
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

function advice(reading: Reading): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { pid, processor, evidence } = reading;
  const busy = Math.max(1, evidence.threadsBusy ?? 1);
  const threads = Math.max(busy + 1, Math.floor(processor.coresReachable ?? busy + 1));
  return {
    check: `Linux: top -H -p ${pid} — one thread near 100 % while the machine is not; pidstat -t -p ${pid} 1. macOS: top -pid ${pid} -stats pid,cpu,th; sample ${pid}`,
    fix: reading.target.isTidemark
      ? `--threads ${threads}`
      : "more worker processes or threads (nginx: worker_processes; Node: cluster; Python: gunicorn --workers), or less work a request",
    remedy: flagsFor(
      reading,
      ["--threads", String(threads)],
      "the threads of a server that is not ours are set where that server is configured",
    ),
  };
}
