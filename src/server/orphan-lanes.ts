// Lanes that no ingest thread owns now, left by a run with more --threads. They are repaired at start, as every lane is,
// and keep to the retention; otherwise they are only there to be read. Main thread.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServeConfig } from "../config.ts";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import { applyRetention } from "../log/retention.ts";
import type { LogFigures } from "../telemetry/probe.ts";
import { describeLaneEvent } from "./lane-event.ts";
import type { LogLevel } from "./messages.ts";

const LANE_NAME = /^lane-(\d+)$/;

export class OrphanLanes {
  private readonly folders: string[] = [];

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
    }
  }

  /** Deletes what is past its retention. */
  retain(nowMs: number, config: ServeConfig): void {
    for (const folder of this.folders) {
      const { retentionAgeMs, retentionBytes } = config;
      applyRetention(realFiles, folder, Number.POSITIVE_INFINITY, nowMs, retentionAgeMs, retentionBytes);
    }
  }
}
