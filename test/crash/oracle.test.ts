// The promise behind a 200, tested by killing: what was acknowledged is in the log once, and nothing else is.
// TIDEMARK_CRASH_SEED repeats the plan of a run that failed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { stopServers } from "../support/server-process.ts";
import { runOracle } from "./oracle.ts";

const KILLS = 2;

after(stopServers);

test("after kills under load every acknowledged metric is in the log once and every line was sent", {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.TIDEMARK_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const run = await runOracle(KILLS, seed);
  const told = `TIDEMARK_CRASH_SEED=${seed}: ${JSON.stringify(run, null, 2)}`;
  assert.deepEqual(
    { lost: run.lost, twice: run.twice, strange: run.strange },
    { lost: 0, twice: 0, strange: 0 },
    told,
  );
  assert.ok(run.acknowledgedBatches > KILLS, told);
  assert.ok(run.lines >= run.acknowledgedMetrics, told);
});
