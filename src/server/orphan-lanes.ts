// Lanes that no ingest thread owns now, left by a run with more --threads: they are repaired once at start, as every lane
// is, and then only read. Main thread, before the ingest threads start.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import { describeLaneEvent } from "./lane-event.ts";
import type { LogLevel } from "./messages.ts";

const LANE_NAME = /^lane-(\d+)$/;

export function recoverOrphanLanes(
  dataFolder: string,
  threads: number,
  log: (level: LogLevel, text: string, fields: Record<string, unknown>) => void,
): void {
  for (const name of readdirSync(dataFolder)) {
    const lane = LANE_NAME.exec(name)?.[1];
    if (lane === undefined || Number(lane) < threads) continue;
    recoverLane(realFiles, join(dataFolder, name), (event) => {
      const { level, text, fields } = describeLaneEvent(event);
      log(level, text, { lane: Number(lane), ...fields });
    });
  }
}
