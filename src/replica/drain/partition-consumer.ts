// The durable consumer of a partition, `drain-<p>`: where the stream remembers what was delivered and what was acknowledged.
// A work-queue stream has one consumer for a subject. Who takes a partition makes it anew, so that what somebody else had
// been given and has not acknowledged is delivered at once, from the oldest on, instead of when its time is up.

import { JetStreamApiError } from "@nats-io/jetstream";
import { DRAIN_ACK_MS_MAX } from "../../limits.ts";
import { partitionSubject } from "../stream-settings.ts";
import type { DrainContext } from "./drain-context.ts";

const CONSUMER_NOT_FOUND = 10014;
const NS_PER_MS = 1e6;
/** What bounds what is under way is bytes (block-puller.ts), not their number. */
const UNACKNOWLEDGED_MAX = 100_000;

export function consumerName(partition: number): string {
  return `drain-${partition}`;
}

/** Throws the client's errors. */
export async function renewConsumer(context: DrainContext, partition: number): Promise<void> {
  const { manager, stream } = context;
  try {
    await manager.consumers.delete(stream, consumerName(partition));
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_NOT_FOUND) throw error;
  }
  await addConsumer(context, partition);
}

/** Makes it where it is not there. */
export async function addConsumer({ manager, stream }: DrainContext, partition: number): Promise<void> {
  await manager.consumers.add(stream, {
    durable_name: consumerName(partition),
    filter_subject: partitionSubject(stream, partition),
    ack_policy: "explicit",
    deliver_policy: "all",
    ack_wait: DRAIN_ACK_MS_MAX * NS_PER_MS,
    max_ack_pending: UNACKNOWLEDGED_MAX,
  });
}
