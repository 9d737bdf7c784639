// What a node asks the cluster about its own blocks (drained-check.ts), over the JetStream API: of the leaders, for a replica may
// lag.

import { JetStreamApiError, jetstreamManager, type MsgRequest } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { HeldRecord } from "./drain/drain-bucket.ts";
import { bucketName, decodeRecord, partitionKey } from "./drain/partition-record.ts";
import type { StreamView } from "./drained-check.ts";
import { partitionSubject } from "./stream-settings.ts";

const VIEW_MS_MAX = 5_000;
const STREAM_NOT_FOUND = 10059;

export async function viewStream(connection: NatsConnection, stream: string): Promise<StreamView> {
  const { streams } = await jetstreamManager(connection, { timeout: VIEW_MS_MAX, checkAPI: false });
  const bucket = bucketName(stream);
  return {
    async lastSequence() {
      return (await streams.info(stream)).state.last_seq;
    },
    async oldestSequence(partition) {
      // The servers take that since 2.9; the client's types know it of another request only.
      const query = { seq: 1, next_by_subj: partitionSubject(stream, partition) } as MsgRequest;
      return (await streams.getMessage(stream, query))?.seq ?? null;
    },
    record: (partition) =>
      streams
        .getMessage(`KV_${bucket}`, { last_by_subj: `$KV.${bucket}.${partitionKey(partition)}` })
        .then((message) => (message === null ? null : toHeld(message.seq, message.string())))
        .catch(noneYet),
  };
}

/** Null for what no drain of this version has written. */
function toHeld(revision: number, text: string): HeldRecord | null {
  const record = decodeRecord(text);
  return record === null ? null : { record, revision };
}

/** Drains make the bucket. */
function noneYet(error: unknown): null {
  if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return null;
  throw error;
}
