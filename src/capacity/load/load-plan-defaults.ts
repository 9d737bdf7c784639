// Plans with everything in them: what is not said is what `tidemark load` does without flags.

import { assert } from "../../base/assert.ts";
import type { LoadPlan } from "./load-plan.ts";

export const LOAD_URL_DEFAULT = "http://127.0.0.1:8080/metrics";

const DEFAULTS: LoadPlan = {
  url: LOAD_URL_DEFAULT,
  method: "GET",
  headers: [],
  bodies: [],
  clients: 50,
  threads: 1,
  arrivals: { kind: "closed", paceMs: 0 },
  stop: { kind: "seconds", seconds: 10 },
  keepAlive: true,
  pipeline: 1,
  timeoutMs: 5_000,
  namesClients: false,
  rampMs: 0,
  seed: 1,
};

/** A plan of these parts; it sends GET without a body unless they say otherwise. What cannot be run is a bug of the caller's. */
export function newLoadPlan(parts: Partial<LoadPlan>): LoadPlan {
  const plan = { ...DEFAULTS, ...parts };
  const { arrivals, stop } = plan;
  assert(plan.clients >= 1 && plan.threads >= 1, "a plan has at least one client and one thread");
  assert(plan.pipeline === 1 || plan.keepAlive, "pipelining needs keep-alive");
  assert(stop.kind === "seconds" || arrivals.kind === "closed", "requests-each is for a closed loop");
  assert(
    arrivals.kind === "closed" || (arrivals.ratePerSecond >= 0 && arrivals.rateEndPerSecond >= 0),
    "a rate is not negative",
  );
  return plan;
}
