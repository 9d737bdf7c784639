// What all faults have in common. Each is a small file in faults/; the scheduler knows nothing else of them.

import type { PromiseName } from "../reliability/record.ts";
import type { Bed } from "./bed.ts";

export interface Fault {
  /** A word or two, for progress and problems. */
  readonly name: string;
  /** What is done to the server, as a row of the page says it. */
  readonly what: string;
  /** How it is done. */
  readonly injected: string;
  /** The promise that it attacks. */
  readonly promise: PromiseName;
  /** Why it cannot be had on this machine or runtime; null where it can. */
  missing?(): string | null;
  /**
   * Does it once, under the bed's load, and undoes what a server could not: when this resolves a server must come to serve
   * again without help. Rejects where something promised did not hold.
   */
  run(bed: Bed): Promise<void>;
}
