// How far a follower has come in one lane: what is done, as the numbers of lines. Pure.
//
//     0  checked       late[0]        late[1]                       fresh      the lane's end
//     ├─────┼──── done ────┤▒▒▒▒▒▒├─ done ─┤▒▒▒▒▒▒▒▒▒▒▒▒├──── done ─────┤░░░░░░░░░░┤
//                            old          old                             not yet
//
// After an outage the fresh cursor jumps to the lane's end, and what it jumped over is done behind it, oldest first: fresh
// batches do not wait for hours of old ones. Order is kept within each. What was done and got lost behind us is late again.

import { assert } from "../base/assert.ts";
import { FOLLOW_LATE_MAX } from "../limits.ts";

/** The lines [from, to). */
export interface LineRange {
  from: number;
  to: number;
}

export class LaneCursor {
  fresh: number;
  /** Ascending, apart from each other, none empty. */
  readonly late: LineRange[];
  /** What is before it has been seen where it shall end up, or cannot be asked for any more. */
  checked: number;
  /** Not late yet: what comes first there may be under way. */
  private lost: LineRange[] = [];

  constructor(fresh = 0, late: readonly LineRange[] = [], checked = 0) {
    this.fresh = fresh;
    this.late = late.map(({ from, to }) => ({ from, to }));
    this.checked = checked;
  }

  /** All that is left to do before `fresh`, ascending. */
  get left(): readonly LineRange[] {
    return [...this.lost, ...this.late];
  }

  /** The first line that is still needed. */
  get needed(): number {
    return this.lost[0]?.from ?? this.late[0]?.from ?? this.fresh;
  }

  /** Every line from here to `fresh` is done. */
  get freshFrom(): number {
    return this.late.at(-1)?.to ?? 0;
  }

  get lateLines(): number {
    return this.late.reduce((lines, { from, to }) => lines + to - from, 0);
  }

  /** Leaves what is not done for later; false where there is too much of that kind already. */
  tryJump(to: number): boolean {
    assert(to > this.fresh, "a cursor jumps ahead");
    const last = this.late.at(-1);
    if (last !== undefined && last.to === this.fresh) last.to = to;
    else if (this.late.length >= FOLLOW_LATE_MAX) return false;
    else this.late.push({ from: this.fresh, to });
    this.fresh = to;
    return true;
  }

  /** Ranges of what was done, in order, that are to be done again; those of them that there is room for. */
  again(ranges: readonly LineRange[]): LineRange[] {
    // Half of the room is for outages: without it fresh lines would wait behind old ones.
    const room = this.lost.length > 0 ? 0 : Math.max(0, FOLLOW_LATE_MAX / 2 - this.late.length);
    const taken = ranges.slice(0, room);
    if (taken.length === 0) return taken;
    assert(taken.at(-1)!.to <= this.needed, "what comes again was done");
    this.lost = taken.map(({ from, to }) => ({ from, to }));
    return taken;
  }

  /** Makes them late, before all others. For the one who calls doneLate(), between two calls of it. */
  takeAgain(): void {
    const lost = this.lost.splice(0);
    const next = this.late[0];
    if (next !== undefined && lost.at(-1)?.to === next.from) next.from = lost.pop()!.from;
    this.late.unshift(...lost);
  }

  /** Of the oldest range everything before `to` is done. */
  doneLate(to: number): void {
    const first = this.late[0]!;
    first.from = to;
    if (first.from >= first.to) this.late.shift();
  }

  /** The lane has become shorter than this (a power cut, a backup put back): what it lost cannot be followed. */
  cutTo(end: number): void {
    this.fresh = Math.min(this.fresh, end);
    this.checked = Math.min(this.checked, end);
    while (this.late.length > 0 && this.late.at(-1)!.from >= end) this.late.pop();
    const last = this.late.at(-1);
    if (last !== undefined && last.to > end) last.to = end;
  }
}
