// For tests: servers that replicate, and what a client, an operator and a reader of the stream see of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "../support/answer.ts";
import { exchange } from "../support/raw-client.ts";
import { batch, metric, post } from "../support/requests.ts";
import { eventually, type ServerProcess } from "../support/server-process.ts";
import { STREAM, type StreamReader } from "./replica-bed.ts";

export const REPLICATED = { Prefer: "ack=replicated" };

/** Flags of a server with one lane, whose log goes into a stream of two partitions and one replica. */
export function replicating(url: string, stream = STREAM.stream): string[] {
  const to = [
    "--replicate",
    url,
    "--stream",
    stream,
    "--replicas",
    "1",
    "--partitions",
    "2",
    "--node",
    "node",
  ];
  return [...to, "--threads", "1", "--rate-limit", "0"];
}

/** How often a server's log has the text. */
export function timesTold(server: ServerProcess, text: string): number {
  return `${server.out}${server.error}`.split("\n").filter((line) => line.includes(text)).length;
}

export function put(
  server: ServerProcess,
  name: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return exchange(server.port, post(metric(name), headers));
}

export async function assertStored(server: ServerProcess, name: string, headers = {}): Promise<void> {
  const answer = await put(server, name, headers);
  assert.equal(answer.status, 200, answer.body);
}

/** Until the stream has these and nothing else, each under one number. */
export async function assertInStream(
  from: StreamReader,
  stream: string,
  names: readonly string[],
): Promise<void> {
  const wanted = [...names].sort();
  await eventually(
    `${stream} has all`,
    async () => (await from.metrics(stream).catch(() => new Map())).size >= wanted.length,
  );
  const metrics = await from.metrics(stream);
  assert.deepEqual([...metrics.keys()].sort(), wanted);
  assert.deepEqual([...new Set(metrics.values())], [1]);
}

/** What the next start goes on from: the first line of lane 0 that is not replicated yet. */
export function storedCursor(data: string): { fresh: number; late: unknown[]; origin: string } {
  const { origin, lanes } = JSON.parse(readFileSync(join(data, "followers", "replicate.json"), "utf8"));
  return { origin, ...lanes["lane-0"] };
}

/** Some 50 KiB of lines, each with a name of its own. */
export function many(at: number): string[] {
  return Array.from({ length: 500 }, (_, line) => `many.${at}.${line}`);
}

export async function storeMany(server: ServerProcess, at: number): Promise<Answer> {
  return exchange(server.port, post(batch(many(at).map((name) => ({ name, value: at })))));
}
