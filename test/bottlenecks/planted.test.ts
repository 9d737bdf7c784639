// The analyser against the planted limits: the planted one is named first, and nothing that is not true is confirmed.
// A run takes 10 to 17 s, so that each plant has its turn on one of the two runtimes, and most are left to
// bench/bottlenecks.ts, which runs all of them many times and on either.
// On a machine that others use, a rival is no false verdict: a wrong one is looked at again, more often where others used
// the cores meanwhile, and where they did so every time nothing was tested, which is a skip.
// ALONE: the analyser would find the test beside it.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { stopForeignServers } from "../support/foreign-server.ts";
import { IS_BUN, stopServers } from "../support/server-process.ts";
import { PLANTS } from "./plants.ts";
import { explain, judgePlant, OTHER_CORES_MAX, type PlantVerdict } from "./verdict.ts";

const PLANT_MS_MAX = 400_000;
const TRIES_MAX = 2;
const TRIES_MAX_DISTURBED = 4;

/**
 * The whole test command has ten minutes, and these four have the most to tell apart: a cause and its symptom, a queue that
 * overflows for itself, a wait for the disk, and a pool that looks idle. All twenty, many times: scripts/bottlenecks.sh.
 */
const IN_EVERY_RUN: readonly string[] = ["descriptors-own", "listen-queue-backlog", "slow-sync", "pool-held"];

after(async () => {
  await stopForeignServers();
  await stopServers();
});

const turns = PLANTS.filter(({ id }) => IN_EVERY_RUN.includes(id)).filter(
  (_, index) => index % 2 === (IS_BUN ? 0 : 1),
);

describe("the analyser names what is planted", () => {
  for (const plant of turns) {
    test(`${plant.id}: ${plant.title}`, {
      skip: plant.missing() ?? false,
      timeout: PLANT_MS_MAX,
    }, async (context) => {
      let verdict: PlantVerdict;
      let tries = 0;
      let disturbed = 0;
      do {
        verdict = await judgePlant(plant);
        tries += 1;
        if (isDisturbed(verdict)) disturbed += 1;
      } while (isWrong(verdict) && tries < (disturbed > 0 ? TRIES_MAX_DISTURBED : TRIES_MAX));
      if (isWrong(verdict) && disturbed === tries)
        return context.skip(`others used ${verdict.otherCores} cores meanwhile: ${verdict.summary}`);
      assert.deepEqual(verdict.confidentlyWrong, [], `confidently wrong: ${explain(verdict)}`);
      assert.ok(verdict.isRight, `expected ${plant.first.join(" or ")} first: ${explain(verdict)}`);
    });
  }
});

function isWrong({ isRight, confidentlyWrong }: PlantVerdict): boolean {
  return !isRight || confidentlyWrong.length > 0;
}

function isDisturbed({ otherCores }: PlantVerdict): boolean {
  return (otherCores ?? 0) > OTHER_CORES_MAX;
}
