// What the main thread and a generator thread say to each other.

import type { LoadPlan } from "./load-plan.ts";
import type { LoadUrl } from "./load-url.ts";
import type { ThreadTally } from "./thread-tally.ts";
import type { SlotTally } from "./timeline.ts";

/** One thread's part of a plan. */
export interface GeneratorSettings {
  readonly plan: LoadPlan;
  readonly url: LoadUrl;
  /** The target's, found from the URL's name. */
  readonly address: string;
  readonly thread: number;
  readonly threads: number;
}

export type ToGenerator =
  /** Get ready for this plan; the one before has ended. */
  | { readonly kind: "prepare"; readonly settings: GeneratorSettings }
  /** All threads are ready: send from this moment of the shared monotonic clock. */
  | { readonly kind: "start"; readonly startMs: number }
  /** Begin no more requests. */
  | { readonly kind: "stop" };

export type FromGenerator =
  | { readonly kind: "ready" }
  | { readonly kind: "slots"; readonly slots: readonly SlotTally[] }
  | { readonly kind: "done"; readonly tally: ThreadTally };
