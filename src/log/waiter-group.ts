// The requests that wait for one write or one sync: who they are, how many lines each brought, which level it asked for.
// Three parallel arrays that keep their length for good, so that neither joining nor settling makes garbage.
// HOT: `add` runs once a request. Bounded by LANE_WAITERS_MAX, which the lane checks before it makes room.

import type { Refusal } from "../errors.ts";

/** What a settled group is told when its lines are stored to the level that was asked for. */
export const STORED = -1;

export interface LaneHandler<W> {
  /**
   * The lines of `waiters[0..count)` share this outcome: STORED, or the refusal that says why not. A null waiter was
   * answered before (ACK_ACCEPTED); it is here so that its lines (`tags`) can be counted as lost where they are.
   * The arrays are the lane's and mean nothing after the call. The handler may append to the lane from inside it.
   */
  settled(
    waiters: readonly (W | null)[],
    tags: readonly number[],
    levels: readonly number[],
    count: number,
    refusal: Refusal | typeof STORED,
  ): void;
}

export class WaiterGroup<W> {
  readonly waiters: (W | null)[] = [];
  readonly tags: number[] = [];
  readonly levels: number[] = [];
  count = 0;

  add(waiter: W | null, tag: number, level: number): void {
    const at = this.count++;
    this.waiters[at] = waiter;
    this.tags[at] = tag;
    this.levels[at] = level;
  }

  /** Puts this group's waiters behind those of `other` and leaves this one empty. */
  moveTo(other: WaiterGroup<W>): void {
    for (let at = 0; at < this.count; at++) other.add(this.waiters[at]!, this.tags[at]!, this.levels[at]!);
    this.clear();
  }

  /** Tells the handler, then forgets the waiters, so that a closed connection is not kept alive by its last place here. */
  settle(handler: LaneHandler<W>, refusal: Refusal | typeof STORED): void {
    if (this.count === 0) return;
    handler.settled(this.waiters, this.tags, this.levels, this.count, refusal);
    this.clear();
  }

  private clear(): void {
    for (let at = 0; at < this.count; at++) this.waiters[at] = null;
    this.count = 0;
  }
}
