// The requests that most tests send, as text, so that a test shows only what is special about its own.

import type { Answer } from "./answer.ts";
import { exchange } from "./raw-client.ts";

export type Headers = Readonly<Record<string, string>>;

export interface Metric {
  name: string;
  value: number;
  type?: string;
  tags?: Record<string, string>;
  timestamp?: number;
}

/** A request as bytes. Content-Length is added where there is a body and the headers do not frame it. */
export function request(
  method: string,
  target: string,
  headers: Headers = {},
  body: string | Uint8Array = "",
): Buffer {
  const bytes = Buffer.from(body);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const isFramed = names.includes("content-length") || names.includes("transfer-encoding");
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (!names.includes("host")) fields.unshift("Host: tidemark.test\r\n");
  if (!isFramed && (bytes.length > 0 || method === "POST"))
    fields.push(`Content-Length: ${bytes.length}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields.join("")}\r\n`, "latin1"),
    bytes,
  ]);
}

/** A batch as the body of a request. */
export function batch(metrics: readonly Metric[]): string {
  return JSON.stringify({ metrics });
}

/** A batch of one. */
export function metric(name: string, value = 1): string {
  return batch([{ name, value }]);
}

export function post(body: string | Uint8Array, headers: Headers = {}): Buffer {
  return request("POST", "/metrics", { "Content-Type": "application/json", ...headers }, body);
}

export function get(target: string, headers: Headers = {}): Buffer {
  return request("GET", target, headers);
}

/** The part of GET /stats that tests look at. */
export interface StatsPart {
  ready: boolean;
  requests: number;
  metrics_stored: number;
  accounting: { received: number; stored: number; rejected: Record<string, number>; in_flight: number };
  connections: { open: number; limit: number | null };
  memory: { budget_used_bytes: number };
  log: { segments: number; bytes: number; damaged_records: number };
  disk: { state: string };
  threads: { thread: number; restarts: number; received: number; os_thread_id: number | null }[];
  settings: Record<string, unknown>;
}

export async function readStats(port: number): Promise<StatsPart> {
  return JSON.parse((await exchange(port, get("/stats"))).body);
}

/** The error text of a refusal. */
export function errorOf(answer: Answer): string {
  return JSON.parse(answer.body).error;
}
