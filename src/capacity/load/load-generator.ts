// The one seam between what wants load and what makes it: threads of this process (generator-threads.ts), or agents on
// other machines (agents/agent-fleet.ts). A run of plans does not know which of them it has.

import type { LoadPlan } from "./load-plan.ts";
import type { LoadResult, LoadSlot } from "./load-result.ts";

export interface StartLoadOptions {
  /** Each slot of SLOT_MS as it ends, in order; the last ones come with the result only. */
  onSlot?(slot: LoadSlot): void;
  /** Ends the run early: what was measured until then is the result. */
  signal?: AbortSignal;
}

export interface LoadGenerator {
  /** Whether its processor, ports and descriptors are those of this process, where the analyser reads them. */
  readonly isHere: boolean;
  /** One plan at a time. Throws TidemarkError where it cannot be run at all. */
  run(plan: LoadPlan, options?: StartLoadOptions): Promise<LoadResult>;
  /** Lets go of what it holds; nothing is run after it. */
  end(): Promise<void>;
}
