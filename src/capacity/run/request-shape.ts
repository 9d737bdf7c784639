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
  asked: AskedRequest,
  makeBatches: () => readonly Uint8Array[],
): RequestShape {
  const takesBatches = target.isTidemark && asked.method === null && asked.bodies === null;
  if (!takesBatches) {
    const bodies = asked.bodies ?? [];
    const method = asked.method ?? (bodies.length > 0 ? "POST" : "GET");
    return { url: target.url, method, headers: asked.headers, bodies, namesClients: false };
  }
  const url = new URL(target.url);
  if (url.pathname === "/") url.pathname = "/metrics";
  return {
    url: url.href,
    method: "POST",
    headers: [["Content-Type", "application/json"], ...asked.headers],
    bodies: makeBatches(),
    namesClients: true,
  };
}
