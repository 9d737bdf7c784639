// The least that the client library needs for the same blocks: they are made beforehand, the stream has the same settings, and each
// is published when the one before it has been acknowledged. Prints lines a second.

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { LaneReader } from "../../src/follow/lane-reader.ts";
import { FOLLOW_BLOCK_BYTES_MAX } from "../../src/limits.ts";
import { realFiles } from "../../src/log/files.ts";
import { openNats } from "../../src/nats/connection.ts";
import { NO_CREDENTIALS, parseServers } from "../../src/nats/nats-settings.ts";
import { BLOCK_HEADER, encodeBlock } from "../../src/replica/block-message.ts";
import { blockSubject, streamConfig } from "../../src/replica/stream-settings.ts";

const [url, stream, lane, count] = process.argv.slice(2) as [string, string, string, string];
const lines = Number(count);
/** Left out at the start, as the server's first blocks are. */
const WARM_BLOCKS = 8;

const reader = new LaneReader(realFiles, lane, FOLLOW_BLOCK_BYTES_MAX);
const messages: { id: string; header: string; payload: Uint8Array; lines: number }[] = [];
for (let block = reader.read(lines); block !== null; block = reader.read(lines))
  messages.push({
    ...encodeBlock({ origin: "0".repeat(16), lane: 0, ...block }),
    lines: block.end - block.first,
  });
reader.close();

const connection = await openNats({ servers: parseServers(url)!, ...NO_CREDENTIALS }, "bare loop");
const manager = await jetstreamManager(connection);
await manager.streams.add(streamConfig({ stream, replicas: 3, partitions: 16, bytesMax: 0, ageMsMax: 0 }));
const client = jetstream(connection, { timeout: 10_000 });
let published = 0;
let from = 0;
for (const [index, message] of messages.entries()) {
  if (index === WARM_BLOCKS) from = performance.now();
  const carried = headers();
  carried.set(BLOCK_HEADER, message.header);
  await client.publish(blockSubject(stream, 0, "bare", 0), message.payload, {
    msgID: message.id,
    headers: carried,
  });
  if (index >= WARM_BLOCKS) published += message.lines;
}
process.stdout.write(`${(published * 1000) / (performance.now() - from)}\n`);
await manager.streams.delete(stream);
await connection.close();
