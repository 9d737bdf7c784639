// How far a follower has come in one lane: what is done, as the numbers of lines. Pure.
//
//     0            late[0]        late[1]                       fresh      the lane's end
//     ├──── done ────┤▒▒▒▒▒▒├─ done ─┤▒▒▒▒▒▒▒▒▒▒▒▒├──── done ─────┤░░░░░░░░░░┤
//                      old          old                             not yet
//
// After an outage the fresh cursor jumps to the lane's end, and what it jumped over is done behind it, oldest first: fresh
// batches do not wait for hours of old ones. Order is kept within each.

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

  constructor(fresh = 0, late: readonly LineRange[] = []) {
    this.fresh = fresh;
    this.late = late.map(({ from, to }) => ({ from, to }));
  }

  /** The first line that is still needed. */
  get needed(): number {
    return this.late[0]?.from ?? this.fresh;
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

  /** Of the oldest range everything before `to` is done. */
  doneLate(to: number): void {
    const first = this.late[0]!;
    first.from = to;
    if (first.from >= first.to) this.late.shift();
  }

  /** The lane has become shorter than this (a power cut, a backup put back): what it lost cannot be followed. */
  cutTo(end: number): void {
    this.fresh = Math.min(this.fresh, end);
    while (this.late.length > 0 && this.late.at(-1)!.from >= end) this.late.pop();
    const last = this.late.at(-1);
    if (last !== undefined && last.to > end) last.to = end;
  }
}
