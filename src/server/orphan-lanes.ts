// Lanes that no ingest thread owns now, left by a run with more --threads. They are repaired at start, as every lane is,
// and keep to the retention; otherwise they are only there to be read. Main thread.

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ServeConfig } from "../config.ts";
import { neededFrom } from "../follow/cursor-file.ts";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import { applyRetention } from "../log/retention.ts";
import type { LogFigures } from "../telemetry/probe.ts";
import { describeLaneEvent } from "./lane-event.ts";
import type { LogLevel } from "./messages.ts";

const LANE_NAME = /^lane-(\d+)$/;

export class OrphanLanes {
  private readonly folders: string[] = [];
  /** Which they are, and the number behind the last line of each. */
  readonly ends: { lane: number; end: number }[] = [];

  /** Finds and repairs them. `figures` count what was found wrong, and `log` hears of it. */
  constructor(
    dataFolder: string,
    threads: number,
    figures: LogFigures,
    log: (level: LogLevel, text: string, fields: Record<string, unknown>) => void,
  ) {
    for (const name of readdirSync(dataFolder)) {
      const lane = LANE_NAME.exec(name)?.[1];
      if (lane === undefined || Number(lane) < threads) continue;
      const folder = join(dataFolder, name);
      const report = recoverLane(realFiles, folder, (event) => {
        const { level, text, fields } = describeLaneEvent(event);
        log(level, text, { lane: Number(lane), ...fields });
      });
      figures.damagedRecords += report.damagedRecords;
      figures.quarantinedBytes += report.bytesCut;
      this.folders.push(folder);
      this.ends.push({ lane: Number(lane), end: report.nextSequence });
    }
  }

  /** Deletes what is past its retention. */
  retain(nowMs: number, { retentionAgeMs, retentionBytes }: ServeConfig): void {
    for (const folder of this.folders) {
      const limits = {
        ageMsMax: retentionAgeMs,
        bytesMax: retentionBytes,
        neededFrom: neededFrom(dirname(folder), basename(folder)),
      };
      applyRetention(realFiles, folder, Number.POSITIVE_INFINITY, nowMs, limits);
    }
  }
}
