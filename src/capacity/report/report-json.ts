// The shape of report.json, which scripts read and of which the Markdown and the HTML report are made: nothing is in a
// report that is not in here. Keys are words joined by "_"; times end in _ms or _s; null means not known or not measured.

import type { SuspectId, Verdict } from "../diagnosis/suspect.ts";
import type { ErrorClass } from "../load/load-result.ts";

export interface LatencyJson {
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly p9999: number | null;
  readonly max: number | null;
}

/** Who made a load that several machines made. */
export interface AgentsJson {
  /** Between the first start and the last one, over all agents' threads. */
  readonly starts_apart_ms: number | null;
  /** By how much that may be wrong. */
  readonly clock_error_ms: number;
  readonly parts: readonly {
    readonly name: string;
    readonly host: string;
    readonly threads: number;
    readonly clients: number;
    /** Requests that its share asked for; null where nothing is planned. */
    readonly planned: number | null;
    /** Null where it handed in nothing, and the figures lack its share. */
    readonly requests: number | null;
    readonly succeeded: number | null;
    readonly void: string | null;
  }[];
}

/** What the load alone knows: the whole of `load --json`, and the start of each level. */
export interface LoadJson {
  /** Succeeded requests a second. */
  readonly rate: number;
  readonly requests: number;
  /** 0 to 1. */
  readonly success: number;
  /** Only the classes that occurred. */
  readonly errors: Readonly<Partial<Record<ErrorClass, number>>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly planned: number;
  /** From the planned send. */
  readonly latency_ms: LatencyJson;
  /** From the actual send: what a tool that waits for a stalled server would say. */
  readonly latency_uncorrected_ms: LatencyJson;
  /** Of the answers 429 and 503, which are in neither of those before; from the actual send. */
  readonly latency_refused_ms: LatencyJson;
  readonly connect_ms: LatencyJson;
  /** How late the generator itself was. */
  readonly send_lag_ms: LatencyJson;
  readonly connections: {
    readonly opened: number;
    readonly failed: number;
    readonly clients_answered: number;
    readonly open_max: number;
  };
  readonly bytes_sent: number;
  readonly bytes_received: number;
  /** Little's law: the mean number in flight as measured, and as rate × mean latency says. */
  readonly little: {
    readonly measured: number;
    readonly expected: number | null;
    readonly agrees: boolean | null;
  };
  readonly stalls: readonly { readonly at_ms: number; readonly lasted_ms: number }[];
  readonly generator: {
    readonly threads: number;
    /** Busiest thread's share of a core, without the time it spun for the next send. */
    readonly busy_ratio: number | null;
    readonly wait_ratio: number | null;
    readonly loop_lag_ms_max: number;
  };
  /** Only where agents made the load. */
  readonly agents?: AgentsJson;
  readonly void: string | null;
}

/** One point of the evidence over time; every figure may be null. Ratios are of 1. */
export interface EvidencePoint {
  readonly at_ms: number;
  readonly rate: number | null;
  readonly failed_rate: number | null;
  readonly latency_ms_mean: number | null;
  /** Busiest thread of the target, of one core. */
  readonly thread_ratio: number | null;
  /** All the target's threads together, in cores. */
  readonly process_cores: number | null;
  /** Of all the machine's cores. */
  readonly machine_ratio: number | null;
  /** Of its soft limit. */
  readonly descriptors_ratio: number | null;
  readonly accept_queue_ratio: number | null;
  readonly listen_overflows: number | null;
  readonly memory_bytes: number | null;
  readonly queue_ratio: number | null;
  readonly loop_lag_ms: number | null;
  readonly sync_ms: number | null;
}

export interface LevelJson extends LoadJson {
  readonly id: string;
  readonly kind: "paced" | "unpaced" | "open";
  readonly part: string;
  readonly clients: number;
  readonly pace_ms: number | null;
  readonly planned_rate: number | null;
  readonly objective_met: boolean;
  readonly objective_misses: readonly string[];
  readonly evidence: readonly EvidencePoint[];
  /** The moment from which a resource was at its limit, and which one; null where none was. */
  readonly saturation: { readonly at_ms: number; readonly resource: string } | null;
}

export interface SuspectJson {
  readonly id: SuspectId;
  readonly title: string;
  readonly verdict: Verdict;
  readonly for: readonly string[];
  readonly against: readonly string[];
  readonly check: string;
  readonly fix: string;
  readonly gain: { readonly predicted: number | null; readonly measured: number | null };
}

/** X(n) = λn ÷ (1 + σ(n − 1) + κn(n − 1)), by least squares, with 95 % intervals. */
export interface ScalabilityJson {
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
  readonly lambda_interval: readonly [number, number];
  readonly sigma_interval: readonly [number, number];
  readonly kappa_interval: readonly [number, number];
  readonly r_squared: number;
  /** Clients at which the fitted rate is highest, and that rate; null where it only grows. */
  readonly peak_clients: number | null;
  readonly peak_rate: number | null;
  readonly points: readonly { readonly clients: number; readonly rate: number }[];
  /** The curve with its interval, ready to draw. */
  readonly curve: readonly {
    readonly clients: number;
    readonly rate: number;
    readonly low: number;
    readonly high: number;
  }[];
  /** One sentence on what the fit says, or on why it should not be trusted. */
  readonly note: string;
}

/** A row of the origin's table beside ours. */
export interface OriginRowJson {
  readonly test: string;
  readonly clients: number;
  readonly requests_each: number;
  readonly origin: { readonly success: number; readonly rate: number; readonly latency_ms: number };
  readonly measured: {
    readonly success: number;
    readonly rate: number;
    readonly latency_ms: number | null;
    readonly p99_ms: number | null;
  } | null;
}

/** A stage of the path of a request, and its share of the mean latency. */
export interface BudgetRowJson {
  readonly stage: string;
  readonly ms: number;
  /** What the origin estimated for the same stage; null where it named none. */
  readonly origin_ms: number | null;
}

export interface PhaseRowJson {
  readonly phase: string;
  readonly architecture: string;
  readonly flags: readonly string[];
  readonly origin: { readonly rate: number; readonly success_100: number } | null;
  readonly rate: number | null;
  /** Success with 100 clients every 100 ms. */
  readonly success_100: number | null;
  readonly p99_ms: number | null;
  readonly limit: string | null;
}

export interface SweepJson {
  readonly setting: string;
  readonly rows: readonly {
    readonly value: string;
    readonly rate: number | null;
    readonly p99_ms: number | null;
    readonly success: number | null;
    /** rate ÷ the first row's. */
    readonly gain: number | null;
    readonly error: string | null;
  }[];
}

export interface VerificationJson {
  readonly suspect: SuspectId;
  /** "--backlog 4096", "descriptors 65536". */
  readonly remedy: string;
  readonly rate_before: number | null;
  readonly rate_after: number | null;
  readonly predicted: number | null;
  readonly measured: number | null;
  /** "the gain agrees", "less than predicted: …", or why it was not tried. */
  readonly conclusion: string;
  /** What limits it now. */
  readonly next_suspect: SuspectId | null;
}

export interface PointJson {
  readonly clients: number;
  readonly rate: number;
  readonly latency_ms: number | null;
  readonly p99_ms: number | null;
  readonly success: number;
  readonly level: string;
}

export interface CapacityJson {
  /** Highest sustained rate under the objective, requests a second: the median of the repeats. */
  readonly rate: number | null;
  /** Its interval from repeats and from the search's last step. */
  readonly low: number | null;
  readonly high: number | null;
  readonly objective: string;
  /** The generator or the end of the ladder stopped the search: it is at least this. */
  readonly is_at_least: boolean;
  /** Most throughput for its latency among the levels that met the objective (the largest rate ÷ p99-above-idle). */
  readonly sweet_spot: PointJson | null;
  /** Where more clients stop bringing more rate. */
  readonly knee: PointJson | null;
  /** The lowest level that missed the objective and was not void. */
  readonly breaking_point: PointJson | null;
  readonly clients_at_breaking: number | null;
}

export interface ReportJson {
  readonly format: "tidemark-capacity/1";
  readonly tidemark: string;
  readonly started_at: string;
  readonly took_s: number;
  readonly command: string;
  readonly target: {
    readonly url: string;
    readonly is_own: boolean;
    readonly is_tidemark: boolean;
    readonly pid: number | null;
    readonly software: string | null;
    readonly settings: Readonly<Record<string, unknown>> | null;
  };
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memory_bytes: number;
    readonly system: string;
    /** Share of CPU time that the hypervisor took during the run; null where unknown. */
    readonly stolen_ratio: number | null;
  };
  readonly levels: readonly LevelJson[];
  readonly capacity: CapacityJson;
  readonly scalability: ScalabilityJson | null;
  readonly suspects: readonly SuspectJson[];
  readonly findings: readonly string[];
  readonly origin: readonly OriginRowJson[];
  readonly budget: readonly BudgetRowJson[];
  readonly phases: readonly PhaseRowJson[];
  readonly sweeps: readonly SweepJson[];
  readonly verification: readonly VerificationJson[];
  readonly conclusion: readonly string[];
  readonly next_step: readonly string[];
  /** Sources of evidence that were missing here, in words. */
  readonly missing: readonly string[];
  /** Why the run proves nothing; null where it does. */
  readonly void: string | null;
}
