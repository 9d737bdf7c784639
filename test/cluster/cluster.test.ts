// The cluster's oracle in small: each quick fault once, in an order by chance. TIDEMARK_CLUSTER_SEED repeats the order of a run
// that failed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { natsServerMissing, stopNatsServers } from "../support/nats-server.ts";
import { stopServers } from "../support/server-process.ts";
import { injected, runCluster } from "./cluster.ts";
import { QUICK_FAULTS } from "./faults.ts";

after(async () => {
  await stopServers();
  await stopNatsServers();
});

test("whatever happens to NATS nodes, ingest nodes and drains, what was acknowledged is stored once", {
  skip: natsServerMissing,
  timeout: 240_000,
}, async (context) => {
  const seed = Number(process.env.TIDEMARK_CLUSTER_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const run = await runCluster({
    seed,
    faults: QUICK_FAULTS,
    isBrief: true,
    isOver: () => false,
    progress: (line) => context.diagnostic(line),
  });
  const told = `TIDEMARK_CLUSTER_SEED=${seed}: ${run.problems.join("\n")}`;
  assert.deepEqual(run.problems, [], told);
  const { lost, twice, strange, refusedThere } = run;
  assert.deepEqual(
    { lost, twice, strange, refusedThere },
    { lost: 0, twice: 0, strange: 0, refusedThere: 0 },
    told,
  );
  assert.ok(injected(run) >= 10 && run.acknowledgedReplicated > 1_000, told);
});
