// The disk's faults in small; long.ts has them by the hundred. A failure names its seed: TIDEMARK_DISK_SEED repeats it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { withoutDescriptorLimits, withoutMountNamespace, withoutTracing } from "../bottlenecks/permitted.ts";
import { IS_BUN, stopServers } from "../support/server-process.ts";
import { damageMadeLane, damageServer, runDamages } from "./damage-run.ts";
import { runFullDisk } from "./full-disk-run.ts";
import { type InjectedRun, runInjected, runShortWrites } from "./injected-run.ts";
import { DATA_SYNCS, DIRECTORY_SYNCS, WRITES } from "./injection.ts";
import { runKills } from "./killed-run.ts";

const seed = Number(process.env.TIDEMARK_DISK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const tracing = { skip: withoutTracing() ?? false, timeout: 120_000 };
const DAMAGES = 8;

after(stopServers);

function assertTrue(run: InjectedRun, times: number): void {
  const told = `TIDEMARK_DISK_SEED=${seed}: ${JSON.stringify(run, null, 2)}`;
  const { lost, twice, strange, early, resyncs } = run;
  assert.deepEqual(
    { lost, twice, strange, early, resyncs },
    { lost: 0, twice: 0, strange: 0, early: 0, resyncs: 0 },
    told,
  );
  assert.ok(run.injections >= times && run.acknowledgedBatches > 0, told);
  assert.ok(Number.isFinite(run.againMsMax), told);
}

// The faults are those of the system, the same under both runtimes: each is tried on one of them.
if (IS_BUN) {
  test(
    "a sync that fails is never followed by a 200 for what it covered, nor tried again",
    tracing,
    async () => {
      const injections = [
        { calls: DATA_SYNCS, fault: "error=EIO", when: "2+2" },
        { calls: DIRECTORY_SYNCS, fault: "error=EIO", when: "4+3" },
      ];
      assertTrue(await runInjected({ level: "synced", injections, times: 4, seed }), 4);
    },
  );

  test(
    "killed before and after its own writes, it has lost nothing that it answered for",
    tracing,
    async () => {
      const kills = [
        { moment: "after", calls: WRITES, nth: 7 },
        { moment: "before", calls: WRITES, nth: 9 },
      ] as const;
      const run = await runKills(kills, "synced", seed);
      const { lost, twice, strange } = run;
      const told = `TIDEMARK_DISK_SEED=${seed}: ${JSON.stringify(run, null, 2)}`;
      assert.deepEqual({ lost, twice, strange }, { lost: 0, twice: 0, strange: 0 }, told);
      assert.ok(run.lines > 0, told);
    },
  );

  test("damage to files at rest does not keep a server from starting on what is good", {
    timeout: 60_000,
  }, async () => {
    const { problems } = await runDamages(1, seed, damageServer);
    assert.deepEqual(problems, [], `TIDEMARK_DISK_SEED=${seed}`);
  });
} else {
  test("a write that fails is never followed by a 200 for its batches", tracing, async () => {
    const injections = [{ calls: WRITES, fault: "error=EIO", when: "6+5" }];
    assertTrue(await runInjected({ level: "written", injections, times: 4, seed }), 4);
  });

  test("a write of which the disk takes a part leaves nothing of it, and is 503", {
    ...tracing,
    skip: withoutTracing() ?? withoutDescriptorLimits() ?? false,
  }, async () => {
    assertTrue(await runShortWrites({ level: "written", times: 1, seed }), 1);
  });

  test("a disk that the log itself fills stores again by itself when there is room", {
    skip: withoutMountNamespace() ?? false,
    timeout: 120_000,
  }, async () => {
    const run = await runFullDisk(1, "memory", seed);
    const { lost, twice, strange } = run;
    const told = `TIDEMARK_DISK_SEED=${seed}: ${JSON.stringify(run, null, 2)}`;
    assert.deepEqual({ lost, twice, strange }, { lost: 0, twice: 0, strange: 0 }, told);
    assert.ok(run.refusedBatches > 0 && run.acknowledgedMetrics > 0, told);
  });
}

test("damage to files at rest is found, and only what is damaged is lost", { timeout: 60_000 }, async () => {
  const { problems } = await runDamages(DAMAGES, seed, damageMadeLane);
  assert.deepEqual(problems, [], `TIDEMARK_DISK_SEED=${seed}`);
});
