// Damage by the hundred: lanes made for it, and the folders of real servers that were killed under load, damaged while
// nobody ran, and started again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomFrom } from "../crash/random.ts";
import { exchange } from "../support/raw-client.ts";
import { get } from "../support/requests.ts";
import { eventually, newDataFolder, startServer } from "../support/server-process.ts";
import { type DamageOutcome, damageLane, judgeKept, judgeRepair } from "./damaged-lane.ts";
import { makeLane } from "./lane-model.ts";
import { TimedLoad } from "./timed-load.ts";

const FLAGS = ["--threads", "1", "--rate-limit", "0", "--segment-size", "64KiB"];
const LOAD_BATCHES = 20;

export type DamageSums = Omit<DamageOutcome, "kinds" | "problems"> & { rounds: number; problems: string[] };

/** Rounds until so many damages were done; each round has a seed of its own, which a problem names. */
export async function runDamages(
  damages: number,
  seed: number,
  round: (seed: number) => DamageOutcome | Promise<DamageOutcome>,
): Promise<DamageSums> {
  const sums: DamageSums = {
    rounds: 0,
    damages: 0,
    damagedRecords: 0,
    linesLost: 0,
    linesKept: 0,
    unseen: 0,
    problems: [],
  };
  while (sums.damages < damages) {
    const roundSeed = seed + sums.rounds++;
    const outcome = await round(roundSeed);
    for (const count of ["damages", "damagedRecords", "linesLost", "linesKept", "unseen"] as const)
      sums[count] += outcome[count];
    sums.problems.push(...outcome.problems.map((problem) => `seed ${roundSeed}: ${problem}`));
  }
  return sums;
}

/** One lane made for it, in this process. */
export function damageMadeLane(seed: number): DamageOutcome {
  const random = randomFrom(seed);
  const root = mkdtempSync(join(tmpdir(), "tidemark-damage-"));
  try {
    const directory = join(root, "lane-0");
    makeLane(directory, random);
    const { before, damaged } = damageLane(directory, random);
    return judgeRepair(directory, before, damaged);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** One real server's folder; the server must start on it, and serve. */
export async function damageServer(seed: number): Promise<DamageOutcome> {
  const random = randomFrom(seed);
  const data = newDataFolder();
  const directory = join(data, "lane-0");
  const first = await startServer(FLAGS, { data });
  const load = new TimedLoad("written", random);
  load.start(first.port);
  await eventually("there is a log", () => load.acknowledgements.length >= LOAD_BATCHES);
  await first.kill();
  await load.stop();

  const { before, damaged } = damageLane(directory, random);
  const server = await startServer(FLAGS, { data });
  const ready = await exchange(server.port, get("/ready"));
  const exit = await server.stop();
  const outcome = judgeKept(directory, before, damaged);
  if (ready.status !== 200 || exit.code !== 0)
    outcome.problems.push(`the server did not serve on it: ${ready.status}, ${exit.code} ${server.error}`);
  return outcome;
}
