// The server's figures as any ingest thread can render them: read from the shared counters and the probe's region when
// somebody asks.

import { realClock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import { showServers } from "../nats/nats-settings.ts";
import { exposeMetrics, legacyCounters } from "../telemetry/exposition.ts";
import { FollowerFigures } from "../telemetry/follower-figures.layout.ts";
import { ForwardNumbers } from "../telemetry/forward-figures.layout.ts";
import { readProbe, readSnapshot, type Snapshot } from "../telemetry/snapshot.ts";
import { buildStats, type SettingValue, type StatsSettings } from "../telemetry/stats.ts";
import type { IngestSettings } from "./messages.ts";
import type { Figures } from "./pages.ts";
import { RUNTIME, VERSION } from "./version.ts";

export class LiveFigures implements Figures {
  private readonly settings: IngestSettings;

  private readonly replica: FollowerFigures | null;
  private readonly forward: ForwardNumbers | null;

  constructor(settings: IngestSettings) {
    this.settings = settings;
    this.replica = settings.replicaFigures === null ? null : new FollowerFigures(settings.replicaFigures);
    this.forward = settings.forwardFigures === null ? null : new ForwardNumbers(settings.forwardFigures);
  }

  countersJson(): string {
    return JSON.stringify(legacyCounters(this.snapshot()));
  }

  exposition(): Promise<string> {
    return exposeMetrics(this.snapshot(), readProbe(this.settings.telemetry), this.constants());
  }

  statsJson(): string {
    const stats = buildStats(this.snapshot(), readProbe(this.settings.telemetry), this.constants());
    return `${printable(JSON.stringify(stats, null, 2), "\n")}\n`;
  }

  private snapshot(): Snapshot {
    return readSnapshot(this.settings.telemetry, realClock.wallMs());
  }

  private constants(): StatsSettings {
    const { config, startedAtMs } = this.settings;
    const { tokens, ...open } = config;
    const settings: Record<string, SettingValue> = {
      ...open,
      tokens: tokens.map(({ name }) => name),
      replicate: showServers(open.replicate),
      // Without a user, and without what a query or a field may hold.
      forward: open.forward.replace(/\/\/[^/]*@/, "//").replace(/\?.*/, "?…"),
      forwardHeaders: open.forwardHeaders === "" ? "none" : "set",
    };
    return {
      version: VERSION,
      runtime: RUNTIME,
      startedAtMs,
      settings,
      replication: this.replica?.read() ?? null,
      forwarding: this.forward?.read() ?? null,
    };
  }
}
