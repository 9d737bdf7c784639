// The unread bytes of a connection, from an incomplete head or from a hold: a copy, charged to the memory budget, joined
// with what comes next.

import { copyBytes } from "../base/bytes.ts";
import type { Budget } from "./connection-shared.ts";

export class KeptBytes {
  private bytes: Uint8Array | null = null;

  get isEmpty(): boolean {
    return this.bytes === null;
  }

  /** Copies bytes[start, end); false, with nothing kept, where the budget has no room. */
  tryKeep(bytes: Uint8Array, start: number, end: number, budget: Budget): boolean {
    if (!budget.tryTake(end - start)) return false;
    this.bytes = copyBytes(bytes, start, end);
    return true;
  }

  /** What was kept, with `more` behind it; nothing is kept afterwards. */
  join(more: Uint8Array, budget: Budget): Uint8Array {
    const kept = this.bytes;
    if (kept === null) return more;
    this.drop(budget);
    return more.length === 0 ? kept : Buffer.concat([kept, more]);
  }

  drop(budget: Budget): void {
    if (this.bytes === null) return;
    budget.give(this.bytes.length);
    this.bytes = null;
  }
}
