// What the generator sends in a capacity run: chosen once, after the target is known, the same for every level.

import type { TargetFacts } from "../level.ts";
import type { LoadPlan } from "../load/load-plan.ts";

export type RequestShape = Pick<LoadPlan, "url" | "method" | "headers" | "bodies" | "namesClients">;

export interface AskedRequest {
  /** Null: POST where there is a body, else GET. */
  readonly method: string | null;
  readonly headers: readonly (readonly [string, string])[];
  /** Null: none was given. */
  readonly bodies: readonly Uint8Array[] | null;
}

/** A Tidemark is sent batches of metrics, any other server a GET of its URL, unless something else was asked for. */
export function shapeRequest(
  target: TargetFacts,
  { method: askedMethod, headers, bodies: askedBodies }: AskedRequest,
  makeBatches: () => readonly Uint8Array[],
): RequestShape {
  const takesBatches = target.isTidemark && (askedMethod === null || askedMethod === "POST");
  const bodies = askedBodies ?? (takesBatches ? makeBatches() : []);
  const method = askedMethod ?? (bodies.length > 0 ? "POST" : "GET");
  if (!takesBatches) return { url: target.url, method, headers, bodies, namesClients: false };
  const url = new URL(target.url);
  if (url.pathname === "/") url.pathname = "/metrics";
  const hasType = headers.some(([name]) => name.toLowerCase() === "content-type");
  return {
    url: url.href,
    method,
    headers: hasType ? headers : [["Content-Type", "application/json"], ...headers],
    bodies,
    namesClients: true,
  };
}
