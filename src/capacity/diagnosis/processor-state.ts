// How the target stands with the processor in one level: busy, waiting for a core, or with time to spare. Many rules ask
// it, because a limit elsewhere shows by the processor's idling. Pure.
// A virtual machine's threads do not see the time that the hypervisor took: a thread that ran 75 % of the time in which 20 %
// was stolen was pinned. Ratios here are of the time that was there.

import type { LevelEvidence } from "../evidence/level-evidence.ts";
import type { TargetFacts } from "../level.ts";
import {
  MACHINE_FULL,
  TARGET_SHARE_MIN,
  THREAD_PINNED,
  THREAD_WAITS,
  THREAD_WANTS,
  THREAD_WANTS_RATIO_MIN,
} from "./thresholds.ts";

/** Stolen share past which the correction would invent figures. */
const STOLEN_CORRECTED_MAX = 0.5;

export interface Processor {
  /** Busiest thread's share of the core time that was there; null where unknown. */
  readonly threadRatio: number | null;
  /** Its wait for a core, of all time; null where unknown. */
  readonly threadWait: number | null;
  /** It never sleeps, and not because it waits for a core. */
  readonly isThreadPinned: boolean | null;
  /** It is ready to run and waits for a core much of the time. */
  readonly isThreadWaiting: boolean | null;
  /** All cores of the machine are in use; null where the target is elsewhere. */
  readonly isMachineFull: boolean | null;
  /** All cores that the target may run on are in use by it. */
  readonly areAllowedCoresFull: boolean | null;
  /** Cores that the target could have at most: its own allowance, of the machine's. */
  readonly coresReachable: number | null;
  /** Some processor is the limit; null where that cannot be said. */
  readonly isSaturated: boolean | null;
  /** Rate could grow by this factor at the same CPU a request; null where unknown. */
  readonly roomFactor: number | null;
}

/** A process that we can read shares the machine, even where its address is another (a network namespace). */
export function isOnThisMachine({ isLocal, isLoopback, isOwn, pid }: TargetFacts): boolean {
  return isLocal || isLoopback || isOwn || pid !== null;
}

export function readProcessor(evidence: LevelEvidence, target: TargetFacts): Processor {
  const isHere = isOnThisMachine(target);
  const present = 1 - Math.min(STOLEN_CORRECTED_MAX, evidence.stolenRatio ?? 0);
  const thread = evidence.hottestThread;
  const threadRatio = thread === null ? null : Math.min(1, thread.ratio / present);
  const threadWait = thread === null ? null : thread.waitRatio;
  const machineRatio = isHere ? evidence.machineRatio : null;
  const coresReachable = smallestKnown([evidence.coresAllowed, evidence.machineCores]);
  const allowedRatio =
    evidence.processCores === null || coresReachable === null
      ? null
      : Math.min(1, evidence.processCores / present / coresReachable);
  const isThreadWaiting =
    threadRatio === null || threadWait === null
      ? null
      : threadWait >= THREAD_WAITS &&
        threadRatio >= THREAD_WANTS_RATIO_MIN &&
        threadRatio + threadWait >= THREAD_WANTS;
  const isThreadPinned =
    threadRatio === null ? null : threadRatio >= THREAD_PINNED && (threadWait ?? 0) < THREAD_WAITS;
  const isMachineFull = machineRatio === null ? null : machineRatio >= MACHINE_FULL;
  const areAllowedCoresFull = allowedRatio === null ? null : allowedRatio >= MACHINE_FULL;
  return {
    threadRatio,
    threadWait,
    isThreadPinned,
    isThreadWaiting,
    isMachineFull,
    areAllowedCoresFull,
    coresReachable,
    isSaturated: saturation(
      [isThreadPinned, isThreadWaiting, areAllowedCoresFull, isMachineFull && isMostlyTargets(evidence)],
      threadRatio,
    ),
    roomFactor: roomOf(machineRatio, allowedRatio, evidence, present),
  };
}

/** The target uses enough of the busy cores to be what fills them; unknown counts as yes, the rest is asked elsewhere. */
export function isMostlyTargets(evidence: LevelEvidence): boolean {
  const { processCores, machineCores, machineRatio } = evidence;
  if (processCores === null || machineCores === null || machineRatio === null) return true;
  return processCores >= TARGET_SHARE_MIN * machineRatio * machineCores;
}

/** Without the target's threads nothing shows that it is not saturated. */
function saturation(signs: readonly (boolean | null)[], threadRatio: number | null): boolean | null {
  if (signs.some((sign) => sign === true)) return true;
  return threadRatio === null ? null : false;
}

function roomOf(
  machineRatio: number | null,
  allowedRatio: number | null,
  evidence: LevelEvidence,
  present: number,
): number | null {
  // As many busy threads as now, each up to a whole core.
  const threads = Math.max(1, evidence.threadsBusy ?? 1);
  const thread = evidence.hottestThread;
  const threadsRatio =
    thread === null || (evidence.processCores ?? 0) > threads * thread.ratio * 1.5
      ? null
      : Math.min(1, thread.ratio / present);
  const ratios = [machineRatio, allowedRatio, threadsRatio].filter((ratio) => ratio !== null);
  if (ratios.length === 0) return null;
  return 1 / Math.max(0.01, ...ratios);
}

function smallestKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}
