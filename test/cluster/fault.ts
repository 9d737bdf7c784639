// What all faults have in common. Each is a small function in faults/; the scheduler knows nothing else of them.

import type { PromiseName } from "../reliability/record.ts";
import type { Bed } from "./bed.ts";

export interface Fault {
  /** A word or two, for progress and problems. */
  readonly name: string;
  /** What is done, as a row of the page says it. */
  readonly what: string;
  /** How it is done. */
  readonly injected: string;
  readonly promise: PromiseName;
  /** Why it cannot be had on this bed; null where it can. */
  missing?(bed: Bed): string | null;
  /**
   * Does it once, under the bed's load, and undoes it: when this resolves, everything that the fault took away is there again.
   * Rejects where something promised did not hold.
   */
  run(bed: Bed): Promise<void>;
}
