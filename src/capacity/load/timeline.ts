// The run's time line: what each thread counted in a slot, and all threads' slots laid upon each other. Pure.

import { type LoadSlot, SLOT_MS } from "./load-result.ts";

/** One slot of one thread; counted in while it lasts. */
export interface SlotTally {
  sent: number;
  succeeded: number;
  failed: number;
  /** Of those that succeeded. */
  latencyMsSum: number;
  latencyMsMax: number;
}

/** The slot of this number, of all threads that got so far. */
export function mergeSlot(index: number, slots: readonly (SlotTally | undefined)[]): LoadSlot {
  let [sent, succeeded, failed, latencyMsSum, latencyMsMax] = [0, 0, 0, 0, 0];
  for (const slot of slots) {
    if (slot === undefined) continue;
    sent += slot.sent;
    succeeded += slot.succeeded;
    failed += slot.failed;
    latencyMsSum += slot.latencyMsSum;
    latencyMsMax = Math.max(latencyMsMax, slot.latencyMsMax);
  }
  return {
    atMs: index * SLOT_MS,
    sent,
    succeeded,
    failed,
    latencyMsMean: succeeded === 0 ? null : latencyMsSum / succeeded,
    latencyMsMax: succeeded === 0 ? null : latencyMsMax,
  };
}

export function mergeTimeline(threads: readonly (readonly SlotTally[])[]): LoadSlot[] {
  const length = Math.max(0, ...threads.map((slots) => slots.length));
  return Array.from({ length }, (_, index) =>
    mergeSlot(
      index,
      threads.map((slots) => slots[index]),
    ),
  );
}
