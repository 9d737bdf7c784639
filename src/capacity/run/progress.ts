// What a capacity run tells while it runs, for a person to watch: which part it is in, how far, and the figures so far.

import type { Level } from "../level.ts";
import type { LoadSlot } from "../load/load-result.ts";
import type { LevelSpec } from "../search/ladder.ts";

export type ProgressEvent =
  /** A part begins: "the ladder", "the search for the highest rate", "what --backlog 4096 changes". */
  | { readonly kind: "part"; readonly text: string; readonly secondsAbout: number | null }
  | { readonly kind: "slot"; readonly spec: LevelSpec; readonly slot: LoadSlot }
  | { readonly kind: "level"; readonly level: Level }
  /** Anything else worth a line. */
  | { readonly kind: "note"; readonly text: string };

export type OnProgress = (event: ProgressEvent) => void;
