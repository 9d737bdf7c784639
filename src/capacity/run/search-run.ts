// Searches the highest rate that holds the objective, each probe a level of its own in open loop.

import type { Level } from "../level.ts";
import { type FoundCapacity, findCapacity } from "../search/find-capacity.ts";
import type { LevelSpec } from "../search/ladder.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import type { LevelRunner } from "./level-runner.ts";
import type { OnProgress } from "./progress.ts";

/** Length of one probe, seconds: at 1,000 requests/s its p99 rests on 25 requests. */
const PROBE_SECONDS = 2.5;
/** Whole search, seconds; the default run has three minutes. */
const SEARCH_SECONDS_MAX = 60;
/** In flight at this latency if everything is well: what a probe's connections are counted by (Little's law), seconds. */
const IN_FLIGHT_SECONDS = 0.01;
const CONNECTIONS_MIN = 64;
const CONNECTIONS_MAX = 256;
/** Where no level has said anything yet, requests a second. */
const START_RATE_DEFAULT = 100;
/** The first probe asks for this share of the best that closed loop reached: open loop meets the objective below it. */
const START_SHARE = 0.6;

export interface SearchRun {
  readonly found: FoundCapacity;
  readonly levels: readonly Level[];
}

export async function searchCapacity(
  runner: LevelRunner,
  ladder: readonly Level[],
  { levelSeconds, signal }: Pick<CapacityOptions, "levelSeconds" | "signal">,
  onProgress: OnProgress,
): Promise<SearchRun> {
  const levels: Level[] = [];
  const best = Math.max(0, ...ladder.map((level) => level.load.rate));
  const found = await findCapacity(
    async (ratePerSecond, _attempt, part) => {
      const spec: LevelSpec = {
        id: `open-${Math.round(ratePerSecond)}${suffixOf(levels, Math.round(ratePerSecond))}`,
        kind: "open",
        part,
        clients: connectionsFor(ratePerSecond),
        paceMs: null,
        rate: Math.round(ratePerSecond),
        stop: { kind: "seconds", seconds: PROBE_SECONDS },
      };
      let level = await runner.run(spec);
      onProgress({ kind: "level", level });
      // The machine may have had a hiccup: only what voids a probe twice is the generator's limit.
      if (level.load.void !== null && !signal.aborted) {
        level = await runner.run(spec);
        onProgress({ kind: "level", level });
      }
      levels.push(level);
      return { met: level.objective.met, isVoid: level.load.void !== null, rate: level.load.rate };
    },
    {
      startRate: best > 0 ? best * START_SHARE : START_RATE_DEFAULT,
      secondsMax: SEARCH_SECONDS_MAX,
      probeSeconds: levelSeconds ?? PROBE_SECONDS,
      signal,
    },
  );
  return { found, levels };
}

function connectionsFor(ratePerSecond: number): number {
  const inFlight = Math.ceil(ratePerSecond * IN_FLIGHT_SECONDS);
  return Math.min(CONNECTIONS_MAX, Math.max(CONNECTIONS_MIN, inFlight));
}

function suffixOf(levels: readonly Level[], rate: number): string {
  const before = levels.filter((level) => level.plannedRate === rate).length;
  return before === 0 ? "" : `-${before + 1}`;
}
