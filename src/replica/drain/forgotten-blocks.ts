// Blocks that the stream still has and its consumer takes for acknowledged: a cluster that loses its leaders at the wrong moment
// keeps the one and forgets the other (seen with NATS 2.9). They are drained, but nobody would ever take them off the stream. A
// consumer that is made anew delivers them again, and they are acknowledged again.

import { partitionSubject } from "../stream-settings.ts";
import type { DrainContext } from "./drain-context.ts";
import { consumerName } from "./partition-consumer.ts";

/** How many; only for a partition that is quiet, for the stream and the consumer are asked one after the other. */
export async function countForgotten(
  { manager, stream }: Pick<DrainContext, "manager" | "stream">,
  partition: number,
): Promise<number> {
  const subjects_filter = partitionSubject(stream, partition);
  const { state } = await manager.streams.info(stream, { subjects_filter });
  const blocks = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  if (blocks === 0) return 0;
  const { num_pending, num_ack_pending } = await manager.consumers.info(stream, consumerName(partition));
  return num_pending + num_ack_pending > 0 ? 0 : blocks;
}
