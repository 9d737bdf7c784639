// --retention-age and --retention-size of a drain: of all lanes in its folder, those of partitions that it has now and those of
// partitions that it had. By default nothing is deleted. What is deleted was committed and is not asked for again.

import { join } from "node:path";
import { applyRetention } from "../../log/retention.ts";
import { segmentsAmong } from "../../log/segment-name.ts";
import type { DrainContext } from "./drain-context.ts";
import { lanesIn } from "./own-lanes.ts";
import type { PartitionDrain } from "./partition-drain.ts";
import { storeDirectory } from "./partition-store.ts";

/** Each lane keeps of the size what it has of the bytes, so that a busy one does not cost a quiet one its past. */
export function retainStore(context: DrainContext, owned: readonly PartitionDrain[]): void {
  const { retentionAgeMs, retentionBytes } = context.settings;
  if (retentionAgeMs === 0 && retentionBytes === 0) return;
  const lanes = lanesIn(context).map((partition) => ({ partition, bytes: bytesIn(context, partition) }));
  const total = lanes.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { partition, bytes } of lanes) {
    const isOver = retentionBytes > 0 && total > retentionBytes;
    const bytesMax = isOver ? Math.max(1, Math.floor(retentionBytes * (bytes / total))) : 0;
    const drain = owned.find((one) => one.partition === partition);
    if (drain !== undefined) drain.retain(retentionAgeMs, bytesMax);
    else retainLane(context, partition, retentionAgeMs, bytesMax);
  }
}

function retainLane(context: DrainContext, partition: number, ageMsMax: number, bytesMax: number): void {
  const limits = { ageMsMax, bytesMax, neededFrom: Number.POSITIVE_INFINITY };
  const directory = storeDirectory(context.dataFolder, partition);
  applyRetention(context.files, directory, Number.POSITIVE_INFINITY, Date.now(), limits);
}

function bytesIn({ files, dataFolder }: DrainContext, partition: number): number {
  const directory = storeDirectory(dataFolder, partition);
  const names = files.readdir(directory).filter((name) => segmentsAmong([name]).length > 0);
  return names.reduce((sum, name) => sum + (files.stat(join(directory, name))?.bytes ?? 0), 0);
}
