// The stream that a drain empties: waits for it where it is not there yet, and says no to one that is none of ours. What may
// pass by itself (an election, a server that starts) is waited out, and told once.

import { JetStreamApiError, type jetstreamManager } from "@nats-io/jetstream";
import { TidemarkError } from "../../errors.ts";
import { DRAIN_BEAT_MS } from "../../limits.ts";
import { partitionsOf } from "../stream-settings.ts";
import type { DrainLog } from "./drain-context.ts";
import { pause } from "./pause.ts";

const STREAM_NOT_FOUND = 10059;

export interface FoundStream {
  partitions: number;
  replicas: number;
}

/** Null where `stop` ends the wait. Throws TidemarkError where only the operator can help. */
export async function findStream(
  manager: Awaited<ReturnType<typeof jetstreamManager>>,
  stream: string,
  log: DrainLog,
  stop: AbortSignal,
): Promise<FoundStream | null> {
  let told = "";
  while (!stop.aborted) {
    try {
      const { config } = await manager.streams.info(stream);
      return checkStream(stream, config);
    } catch (error) {
      const trouble = describeStreamTrouble(error, stream);
      if (trouble !== told) log("warn", trouble, {});
      told = trouble;
    }
    await pause(DRAIN_BEAT_MS / 4);
  }
  return null;
}

function checkStream(
  stream: string,
  config: { subjects?: string[]; retention: string; num_replicas: number },
): FoundStream {
  const partitions = partitionsOf(stream, config.subjects);
  if (partitions === 0)
    throw new TidemarkError(
      `cannot drain the stream ${stream} because its subjects (${config.subjects?.slice(0, 3).join(", ") ?? "none"}) are not those of tidemark serve --replicate; try another --stream`,
    );
  if (config.retention !== "workqueue")
    throw new TidemarkError(
      `cannot drain the stream ${stream} because its retention is ${config.retention} instead of workqueue; try another --stream, or delete it and let tidemark serve --replicate make it`,
    );
  return { partitions, replicas: config.num_replicas };
}

/** What may pass by itself, in words; throws what does not. */
export function describeStreamTrouble(error: unknown, stream: string): string {
  if (error instanceof TidemarkError) throw error;
  if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND)
    return `waits for the stream ${stream}, which is not there yet; start tidemark serve --replicate, or try another --stream`;
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  if (/permission/i.test(text))
    throw new TidemarkError(
      `cannot drain the stream ${stream} because our user may not; see its permissions for $JS.API.>, $JS.ACK.> and $KV.${stream}_drains.>`,
    );
  // The library says so too where nobody listens at all: JetStream is off, or its servers are just starting.
  if (
    error instanceof Error &&
    error.name === "JetStreamNotEnabled" &&
    !(error.cause instanceof JetStreamApiError)
  )
    return `waits for the stream ${stream}, as no server answers for JetStream; try nats-server -js where they do not just start`;
  if (/not enabled|disabled/i.test(text))
    throw new TidemarkError(
      `cannot drain the stream ${stream} because JetStream is not enabled for our account; try another that has it`,
    );
  return `waits for the stream ${stream}, for which no server answers (${text})`;
}
