// What a start finds of the last run: each lane of the store is cut to what the partition's record says is committed, whoever
// has the partition now, so that nothing else stays in the store. A partition that is still ours by its record is given up
// first: a change that the last run had sent, and that is still on its way, comes too late then.

import { randomBytes } from "node:crypto";
import { type CutReport, cutLane } from "../../log/cut-lane.ts";
import type { DrainContext } from "./drain-context.ts";
import { storeDirectory } from "./partition-store.ts";

const LANE_NAME = /^lane-(\d+)$/;

/** Throws what the disk or NATS has against it. */
export async function cutOwnLanes(context: DrainContext, isGivenUp: () => boolean): Promise<void> {
  for (const partition of lanesIn(context)) {
    const committed = await committedIn(context, partition, isGivenUp);
    const directory = storeDirectory(context.dataFolder, partition);
    const onEvent = context.onLaneEvent.bind(context, partition);
    const report = cutLane(context.files, directory, committed ?? Number.POSITIVE_INFINITY, onEvent);
    tellCut(context, partition, report);
  }
}

export function lanesIn({ files, dataFolder }: Pick<DrainContext, "files" | "dataFolder">): number[] {
  return files.readdir(dataFolder).flatMap((name) => {
    const lane = LANE_NAME.exec(name)?.[1];
    return lane === undefined ? [] : [Number(lane)];
  });
}

export function tellCut(
  { log }: DrainContext,
  partition: number,
  { linesCut, bytesCut, quarantined }: CutReport,
): void {
  if (linesCut === 0) return;
  log(
    "info",
    "lines that were not committed were cut off and put aside; they are still in the stream, or drained by another",
    {
      partition,
      lines: linesCut,
      bytes: bytesCut,
      paths: quarantined,
    },
  );
}

/** Where our lane of the partition ends, by its record; null where it does not say. */
async function committedIn(
  { bucket, id }: DrainContext,
  partition: number,
  isGivenUp: () => boolean,
): Promise<number | null> {
  for (;;) {
    const held = await bucket.readRecord(partition);
    if (held.record.owner !== id) return held.record.stores[id] ?? null;
    const next = { ...held.record, owner: "", commit: randomBytes(8).toString("hex") };
    await bucket.swap(partition, held, next, isGivenUp);
    if (isGivenUp()) return null;
  }
}
