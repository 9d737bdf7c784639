// Lays the agents' slots upon each other as they come, for the display while a run goes on: each is told once, as soon as
// every agent has ended it. The result's time line is merged anew from the tallies, exactly; an agent that is lost holds
// only the display up. Pure.

import type { LoadSlot } from "../load/load-result.ts";
import { mergeSlot, type SlotTally } from "../load/timeline.ts";

export class SlotMerger {
  private readonly slots: SlotTally[][];
  private readonly onSlot: (slot: LoadSlot) => void;
  private told = 0;

  constructor(agents: number, onSlot: (slot: LoadSlot) => void) {
    this.slots = Array.from({ length: agents }, () => []);
    this.onSlot = onSlot;
  }

  receive(agent: number, { sent, succeeded, failed, latencyMsMean, latencyMsMax }: LoadSlot): void {
    const latencyMsSum = (latencyMsMean ?? 0) * succeeded;
    this.slots[agent]!.push({ sent, succeeded, failed, latencyMsSum, latencyMsMax: latencyMsMax ?? 0 });
    const ended = Math.min(...this.slots.map((slots) => slots.length));
    for (; this.told < ended; this.told++)
      this.onSlot(
        mergeSlot(
          this.told,
          this.slots.map((slots) => slots[this.told]),
        ),
      );
  }
}
