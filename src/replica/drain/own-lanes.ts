// What a start finds of the last run: each lane of the store is cut to what the partition's record says is committed, whoever
// has the partition now, so that nothing else stays in the store. A partition that is still ours by its record is given up
// first: a change that the last run had sent, and that is still on its way, comes too late then.

import { randomBytes } from "node:crypto";
import { TidemarkError } from "../../errors.ts";
import { retryMs } from "../../follow/backoff.ts";
import { FOLLOW_RETRY_MS_MAX, FOLLOW_RETRY_MS_MIN } from "../../limits.ts";
import { type CutReport, cutLane } from "../../log/cut-lane.ts";
import type { HeldRecord } from "./drain-bucket.ts";
import type { DrainContext } from "./drain-context.ts";
import { storeDirectory } from "./partition-store.ts";
import { pause } from "./pause.ts";

const LANE_NAME = /^lane-(\d+)$/;
/** An election takes some tries. */
const FAILURES_TOLD = 3;

/** Waits for NATS for as long as it takes. Throws what the disk has against it, and what only the operator can help with. */
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

/** Where our lane of the partition ends, by its record; null where it does not say, or nobody waits for it any more. */
async function committedIn(
  context: DrainContext,
  partition: number,
  isGivenUp: () => boolean,
): Promise<number | null> {
  const { bucket, id } = context;
  for (let failures = 0; !isGivenUp(); failures++) {
    const held = await tryReadNow(context, partition, failures);
    if (held === null) {
      await pause(retryMs(failures, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX / 5, Math.random));
      continue;
    }
    if (held.record.owner !== id) return held.record.stores[id] ?? null;
    const next = { ...held.record, owner: "", commit: randomBytes(8).toString("hex") };
    await bucket.swap(partition, held, next, isGivenUp);
  }
  return null;
}

/**
 * The record as it is now; null while nobody can say. A server that is cut off from the others and does not know it yet answers
 * with what it knows, and what has been committed since would be cut off; but it takes no write. So the read goes behind one.
 */
async function tryReadNow(
  { bucket, id, log }: DrainContext,
  partition: number,
  failures: number,
): Promise<HeldRecord | null> {
  try {
    await bucket.beat(id, {});
    return await bucket.readRecord(partition);
  } catch (error) {
    if (error instanceof TidemarkError) throw error;
    if (failures === FAILURES_TOLD)
      log("warn", "cannot find out what has been committed of a partition; it is tried again", {
        partition,
        error: String(error),
      });
    return null;
  }
}
