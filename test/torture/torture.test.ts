// The torture bench in small: each quick fault once, in an order by chance. TIDEMARK_TORTURE_SEED repeats the order of a
// run that failed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { stopServers } from "../support/server-process.ts";
import { QUICK_FAULTS } from "./faults.ts";
import { injected, runTorture } from "./torture.ts";

after(stopServers);

test("after faults of every kind, one after another, all that was acknowledged is in the log and it serves on", {
  timeout: 240_000,
}, async (context) => {
  const seed = Number(process.env.TIDEMARK_TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const faults = QUICK_FAULTS.filter((fault) => {
    const missing = fault.missing?.() ?? null;
    if (missing !== null) context.diagnostic(`not injected: ${fault.what}, because ${missing}`);
    return missing === null;
  });
  const run = await runTorture({
    seed,
    faults,
    isBrief: true,
    isOver: (soFar) => soFar.problems.length > 0 || injected(soFar) === faults.length,
    progress() {},
  });
  const told = `TIDEMARK_TORTURE_SEED=${seed}: ${run.problems.join("\n")}`;
  assert.deepEqual(run.problems, [], told);
  assert.deepEqual(
    { lost: run.lost, twice: run.twice, strange: run.strange, accounts: run.accounts },
    { lost: 0, twice: 0, strange: 0, accounts: faults.length },
    told,
  );
  assert.ok(run.acknowledged > 1_000 && run.lines >= run.acknowledged, told);
});
