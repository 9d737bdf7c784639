// What the target's threads did over some samples: which was the hottest, how many were busy, how many slept throughout.
// A thread that was not in the first of the samples began after it, so all of its CPU is of this time. Pure.

import type { LevelEvidence } from "./level-evidence.ts";
import type { Sample, ThreadSample } from "./sample.ts";

/** Share of a core from which a thread counts as busy, and below which as asleep. */
const BUSY_RATIO_MIN = 0.5;
const ASLEEP_RATIO_MAX = 0.02;

export interface ThreadUse {
  readonly name: string;
  readonly tid: number;
  /** Of one core. */
  readonly ratio: number;
  readonly waitRatio: number | null;
}

export type ThreadEvidence = Pick<
  LevelEvidence,
  | "hottestThread"
  | "threadsBusy"
  | "threadsCount"
  | "threadsAsleepAlways"
  | "processWaitRatio"
  | "diskSleepRatio"
>;

export function summariseThreads(samples: readonly Sample[]): ThreadEvidence {
  const seen = samples.filter(({ process }) => process !== null && process.threads.length > 0);
  if (seen.length === 0)
    return {
      hottestThread: null,
      threadsBusy: null,
      threadsCount: null,
      threadsAsleepAlways: null,
      processWaitRatio: null,
      diskSleepRatio: null,
    };
  const uses = useOfThreads(seen);
  const waits = uses?.filter(({ waitRatio }) => waitRatio !== null);
  const asleep = seen.filter(({ process }) => process!.threads.some(({ state }) => state === "D"));
  return {
    hottestThread: hottestOf(uses),
    threadsBusy: uses?.filter(({ ratio }) => ratio >= BUSY_RATIO_MIN).length ?? null,
    threadsCount: Math.max(...seen.map(({ process }) => process!.threads.length)),
    threadsAsleepAlways: uses?.filter(({ ratio }) => ratio < ASLEEP_RATIO_MAX).length ?? null,
    processWaitRatio: waits?.length ? waits.reduce((sum, { waitRatio }) => sum + waitRatio!, 0) : null,
    diskSleepRatio: asleep.length / seen.length,
  };
}

export function hottestOf(uses: readonly ThreadUse[] | null): ThreadUse | null {
  let hottest: ThreadUse | null = null;
  for (const use of uses ?? []) if (use.ratio > (hottest?.ratio ?? -1)) hottest = use;
  return hottest;
}

/** Of every thread that the samples show; null where they span no time. */
export function useOfThreads(samples: readonly Sample[]): ThreadUse[] | null {
  const seen = samples.filter(({ process }) => process !== null && process.threads.length > 0);
  if (seen.length < 2) return null;
  const seconds = (seen.at(-1)!.atMs - seen[0]!.atMs) / 1e3;
  if (seconds <= 0) return null;
  const start = new Map(seen[0]!.process!.threads.map((thread) => [thread.tid, thread]));
  const last = new Map<number, ThreadSample>();
  for (const { process } of seen) for (const thread of process!.threads) last.set(thread.tid, thread);
  return [...last.values()].map((thread) => {
    const before = start.get(thread.tid);
    const { tid, name, cpuS, waitS } = thread;
    return {
      tid,
      name,
      ratio: Math.max(0, cpuS - (before?.cpuS ?? 0)) / seconds,
      waitRatio: waitS === null ? null : Math.max(0, waitS - (before?.waitS ?? 0)) / seconds,
    };
  });
}
