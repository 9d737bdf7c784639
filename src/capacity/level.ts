// One level of a capacity run: a load, what came of it, and what was read of both sides meanwhile.

import type { Sample } from "./evidence/sample.ts";
import type { LoadResult } from "./load/load-result.ts";
import type { ObjectiveOutcome } from "./search/objective.ts";

export type LevelKind =
  /** N clients, each sending every `paceMs`: the origin's way. */
  | "paced"
  /** N clients, each sending as soon as it is answered. */
  | "unpaced"
  /** A rate, whatever the server does. */
  | "open";

/** Which part of the run it belongs to. */
export type LevelPart = "ladder" | "search" | "repeat" | "verify" | "phase" | "sweep";

export interface Level {
  /** Unique in the run: "paced-200", "unpaced-64", "open-12000", "open-12000-2". */
  readonly id: string;
  readonly kind: LevelKind;
  readonly part: LevelPart;
  readonly clients: number;
  /** Null where not paced. */
  readonly paceMs: number | null;
  /** Requests a second that the level asked for; null where unpaced. */
  readonly plannedRate: number | null;
  readonly load: LoadResult;
  /** In the order of time; the first was taken before the load, the last after it. */
  readonly samples: readonly Sample[];
  readonly objective: ObjectiveOutcome;
}

/** What is known of the target before any load. */
export interface TargetFacts {
  readonly url: string;
  /** Started by the run itself, so that it can be started again with other settings. */
  readonly isOwn: boolean;
  /** It answers GET /stats as a Tidemark does. */
  readonly isTidemark: boolean;
  /** Of this machine: its address is one of ours. */
  readonly isLocal: boolean;
  readonly isLoopback: boolean;
  /** Null without --pid for a target that is not ours. */
  readonly pid: number | null;
  /** "tidemark 0.1.0 (Bun 1.4.5)", or the Server header, or null. */
  readonly software: string | null;
  /** Of a Tidemark: GET /stats `settings`. */
  readonly settings: Readonly<Record<string, unknown>> | null;
}
