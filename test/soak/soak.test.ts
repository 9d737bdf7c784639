// The soak in its smallest size, so that it cannot rot; its figures mean nothing here.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { stopServers } from "../support/server-process.ts";
import { QUICK_DISTURBANCES } from "./disturbances.ts";
import { runSoak } from "./soak.ts";

after(stopServers);

test("after every fault once the accounts agree, and the log holds what was acknowledged", {
  timeout: 120_000,
}, async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const run = await runSoak({
    seed,
    seconds: 1,
    quietSeconds: 1,
    connections: 8,
    rate: 200,
    disturbances: QUICK_DISTURBANCES,
    progress: () => {},
  });
  const { lost, twice, strange, accountFaults, exitCode } = run;
  assert.deepEqual(
    { lost, twice, strange, accountFaults, exitCode },
    { lost: 0, twice: 0, strange: 0, accountFaults: [], exitCode: 0 },
    `seed ${seed}: ${JSON.stringify(run)}`,
  );
  assert.ok(run.acknowledgedBatches > 200);
  assert.equal(run.quiets.length, 2);
});
