// A plan as a value of JSON, and back. An agent runs what it is told by whoever may publish on its subject, so it checks
// every bound that the command line has: no plan is longer than a day, whatever the message says. Pure.

import { TidemarkError } from "../../errors.ts";
import { AGENT_MESSAGE_BYTES_MAX, AGENTS_MAX } from "../../limits.ts";
import { readHeader, readHttpUrl, readMethod } from "../flag-values.ts";
import {
  CLIENTS_MAX,
  DURATION_MS_MAX,
  PACE_MS_MAX,
  PIPELINE_MAX,
  RATE_MAX,
  REQUESTS_MAX,
  SEED_MAX,
  THREADS_MAX,
  TIMEOUT_MS_MAX,
} from "../load/load-flags.ts";
import type { Arrivals, LoadPlan, Stop } from "../load/load-plan.ts";
import type { LoadShare } from "../load/load-share.ts";
import { Fields, readNumber, unreadable } from "./fields.ts";

const TEXT_LENGTH_MAX = 8192;
const HEADERS_MAX = 100;
const BODIES_MAX = 4096;

export type PlanJson = Readonly<Record<string, unknown>>;

/** Bodies are base64; all else is as it is. */
export function encodePlan(plan: LoadPlan): PlanJson {
  return { ...plan, bodies: plan.bodies.map((body) => Buffer.from(body).toString("base64")) };
}

/** Throws TidemarkError where it is none, or past a bound. */
export function decodePlan(value: unknown): LoadPlan {
  const fields = new Fields(value, "plan");
  const arrivals = decodeArrivals(fields.fields("arrivals"));
  const stop = decodeStop(fields.fields("stop"));
  const plan: LoadPlan = {
    url: readHttpUrl("the plan's address", fields.text("url", TEXT_LENGTH_MAX)),
    method: readMethod("the plan's method", fields.text("method", TEXT_LENGTH_MAX)),
    headers: fields.list("headers", HEADERS_MAX, decodeHeader),
    bodies: fields.list("bodies", BODIES_MAX, decodeBody),
    clients: fields.count("clients", CLIENTS_MAX, 1),
    threads: fields.count("threads", THREADS_MAX, 1),
    arrivals,
    stop,
    keepAlive: fields.flag("keepAlive"),
    pipeline: fields.count("pipeline", PIPELINE_MAX, 1),
    timeoutMs: fields.number("timeoutMs", TIMEOUT_MS_MAX, 1),
    namesClients: fields.flag("namesClients"),
    rampMs: fields.number("rampMs", PACE_MS_MAX, 0),
    seed: fields.count("seed", SEED_MAX),
  };
  if (plan.pipeline > 1 && !plan.keepAlive) throw fields.wrong("pipeline");
  if (stop.kind === "requests-each" && arrivals.kind === "open") throw fields.wrong("stop");
  return plan;
}

export function decodeShare(value: unknown): LoadShare {
  const fields = new Fields(value, "share");
  const threadsOfAll = fields.count("threadsOfAll", THREADS_MAX * AGENTS_MAX, 1);
  const threads = fields.list("threads", THREADS_MAX, (thread, where) => {
    const number = readNumber(thread, where, threadsOfAll - 1, 0);
    if (!Number.isInteger(number)) throw unreadable(where);
    return number;
  });
  if (threads.length === 0 || new Set(threads).size < threads.length) throw fields.wrong("threads");
  return { threads, threadsOfAll };
}

function decodeArrivals(fields: Fields): Arrivals {
  const kind = fields.text("kind", 16);
  if (kind === "closed") return { kind, paceMs: fields.number("paceMs", PACE_MS_MAX, 0) };
  if (kind !== "open") throw fields.wrong("kind");
  return {
    kind,
    ratePerSecond: fields.number("ratePerSecond", RATE_MAX, 0),
    rateEndPerSecond: fields.number("rateEndPerSecond", RATE_MAX, 0),
  };
}

function decodeStop(fields: Fields): Stop {
  const kind = fields.text("kind", 16);
  const secondsMax = DURATION_MS_MAX / 1000;
  if (kind === "seconds") return { kind, seconds: fields.number("seconds", secondsMax, 0) };
  if (kind !== "requests-each") throw fields.wrong("kind");
  return {
    kind,
    requests: fields.count("requests", REQUESTS_MAX, 1),
    secondsMax: fields.number("secondsMax", secondsMax, 0),
  };
}

function decodeHeader(value: unknown, where: string): readonly [name: string, value: string] {
  if (!Array.isArray(value) || value.length !== 2) throw unreadable(where);
  const [name, text] = readHeader("the plan's header", `${value[0]}: ${value[1]}`);
  return [name, text];
}

function decodeBody(value: unknown, where: string): Uint8Array {
  if (typeof value !== "string" || value.length > AGENT_MESSAGE_BYTES_MAX) throw unreadable(where);
  // A buffer of its own: it goes to threads, and the pool that Buffer.from takes from is shared with others.
  return Uint8Array.from(Buffer.from(value, "base64"));
}

/** For the coordinator, before it asks anybody. Throws TidemarkError. */
export function refuseLargePlan(plan: LoadPlan): void {
  const bytes = plan.bodies.reduce((sum, body) => sum + body.length, 0);
  if (bytes * 2 > AGENT_MESSAGE_BYTES_MAX || plan.bodies.length > BODIES_MAX)
    throw new TidemarkError(
      `cannot send the plan to agents because its bodies have ${bytes} bytes; try a smaller --payload or --batch`,
      2,
    );
}
