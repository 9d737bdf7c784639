// What the decoder's tests share: decoding into lines or a refusal's text.

import assert from "node:assert/strict";
import { REFUSALS } from "../errors.ts";
import { BatchDecoder, linesBytesMax } from "./batch-decoder.ts";

export const METRICS_MAX = 1000;
export const RECEIVED_AT_MS = 1763890000123;
export const encoder = new TextEncoder();
export const client = encoder.encode("agent-1");
export const decoder = new BatchDecoder(METRICS_MAX);

/** The lines of a body, or its refusal as `reason: text`. */
export function decode(
  body: string | Uint8Array,
  metricsMax = METRICS_MAX,
  receivedAtMs = RECEIVED_AT_MS,
): string[] | string {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const used = metricsMax === METRICS_MAX ? decoder : new BatchDecoder(metricsMax);
  const out = new Uint8Array(linesBytesMax(bytes.length, metricsMax, client.length));
  const count = used.decode(bytes, 0, bytes.length, out, 0, receivedAtMs, client);
  if (count === 0) return `${REFUSALS[used.refusal]!.reason}: ${used.describeRefusal()}`;
  const lines = new TextDecoder("utf-8", { fatal: true }).decode(out.subarray(0, used.outEnd)).split("\n");
  assert.equal(lines.pop(), "");
  assert.equal(lines.length, count);
  return lines;
}

/** A body of one metric whose fields are written as given. */
export const one = (fields: string) => `{"metrics":[{${fields}}]}`;
export const NAMED = '"name":"a","value":1';
