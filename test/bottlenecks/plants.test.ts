// The bed itself: each plant bites, and in the way that it says it does. Made with a load by hand and with what the
// kernel and the server tell, never with the analyser. Counts only; where a time is the plant (a slow sync, a stall), the
// kernel's sleeps are never shorter than asked for, so "at least" is no race.
// ALONE: a plant bites by what is left of the machine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { stopForeignServers } from "../support/foreign-server.ts";
import { eventually, IS_BUN, stopServers } from "../support/server-process.ts";
import { throttledPeriods } from "./control-group.ts";
import type { Plant, Planted } from "./plant.ts";
import { clientPorts, generatorSlow, PORTS } from "./plants/client-side.ts";
import { descriptorsForeign, descriptorsOwn, WORKER_DESCRIPTORS } from "./plants/descriptors.ts";
import { diskFull, SYNC_MS, slowSync } from "./plants/disk.ts";
import { BACKLOG, backlogShort, SOMAXCONN, somaxconnShort } from "./plants/listen-queue.ts";
import { memorySmall, RATE_LIMIT, rateLimit } from "./plants/own-limits.ts";
import { poolAsleep, poolHeld, WORKERS } from "./plants/pool.ts";
import {
  cpuQuota,
  nothingNginx,
  nothingPython,
  oneThread,
  rivalOnCore,
  WORK_US,
} from "./plants/processor.ts";
import { STALL_EVERY_MS, STALL_MS, stallBlocked, stallStopped } from "./plants/stall.ts";
import { PLANTS } from "./plants.ts";
import type { ProbeResult } from "./probe.ts";
import { runProbe, runProgram } from "./run-program.ts";

const TICKS_PER_SECOND = 100;
/** Long enough for anything that does end. */
const MS_MAX = 15_000;
/** What the probe sends where the body does not matter. */
const ONE = { requests: 1, msMax: MS_MAX };

after(async () => {
  await stopForeignServers();
  await stopServers();
});

let turn = IS_BUN ? 0 : 1;

/** Every other one on this runtime: what is planted is the kernel's or a program's, and the same whoever looks at it. */
function proves(plant: Plant, what: string, check: (planted: Planted) => Promise<void>): void {
  if (turn++ % 2 === 1) return;
  test(`${plant.title}: ${what}`, { skip: plant.missing() ?? false, timeout: 120_000 }, async () => {
    const planted = await plant.start();
    try {
      await check(planted);
    } finally {
      await planted.stop();
    }
  });
}

function answered(result: ProbeResult, status: number): number {
  return result.statuses[status] ?? 0;
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

describe("descriptors", () => {
  proves(descriptorsOwn, "at most 40 of 200 clients are served, others are told 503", async (planted) => {
    assert.match(readFileSync(`/proc/${planted.pid}/limits`, "utf8"), /^Max open files +128 +128 /m);
    const result = await runProbe(planted, { ...ONE, connections: 200, holds: true, msMax: 3_000 });
    assert.ok(answered(result, 200) > 0 && answered(result, 200) <= 40, JSON.stringify(result));
    assert.ok(answered(result, 503) > 0, JSON.stringify(result));
  });

  proves(descriptorsForeign, "accept fails and the 200th client waits", async (planted) => {
    const result = await runProbe(planted, { ...ONE, connections: 200, holds: true, msMax: 2_000 });
    assert.ok(answered(result, 200) < WORKER_DESCRIPTORS, JSON.stringify(result));
    assert.ok(result.unanswered > 200 - WORKER_DESCRIPTORS, JSON.stringify(result));
  });
});

describe("the listen queue", () => {
  // A stopped server takes nothing, so what is established is what its queue holds; the kernel lets in one more.
  for (const [plant, length] of [
    [backlogShort, BACKLOG],
    [somaxconnShort, SOMAXCONN],
  ] as const) {
    proves(plant, `of 100 connects at once ${length + 1} find room`, async (planted) => {
      process.kill(planted.pid!, "SIGSTOP");
      const result = await runProbe(planted, { ...ONE, connections: 100, msMax: 700 });
      process.kill(planted.pid!, "SIGCONT");
      assert.equal(result.established, length + 1);
    });
  }
});

describe("the processor", () => {
  proves(oneThread, "each request takes its work, on one thread", async (planted) => {
    const before = cpuSeconds(planted.pid!);
    const result = await runProbe(planted, { connections: 8, requests: 250, msMax: MS_MAX });
    assert.equal(answered(result, 200), 2_000);
    // Preemption counts as work to a loop that watches the clock, so most of it is enough.
    assert.ok(cpuSeconds(planted.pid!) - before > ((2_000 * WORK_US) / 1e6) * 0.5);
  });

  proves(cpuQuota, "its group is held back", async (planted) => {
    const before = throttledPeriods(planted.pid!);
    const result = await runProbe(planted, { connections: 50, requests: 50, msMax: MS_MAX });
    assert.ok(answered(result, 200) > 0);
    assert.ok(throttledPeriods(planted.pid!) > before);
  });

  proves(rivalOnCore, "server and rivals may use one core only", async (planted) => {
    assert.match(readFileSync(`/proc/${planted.pid}/status`, "utf8"), /^Cpus_allowed_list:\t0$/m);
    const result = await runProbe(planted, { ...ONE, connections: 8 });
    assert.equal(answered(result, 200), 8);
  });
});

describe("the disk", () => {
  proves(slowSync, `an answer takes a sync of ${SYNC_MS} ms`, async (planted) => {
    const result = await runProbe(planted, { connections: 4, requests: 5, msMax: MS_MAX });
    assert.equal(answered(result, 200), 20);
    assert.ok(result.latencyMsMax >= SYNC_MS);
  });

  proves(diskFull, "it fills up and takes no more", async (planted) => {
    const result = await runProbe(planted, {
      connections: 40,
      requests: 1_000,
      msMax: MS_MAX,
    });
    assert.ok(answered(result, 200) > 0, JSON.stringify(result));
    assert.ok(answered(result, 503) > 0, JSON.stringify(result));
  });
});

describe("limits that the operator set", () => {
  proves(rateLimit, "one client that sends as fast as it can is told 429", async (planted) => {
    const result = await runProbe(planted, { connections: 1, requests: RATE_LIMIT * 10, msMax: MS_MAX });
    assert.ok(answered(result, 200) > 0, JSON.stringify(result));
    assert.ok(answered(result, 429) > 0, JSON.stringify(result));
  });

  proves(memorySmall, "fifty large bodies at once do not fit", async (planted) => {
    const result = await runProbe(planted, {
      connections: 50,
      requests: 5,
      isLarge: true,
      msMax: MS_MAX,
    });
    assert.ok(answered(result, 200) > 0, JSON.stringify(result));
    assert.ok(answered(result, 503) > 0, JSON.stringify(result));
  });
});

describe("pools", () => {
  proves(poolHeld, `of 40 clients that stay ${WORKERS} are answered`, async (planted) => {
    const result = await runProbe(planted, { ...ONE, connections: 40, holds: true, msMax: 1_500 });
    assert.equal(answered(result, 200), WORKERS);
    assert.equal(result.established, 40);
    assert.equal(result.unanswered, 40 - WORKERS);
  });

  proves(poolHeld, "clients that leave make room for the next", async (planted) => {
    const result = await runProbe(planted, { ...ONE, connections: 40 });
    assert.equal(answered(result, 200), 40);
  });

  proves(poolAsleep, "the processor is idle while all are answered", async (planted) => {
    const result = await runProbe(planted, { connections: 40, requests: 5, reconnects: true, msMax: MS_MAX });
    assert.equal(answered(result, 200), 200);
  });
});

describe("the analyser's own side", () => {
  proves(
    generatorSlow,
    "the analyser may use the rivals' core only, the server the other",
    async (planted) => {
      const seen = await runProgram(
        [...planted.wrapper, "grep", "Cpus_allowed_list", "/proc/self/status"],
        MS_MAX,
      );
      assert.match(seen.out, /:\t1$/m);
      assert.match(readFileSync(`/proc/${planted.pid}/status`, "utf8"), /^Cpus_allowed_list:\t0$/m);
    },
  );

  proves(clientPorts, "connects fail for want of a port", async (planted) => {
    const result = await runProbe(planted, { ...ONE, connections: PORTS * 2, holds: true });
    assert.ok((result.errors.EADDRNOTAVAIL ?? 0) >= PORTS, JSON.stringify(result));
    assert.ok(answered(result, 200) > 0, JSON.stringify(result));
  });
});

describe("stalls", () => {
  for (const plant of [stallStopped, stallBlocked]) {
    proves(plant, "a request now and then takes most of a stall", async (planted) => {
      const worst = await eventually("a slow answer", async () => {
        const result = await runProbe(planted, {
          connections: 2,
          requests: 2_000,
          msMax: STALL_EVERY_MS * 2,
        });
        return result.latencyMsMax >= STALL_MS / 2 && result.latencyMsMax;
      });
      assert.ok(worst >= STALL_MS / 2);
    });
  }
});

describe("nothing", () => {
  proves(nothingNginx, "all are answered", async (planted) => {
    const result = await runProbe(planted, { connections: 200, requests: 5, msMax: MS_MAX });
    assert.equal(answered(result, 200), 1_000);
  });

  proves(nothingPython, "it answers", async (planted) => {
    const result = await runProbe(planted, { ...ONE, connections: 2 });
    assert.equal(answered(result, 501), 2, "it knows no POST");
  });
});

test("each plant has a name of its own and says what is right", () => {
  assert.equal(new Set(PLANTS.map((plant) => plant.id)).size, PLANTS.length);
  for (const plant of PLANTS) assert.ok(plant.first.length > 0);
});
