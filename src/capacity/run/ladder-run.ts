// Climbs the ladder: one level after another, and no further where the target has plainly given up.

import type { Level } from "../level.ts";
import type { LevelSpec } from "../search/ladder.ts";
import type { LevelRunner } from "./level-runner.ts";
import type { OnProgress } from "./progress.ts";

/** Below this success a level counts as given up, and levels of the same kind with more clients are left out. */
const GIVEN_UP_SUCCESS = 0.5;
/** So many levels in a row: one may have met a hiccup. */
const GIVEN_UP_LEVELS = 2;

export async function climbLadder(
  runner: LevelRunner,
  specs: readonly LevelSpec[],
  isWanted: (spec: LevelSpec) => boolean,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Level[]> {
  const levels: Level[] = [];
  const givenUp = new Map<string, number>();
  for (const spec of specs) {
    if (signal.aborted) break;
    if ((givenUp.get(spec.kind) ?? 0) >= GIVEN_UP_LEVELS && !isWanted(spec)) {
      onProgress({
        kind: "note",
        text: `${spec.id} is left out: less than half succeeded with fewer clients`,
      });
      continue;
    }
    const level = await runner.run(spec);
    levels.push(level);
    onProgress({ kind: "level", level });
    const { succeeded, requests } = level.load;
    const hasGivenUp = requests === 0 || succeeded / requests < GIVEN_UP_SUCCESS;
    givenUp.set(spec.kind, hasGivenUp ? (givenUp.get(spec.kind) ?? 0) + 1 : 0);
  }
  return levels;
}
