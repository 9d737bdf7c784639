// The log on a file system that can lose power: a few hundred of the crash points that long.ts tries by the hundred
// thousand, and logs that are broken on purpose, to see that it would be noticed. TIDEMARK_MODEL_SEED repeats a run.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LogFiles } from "../../src/log/files.ts";
import type { ModelFiles } from "../../src/log/model-files.ts";
import { brokenLogs } from "./broken-logs.ts";
import { planRun } from "./operations.ts";
import { describeFailure, runPlans } from "./run-plans.ts";
import { simulate } from "./simulated-run.ts";

const POINTS = 300;

test("wherever power or process ends, what was answered is there, once, in order, and what was refused is not", () => {
  const seed = Number(process.env.TIDEMARK_MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const found = runPlans(seed, POINTS);
  if (found.failed !== null) assert.fail(describeFailure(found.failed));
  assert.ok(found.counts.powerCuts > 0 && found.counts.kills > 0, `TIDEMARK_MODEL_SEED=${seed}`);
});

test("a run is determined by its seed", () => {
  for (const seed of [1, 2, 3]) assert.deepEqual(simulate(planRun(seed)), simulate(planRun(seed)));
});

describe("a log is found out that", () => {
  for (const [name, between] of Object.entries(brokenLogs)) {
    test(name, () => {
      const found = runPlans(1, POINTS, between as (files: ModelFiles) => LogFiles);
      assert.notEqual(found.failed, null, `${found.runs} runs noticed nothing`);
    });
  }
});
