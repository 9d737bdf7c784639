// Measures our own server with other settings: for a phase, a row of a sweep, or a remedy that is tried. Each variant is
// a server of its own, warmed up, loaded as asked, and gone again.

import { findTargetFacts } from "../evidence/target-facts.ts";
import type { Level, LevelPart } from "../level.ts";
import type { LevelSpec } from "../search/ladder.ts";
import type { Objective } from "../search/objective.ts";
import type { CapacityOptions } from "./capacity-options.ts";
import { LevelRunner } from "./level-runner.ts";
import { startOwnServer } from "./own-server.ts";
import type { OnProgress } from "./progress.ts";
import { shapeRequest } from "./request-shape.ts";

export interface Variant {
  /** For `serve`, behind the operator's own flags. */
  readonly flags: readonly string[];
  readonly descriptors: number | null;
  /** Null: as the run was asked to. */
  readonly keepAlive: boolean | null;
}

/** Starts the target, calls `work` with a runner for it, and ends what it started. Throws TidemarkError. */
export async function withTarget<T>(
  options: CapacityOptions,
  variant: Variant,
  objective: Objective,
  onProgress: OnProgress,
  work: (runner: LevelRunner) => Promise<T>,
): Promise<T> {
  const { target } = options;
  const own =
    target.kind === "own"
      ? await startOwnServer({
          command: target.command,
          flags: [...target.flags, ...variant.flags],
          descriptors: variant.descriptors,
        })
      : null;
  try {
    const facts = await findTargetFacts(
      own?.url ?? (target as { url: string }).url,
      own?.pid ?? (target as { pid: number | null }).pid,
      own !== null,
    );
    const runner = new LevelRunner({
      target: facts,
      generator: await options.openGenerator((text) => onProgress({ kind: "note", text })),
      request: shapeRequest(facts, options.request, () => options.makeBatches()),
      objective,
      threads: options.threads,
      keepAlive: variant.keepAlive ?? options.keepAlive,
      timeoutMs: options.timeoutMs,
      levelSeconds: options.levelSeconds,
      seed: options.seed,
      signal: options.signal,
      onSlot: (spec, slot) => onProgress({ kind: "slot", spec, slot }),
    });
    try {
      return await work(runner);
    } finally {
      await runner.close();
    }
  } finally {
    await own?.stop();
  }
}

/** A server with these settings, warmed up, and its levels in this order. */
export function measureVariant(
  options: CapacityOptions,
  variant: Variant,
  specs: readonly LevelSpec[],
  onProgress: OnProgress,
): Promise<Level[]> {
  return withTarget(options, variant, options.objective, onProgress, async (runner) => {
    await runner.warmUp();
    const levels: Level[] = [];
    for (const spec of specs) {
      if (options.signal.aborted) break;
      levels.push(await runner.run(spec));
    }
    return levels;
  });
}

/** So many clients that each send as soon as they are answered. */
export function unpacedSpec(part: LevelPart, name: string, clients: number, seconds: number): LevelSpec {
  return {
    id: `${name}-unpaced-${clients}`,
    kind: "unpaced",
    part,
    clients,
    paceMs: null,
    rate: null,
    stop: { kind: "seconds", seconds },
  };
}

/** So many clients that each send every `paceMs`. */
export function pacedSpec(
  part: LevelPart,
  name: string,
  clients: number,
  paceMs: number,
  seconds: number,
): LevelSpec {
  return {
    id: `${name}-paced-${clients}`,
    kind: "paced",
    part,
    clients,
    paceMs,
    rate: null,
    stop: { kind: "seconds", seconds },
  };
}
