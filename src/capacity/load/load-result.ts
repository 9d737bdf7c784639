// What a run of the generator measured: one value, merged exactly from its threads (histograms and counts add).
// Times inside are nanoseconds in histograms and milliseconds elsewhere; JSON for scripts is made by load-json.ts.

import type { Histogram } from "../../base/histogram.ts";
import type { LoadPlan } from "./load-plan.ts";

/** Why a request failed; each failed request has exactly one. */
export const ERROR_CLASSES = [
  /** connect: nothing listens there (ECONNREFUSED). */
  "refused",
  /** connect: no answer to the SYN before the timeout, or unreachable. */
  "connect_timeout",
  /** The connection was reset, or closed before the answer was whole. */
  "reset",
  /** Sent, and not answered within the timeout or by the end of the run. */
  "timeout",
  /** connect: EADDRNOTAVAIL, no client port left. */
  "no_port",
  /** connect: EMFILE or ENFILE, no descriptor left on the generator's side. */
  "no_descriptor",
  /** Answered 429. */
  "rate_limited",
  /** Answered 503. */
  "unavailable",
  /** Answered any other 4xx. */
  "status_4xx",
  /** Answered any other 5xx. */
  "status_5xx",
  /** Answered something that is not HTTP/1. */
  "protocol",
  "other",
] as const;

export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** One slot of the run's time line, merged over the threads. */
export interface LoadSlot {
  /** Since the run's start. */
  readonly atMs: number;
  readonly sent: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Of those that succeeded in the slot; null where none did. */
  readonly latencyMsMean: number | null;
  readonly latencyMsMax: number | null;
}

export const SLOT_MS = 250;

/** A time in which requests were in flight, the generator was awake, and not one answer came. */
export interface Stall {
  readonly atMs: number;
  readonly lastedMs: number;
}

/** Shortest silence that is kept as a stall, milliseconds. */
export const STALL_MS_MIN = 50;
/** Most stalls kept in one run; more are only counted. */
export const STALLS_MAX = 200;

/** What a generator thread knows of itself. */
export interface GeneratorThread {
  /** CPU seconds a second, of one core; null where the system does not tell. */
  readonly cpuRatio: number | null;
  /** Share of the time in which it spun for the next planned send with nothing else to do; 0 in closed loop. */
  readonly spinRatio: number;
  /** Share of the time it was ready to run and no core was free; null where unknown. */
  readonly waitRatio: number | null;
  /** Longest time between two turns of its loop. */
  readonly loopLagMsMax: number;
}

/** What one agent had of a load that was made on several machines. */
export interface AgentPart {
  readonly name: string;
  readonly host: string;
  readonly threads: number;
  readonly clients: number;
  /** Requests that its share asked for; null where nothing is planned. */
  readonly planned: number | null;
  /** As in LoadResult; null where it handed in nothing. */
  readonly requests: number | null;
  readonly succeeded: number | null;
  /** Why its share does not count, null where it does. */
  readonly void: string | null;
}

export interface LoadAgents {
  /** Between the first thread's start and the last one's; null of fewer than two threads. */
  readonly startsApartMs: number | null;
  /** By how much that may be wrong, since every machine has a clock of its own. */
  readonly clockErrorMs: number;
  readonly parts: readonly AgentPart[];
}

export interface LoadResult {
  readonly plan: LoadPlan;
  /** Wall clock, milliseconds since 1970. */
  readonly startedAtMs: number;
  /** From the first planned send to the end of sending (not the drain). */
  readonly seconds: number;
  /** Requests that were begun and have ended, one way or another: `succeeded` + the sum of `errors`. */
  readonly requests: number;
  /** Answered 1xx–3xx, whole. */
  readonly succeeded: number;
  readonly errors: Readonly<Record<ErrorClass, number>>;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** succeeded ÷ seconds. */
  readonly rate: number;
  /** requests that the plan asked for in that time; in an unpaced closed loop the same as `requests`. */
  readonly planned: number;
  /**
   * Nanoseconds from the planned send to the end of the answer, of those that succeeded or timed out (with the time
   * waited). Quick refusals are left out: they would flatter. In an unpaced closed loop nothing is planned, so after an
   * answer slower than the connection's usual gap the requests that it kept from being sent are filled in
   * (the correction of HdrHistogram's recordValueWithExpectedInterval, with the run's median as the interval).
   */
  readonly latency: Histogram;
  /** Nanoseconds from the actual send, of the same requests. */
  readonly latencyUncorrected: Histogram;
  /** Nanoseconds from the actual send, of those that were answered 429 or 503: how quick a "no" is. */
  readonly latencyRefused: Histogram;
  /** Nanoseconds from SYN to established, of every connection that was made. */
  readonly connect: Histogram;
  /** Nanoseconds by which the generator itself was late: from when it could have sent (planned, and a connection free) to the send. */
  readonly sendLag: Histogram;
  /** Planned sends that found every connection busy (open loop). */
  readonly waitedForConnection: number;
  readonly connections: {
    readonly opened: number;
    readonly failed: number;
    /** Connections of the first generation (one a client) that got at least one answer; never answered ones starve. */
    readonly clientsAnswered: number;
    /** Most that were established at one time. */
    readonly openMax: number;
  };
  /** Requests sent and not answered, averaged over the run: Little's L, measured. */
  readonly inFlightMean: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly timeline: readonly LoadSlot[];
  readonly stalls: readonly Stall[];
  readonly generator: readonly GeneratorThread[];
  /** Who made the load; null where threads of this process did. */
  readonly agents: LoadAgents | null;
  /** Why the figures are the generator's and not the server's; null where they are the server's. */
  readonly void: string | null;
}
