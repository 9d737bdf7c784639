// What a run leaves behind: bench/results/<scenario>.json. The README's tables are generated from these and nothing else.
// Units are last in each name; a figure that could not be had is null, never 0.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MachineRecord } from "./machine.ts";
import type { ScenarioId } from "./options.ts";

/** One contender under load for `seconds`. */
export interface Round {
  readonly requestsPerSecond: number;
  readonly metricsPerSecond: number;
  /** User and system time of the whole server process tree, by request answered. */
  readonly cpuUsPerRequest: number;
  /** Closed loop, from wrk: no correction for coordinated omission. */
  readonly latencyUsP50: number;
  readonly latencyUsP99: number;
  readonly latencyUsMax: number;
  /** Highest sum of VmRSS over the server's process tree, sampled during the round. */
  readonly residentBytes: number;
  /** Share of one core that the server's tree used; below 1 something else was the limit. */
  readonly serverCores: number;
  /** Share of one core that wrk used; near 1 the load is the limit and the rate flatters nobody. */
  readonly loadCores: number;
  /** Cores that neither the server nor wrk used, but something else did: the quieter, the better the figures. */
  readonly otherCores: number;
  /** Share of the machine's time that the hypervisor kept for others. */
  readonly stolenShare: number;
  readonly requests: number;
  /** Answers above 399 and socket errors; where not 0 the round's figures are marked. */
  readonly failures: number;
}

export interface RateFigures {
  readonly contender: string;
  readonly label: string;
  /** Why there are no rounds: what was missing, or how it failed. Null where it ran. */
  readonly skipped: string | null;
  readonly rounds: readonly Round[];
  readonly median: Round | null;
  /** By baseline: this contender's median divided by the baseline's, of the same run. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

export interface Ratio {
  readonly requestsPerSecond: number;
  readonly metricsPerSecond: number;
  readonly cpuUsPerRequest: number;
  readonly latencyUsP99: number;
  readonly residentBytes: number;
}

export interface LadderFigures {
  readonly contender: string;
  readonly label: string;
  readonly skipped: string | null;
  readonly levels: readonly {
    readonly clients: number;
    /** Connections that are open and say nothing meanwhile. */
    readonly held: number;
    readonly requests: number;
    readonly successes: number;
    readonly failuresByClass: Readonly<Record<string, number>>;
    /** Counted from the send. */
    readonly latencyUsP50: number;
    readonly latencyUsP99: number;
  }[];
}

export interface MemoryFigures {
  readonly contender: string;
  readonly label: string;
  readonly skipped: string | null;
  readonly connections: number;
  readonly startedResidentBytes: number | null;
  /** Growth by connection that has been opened and has said nothing. */
  readonly silentBytesPerConnection: number | null;
  /** Growth by connection that has sent one batch, was answered, and idles. */
  readonly idleBytesPerConnection: number | null;
  /** Highest resident memory in a fresh process under full load from 64 connections. */
  readonly fullRateResidentBytes: number | null;
}

export interface RestartFigures {
  readonly contender: string;
  readonly label: string;
  readonly skipped: string | null;
  readonly logBytes: number;
  /** Spawn to the first batch answered 200, after SIGKILL under load; one a restart. */
  readonly firstAnswerMs: readonly number[];
  readonly firstAnswerMsMedian: number | null;
  /** The same with every .idx file removed first. */
  readonly unindexedFirstAnswerMs: readonly number[];
  readonly unindexedFirstAnswerMsMedian: number | null;
}

export interface ResultHead {
  readonly title: string;
  readonly date: string;
  readonly machine: MachineRecord;
  readonly settings: Readonly<Record<string, number | string>>;
}

export type Result =
  | (ResultHead & {
      readonly scenario: "small" | "large" | "synced";
      readonly figures: readonly RateFigures[];
    })
  | (ResultHead & { readonly scenario: "ladder"; readonly figures: readonly LadderFigures[] })
  | (ResultHead & { readonly scenario: "memory"; readonly figures: readonly MemoryFigures[] })
  | (ResultHead & { readonly scenario: "restart"; readonly figures: readonly RestartFigures[] });

export function writeResult(folder: string, result: Result): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.scenario satisfies ScenarioId}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** The middle value; the mean of the two middle ones of an even count. Null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Field by field: the median of a field need not come from the round of another's. Failures are summed. */
export function medianRound(rounds: readonly Round[]): Round | null {
  if (rounds.length === 0) return null;
  const fields = Object.keys(rounds[0]!) as (keyof Round)[];
  const middle = Object.fromEntries(
    fields.map((field) => [field, median(rounds.map((round) => round[field]))!]),
  );
  return {
    ...(middle as unknown as Round),
    failures: rounds.reduce((sum, round) => sum + round.failures, 0),
  };
}

export function ratioOf(figures: Round, baseline: Round): Ratio {
  return {
    requestsPerSecond: figures.requestsPerSecond / baseline.requestsPerSecond,
    metricsPerSecond: figures.metricsPerSecond / baseline.metricsPerSecond,
    cpuUsPerRequest: figures.cpuUsPerRequest / baseline.cpuUsPerRequest,
    latencyUsP99: figures.latencyUsP99 / baseline.latencyUsP99,
    residentBytes: figures.residentBytes / baseline.residentBytes,
  };
}
