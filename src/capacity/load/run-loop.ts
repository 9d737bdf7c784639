// What a run and its loop are to each other: the loop decides when a client sends, the run owns the clock and the end.
// The loops are unpaced-loop.ts, paced-loop.ts and open-loop.ts, the run is load-run.ts. One thread.

import type { ClientLoop, LoadClient } from "./load-client.ts";
import type { LoadPlan } from "./load-plan.ts";
import type { Nap } from "./nap.layout.ts";
import type { Tally } from "./tally.ts";

export interface RunLoop extends ClientLoop {
  /** Time spent awake and without work, waiting for the next planned send, milliseconds. */
  readonly spunMs: number;
  start(): void;
  /** Sending has ended. */
  stop(nowMs: number): void;
  /** Planned requests wait for a client. */
  hasWaiting(): boolean;
  /** They have waited long enough. */
  failWaiting(nowMs: number): void;
  /** Requests that the plan asked for until the end of sending. */
  planned(): number;
}

/** As much of a run as its loop needs. */
export interface LoopRun {
  readonly plan: LoadPlan;
  readonly thread: number;
  readonly threads: number;
  readonly tally: Tally;
  /** This thread's, in the order of their numbers. */
  readonly clients: readonly LoadClient[];
  readonly nap: Pick<Nap, "take">;
  readonly nowMs: () => number;
  readonly startMs: number;
  /** Nothing is begun from here on; it moves nearer when the run is ended early. */
  readonly sendingEndMs: number;
  /** A number that changes whenever a request begins or ends. */
  work(): number;
  /** Connections on their way. */
  dialling(): number;
  /** No more requests begin. */
  endSending(nowMs: number): void;
}
