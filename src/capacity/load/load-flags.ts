// The words of `tidemark load`'s command line, checked, as a plan and what is to be done with its result. Pure apart from
// `readFile`. Nothing has been sent when it throws.

import { TidemarkError } from "../../errors.ts";
import {
  readCount,
  readDurationMs,
  readHeader,
  readHttpUrl,
  readMethod,
  readOnOff,
  readRate,
} from "../flag-values.ts";
import type { Arrivals, LoadPlan, Stop } from "./load-plan.ts";
import { LOAD_URL_DEFAULT, newLoadPlan } from "./load-plan-defaults.ts";
import { makeBatches } from "./payload.ts";

/** As the command line gives them. */
export interface LoadFlags {
  readonly url?: string;
  readonly clients?: string;
  readonly threads?: string;
  readonly duration?: string;
  readonly requests?: string;
  readonly rate?: string;
  readonly rateEnd?: string;
  readonly pace?: string;
  readonly ramp?: string;
  readonly warmUp?: string;
  readonly keepAlive?: string;
  readonly pipeline?: string;
  readonly payload?: string;
  readonly batch?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly timeout?: string;
  readonly clientIds?: string;
  readonly seed?: string;
  readonly hgrm?: string;
  readonly json?: boolean;
}

export interface AskedLoad {
  readonly plan: LoadPlan;
  /** The plan is run for so long first, and what comes of that is thrown away. */
  readonly warmUpSeconds: number;
  /** Where the histogram goes; null for nowhere. */
  readonly hgrm: string | null;
  readonly isJson: boolean;
}

export const CLIENTS_MAX = 100_000;
export const THREADS_MAX = 64;
export const PIPELINE_MAX = 256;
export const RATE_MAX = 10_000_000;
export const REQUESTS_MAX = 1_000_000_000;
export const DURATION_MS_MAX = 24 * 3_600_000;
export const PACE_MS_MAX = 3_600_000;
export const TIMEOUT_MS_MAX = 600_000;
export const SEED_MAX = 2 ** 31 - 1;
/** What a Tidemark takes in one batch by default is less; the target says so then. */
const BATCH_MAX = 20_000;
const DURATION_DEFAULT = "10s";
/** Longer ones are a load of their own. */
const WARM_UP_MS_MAX = 600_000;

/** Throws TidemarkError with exit code 2, one line that names the flag. */
export function readLoadFlags(flags: LoadFlags, readFile: (path: string) => Uint8Array): AskedLoad {
  refuseTogether(flags);
  const method = readMethod("--method", flags.method ?? "POST");
  const threads = readCount("--threads", flags.threads ?? "1", 1, THREADS_MAX);
  const clients = readCount("--clients", flags.clients ?? "50", 1, CLIENTS_MAX);
  if (flags.threads !== undefined && flags.clients !== undefined && threads > clients)
    throw wrong(
      `cannot use --threads ${threads} because there are only ${clients} --clients; try --threads ${clients}`,
    );
  const body = readBody(flags, method, readFile);
  const headers = (flags.header ?? []).map((text) => readHeader("--header", text));
  const hasType = headers.some(([name]) => name.toLowerCase() === "content-type");
  return {
    plan: newLoadPlan({
      url: readHttpUrl("--url", flags.url ?? LOAD_URL_DEFAULT),
      method,
      headers: body.isMadeUp && !hasType ? [["Content-Type", "application/json"], ...headers] : headers,
      bodies: body.bodies,
      clients,
      threads: Math.min(threads, clients),
      arrivals: readArrivals(flags),
      stop: readStop(flags),
      keepAlive: readOnOff("--keep-alive", flags.keepAlive ?? "on"),
      pipeline: readCount("--pipeline", flags.pipeline ?? "1", 1, PIPELINE_MAX),
      timeoutMs: readDurationMs("--timeout", flags.timeout ?? "5s", 1, TIMEOUT_MS_MAX),
      namesClients: readOnOff("--client-ids", flags.clientIds ?? (body.isMadeUp ? "on" : "off")),
      rampMs: readDurationMs("--ramp", flags.ramp ?? "0ms", 0, PACE_MS_MAX),
      seed: readCount("--seed", flags.seed ?? "1", 0, SEED_MAX),
    }),
    warmUpSeconds: readDurationMs("--warm-up", flags.warmUp ?? "0ms", 0, WARM_UP_MS_MAX) / 1000,
    hgrm: flags.hgrm ?? null,
    isJson: flags.json === true,
  };
}

/** Pairs that contradict each other. */
function refuseTogether(flags: LoadFlags): void {
  const has = (name: keyof LoadFlags): boolean => flags[name] !== undefined;
  if (has("duration") && has("requests"))
    throw wrong("cannot use --duration with --requests because each of them ends the run; leave one out");
  if (has("rate") && has("pace"))
    throw wrong("cannot use --rate with --pace because each of them says when to send; leave one out");
  if (has("rate") && has("requests"))
    throw wrong("cannot use --requests with --rate because a rate is sent for a time; try --duration 10s");
  if (has("rate") && has("ramp"))
    throw wrong("cannot use --ramp with --rate because it starts clients, not requests; try --rate-end");
  if (has("pace") && has("ramp"))
    throw wrong(
      "cannot use --ramp with --pace because clients are spread over one pace anyway; leave it out",
    );
  if (has("rateEnd") && !has("rate"))
    throw wrong("cannot use --rate-end without --rate because a ramp needs its start; try --rate 100");
  if (has("payload") && has("batch"))
    throw wrong("cannot use --batch with --payload because the file is the body; leave one out");
  if (flags.keepAlive === "off" && has("pipeline") && flags.pipeline !== "1")
    throw wrong(
      "cannot use --pipeline with --keep-alive off because a connection has one request then; leave one out",
    );
}

function readArrivals(flags: LoadFlags): Arrivals {
  if (flags.rate === undefined) {
    return {
      kind: "closed",
      paceMs: flags.pace === undefined ? 0 : readDurationMs("--pace", flags.pace, 1, PACE_MS_MAX),
    };
  }
  const ratePerSecond = readRate("--rate", flags.rate, RATE_MAX);
  const rateEndPerSecond =
    flags.rateEnd === undefined ? ratePerSecond : readRate("--rate-end", flags.rateEnd, RATE_MAX);
  return { kind: "open", ratePerSecond, rateEndPerSecond };
}

function readStop(flags: LoadFlags): Stop {
  if (flags.requests === undefined) {
    return {
      kind: "seconds",
      seconds: readDurationMs("--duration", flags.duration ?? DURATION_DEFAULT, 100, DURATION_MS_MAX) / 1000,
    };
  }
  const requests = readCount("--requests", flags.requests, 1, REQUESTS_MAX);
  return { kind: "requests-each", requests, secondsMax: DURATION_MS_MAX / 1000 };
}

function readBody(
  flags: LoadFlags,
  method: string,
  readFile: (path: string) => Uint8Array,
): { bodies: Uint8Array[]; isMadeUp: boolean } {
  if (flags.payload !== undefined) {
    try {
      return { bodies: [readFile(flags.payload)], isMadeUp: false };
    } catch (error) {
      throw wrong(`cannot read --payload ${flags.payload} because ${(error as Error).message}`);
    }
  }
  if (flags.batch === undefined && !/^(POST|PUT|PATCH)$/.test(method)) return { bodies: [], isMadeUp: false };
  const metrics = readCount("--batch", flags.batch ?? "3", 1, BATCH_MAX);
  const seed = readCount("--seed", flags.seed ?? "1", 0, SEED_MAX);
  return { bodies: makeBatches({ seed, metrics }), isMadeUp: true };
}

function wrong(text: string): TidemarkError {
  return new TidemarkError(text, 2);
}
