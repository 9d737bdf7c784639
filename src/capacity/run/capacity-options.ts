// What a capacity run was asked for, after the command line is read and before anything is started.

import type { LoadGenerator } from "../load/load-generator.ts";
import type { Objective } from "../search/objective.ts";
import type { Sweep } from "../search/sweep.ts";
import type { AskedRequest } from "./request-shape.ts";

export type AskedTarget =
  /** Our own server: the words that run the command line, and what the operator wants of `serve`. */
  | { readonly kind: "own"; readonly command: readonly string[]; readonly flags: readonly string[] }
  /** Somebody's: pid is null where it is not known. */
  | { readonly kind: "url"; readonly url: string; readonly pid: number | null };

export interface CapacityOptions {
  readonly target: AskedTarget;
  readonly request: AskedRequest;
  /** What makes the load of a target's levels. `say` takes a line for the progress. Throws TidemarkError. */
  openGenerator(say: (line: string) => void): Promise<LoadGenerator>;
  /** Made-up batches for a Tidemark. */
  makeBatches(): readonly Uint8Array[];
  /** Client counts; null for the origin's levels and those above them. */
  readonly ladder: readonly number[] | null;
  /** Whether levels are run at all, and whether the highest rate is searched for. */
  readonly runsLadder: boolean;
  readonly searches: boolean;
  readonly objective: Objective;
  readonly paceMs: number;
  readonly threads: number;
  readonly keepAlive: boolean;
  readonly timeoutMs: number;
  /** Length of each level that is not so many requests each; null for what each kind of level takes by itself. */
  readonly levelSeconds: number | null;
  readonly verifies: boolean;
  readonly comparesPhases: boolean;
  readonly sweeps: readonly Sweep[];
  readonly seed: number;
  readonly signal: AbortSignal;
  /** For the report: "tidemark capacity --search", and the version. */
  readonly commandText: string;
  readonly version: string;
}
