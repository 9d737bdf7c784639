import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { openOsFiles } from "../../base/os-files.ts";
import { readClient } from "./client-reader.ts";
import { endScript, endScripts, RecordedFiles, type Script, startScript } from "./evidence-bed.ts";
import { readMachine } from "./machine-reader.ts";
import { ProcessReader } from "./process-reader.ts";
import { findProcessTree } from "./process-tree.ts";
import { QuotaReader } from "./quota-reader.ts";

after(endScripts);

const noProc = existsSync("/proc/self/stat") ? false : "no /proc here";
const OLD_GROUPS = "/sys/fs/cgroup/cpu";

/** Spins for 50 ms whenever it is sent a line, and says so. */
const SPINNER =
  "console.log('ready'); process.stdin.on('data', () => {" +
  "const end = performance.now() + 50; while (performance.now() < end); console.log('spun'); });";

async function spin({ child }: Script): Promise<void> {
  child.stdin!.write("go\n");
  await once(child.stdout!, "data");
}

function stat(name: string, state: string, ticks: number, endedTicks = 0): string {
  return `1 (${name}) ${state} 1 1 1 0 -1 4194304 0 0 0 0 ${ticks} 0 ${endedTicks} 0 20 0 1 0 99 0 0\n`;
}

const LIMITS = (soft: number | string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                 65536                files     \n`;

/** A master 10 with one worker 11, as they might be of nginx. */
function recordedServer(): RecordedFiles {
  const files = new RecordedFiles({
    "/proc/10/stat": stat("master", "S", 100, 50),
    "/proc/10/status": "VmRSS:\t    1000 kB\nCpus_allowed_list:\t0-3\n",
    "/proc/10/limits": LIMITS(1_000),
    "/proc/10/io": "read_bytes: 10\nwrite_bytes: 1000\n",
    "/proc/10/task/10/children": "11 ",
    "/proc/10/task/10/stat": stat("master", "S", 100),
    "/proc/10/task/10/schedstat": "1000000000 500000000 7\n",
    "/proc/11/stat": stat("worker", "R", 900),
    "/proc/11/status": "VmRSS:\t    3000 kB\nCpus_allowed_list:\t2-5\n",
    "/proc/11/limits": LIMITS(100),
    "/proc/11/io": "read_bytes: 20\nwrite_bytes: 2000\n",
    "/proc/11/task/11/children": "",
    "/proc/11/task/11/stat": stat("worker", "R", 900),
    "/proc/11/task/11/schedstat": "9000000000 250000000 70\n",
  });
  files.entries.set("/proc/10/fd", 200).set("/proc/11/fd", 90);
  return files;
}

describe("processes on recorded texts", () => {
  test("a master and its workers are one target, and the nearest to its own limit counts", () => {
    assert.deepEqual(new ProcessReader(recordedServer(), 10).read(0), {
      isAlive: true,
      threads: [
        { pid: 10, tid: 10, name: "master", cpuS: 1, waitS: 0.5, state: "S" },
        { pid: 11, tid: 11, name: "worker", cpuS: 9, waitS: 0.25, state: "R" },
      ],
      cpuS: 10.5,
      descriptorsUsed: 90,
      descriptorsSoft: 100,
      descriptorsHard: 65_536,
      residentBytes: 4_000 * 1024,
      readBytes: 30,
      writtenBytes: 3_000,
      coresAllowed: 6,
    });
  });

  test("without schedstat CPU is told in ticks, and waiting is unknown", () => {
    const files = recordedServer();
    files.texts.delete("/proc/11/task/11/schedstat");
    const worker = new ProcessReader(files, 10).read(0)!.threads[1]!;
    assert.equal(worker.cpuS, 9);
    assert.equal(worker.waitS, null);
  });

  test("a thread that has not run is not looked at again, one that has is", () => {
    const files = recordedServer();
    const reader = new ProcessReader(files, 10);
    reader.read(0);
    files.asked.length = 0;
    files.texts.set("/proc/11/task/11/schedstat", "9500000000 250000000 71\n");
    files.texts.set("/proc/11/task/11/stat", stat("worker", "D", 950));
    const { threads } = reader.read(250)!;
    assert.ok(!files.asked.includes("/proc/10/task/10/stat"));
    assert.deepEqual(
      threads.map(({ cpuS, state }) => [cpuS, state]),
      [
        [1, "S"],
        [9.5, "D"],
      ],
    );
  });

  test("workers that are started later are seen later", () => {
    const files = recordedServer();
    files.texts.set("/proc/10/task/10/children", "");
    const reader = new ProcessReader(files, 10);
    assert.equal(reader.read(0)!.threads.length, 1);
    files.texts.set("/proc/10/task/10/children", "11 ");
    assert.equal(reader.read(2_000)!.threads.length, 2);
  });

  test("what may not be read is null, and the rest is there", () => {
    const files = recordedServer();
    for (const path of ["/proc/10/limits", "/proc/11/limits", "/proc/10/io", "/proc/11/io"])
      files.texts.delete(path);
    files.entries.clear();
    const sample = new ProcessReader(files, 10).read(0)!;
    assert.equal(sample.descriptorsUsed, null);
    assert.equal(sample.descriptorsSoft, null);
    assert.equal(sample.writtenBytes, null);
    assert.equal(sample.cpuS, 10.5);
  });

  test("without /proc nothing is known; a process that was there and is gone has died", () => {
    assert.equal(new ProcessReader(new RecordedFiles(), 10).read(0), null);
    const files = recordedServer();
    const reader = new ProcessReader(files, 10);
    reader.read(0);
    files.texts.delete("/proc/10/stat");
    assert.equal(reader.read(250)!.isAlive, false);
    files.texts.set("/proc/10/stat", stat("master", "Z", 100));
    assert.equal(reader.read(500)!.isAlive, false);
  });

  test("processes that seem to be each other's children end the search", () => {
    const files = recordedServer();
    files.texts.set("/proc/11/task/11/children", "10 ");
    assert.deepEqual(findProcessTree(files, 10), [10, 11]);
  });
});

describe("a real process", () => {
  test("its CPU, threads, descriptors and memory are seen, and its end", { skip: noProc }, async () => {
    const script = await startScript(SPINNER);
    const reader = new ProcessReader(openOsFiles(), script.pid);
    const before = reader.read(0)!;
    await spin(script);
    const between = reader.read(250)!;
    assert.ok(between.cpuS! >= before.cpuS!);
    const main = (sample: typeof before) => sample.threads.find(({ tid }) => tid === script.pid)!;
    // 50 ms of wall time; a busy machine may have given it less of a core, but not none.
    assert.ok(main(between).cpuS > main(before).cpuS + 0.001);
    assert.ok(between.threads.length >= 1);
    assert.ok(between.descriptorsUsed! >= 3);
    assert.ok(between.descriptorsSoft! >= between.descriptorsUsed!);
    assert.ok(between.residentBytes! > 1_000_000);
    assert.ok(between.coresAllowed! >= 1);
    await endScript(script);
    assert.equal(reader.read(500)!.isAlive, false);
    assert.equal(reader.read(750)!.cpuS, null);
  });

  test("its children belong to it", { skip: noProc }, async () => {
    const script = await startScript(
      "const { spawn } = require('node:child_process');" +
        "const child = spawn('sleep', ['60'], { stdio: 'ignore' }); console.log(child.pid);" +
        "process.stdin.on('data', () => { child.kill('SIGKILL'); child.on('exit', () => console.log('gone')); });",
    );
    const child = Number(script.said);
    if (!existsSync(`/proc/${script.pid}/task/${script.pid}/children`)) return;
    assert.deepEqual(findProcessTree(openOsFiles(), script.pid), [script.pid, child]);
    const { threads } = new ProcessReader(openOsFiles(), script.pid).read(0)!;
    assert.ok(threads.some(({ pid, name }) => pid === child && name === "sleep"));
    script.child.stdin!.write("go\n");
    await once(script.child.stdout!, "data");
    await endScript(script);
  });
});

describe("quotas on recorded texts", () => {
  const mounts =
    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  const version1 = {
    "/proc/self/mountinfo": mounts,
    "/proc/10/cgroup": "3:memory:/a\n1:cpu:/a/b\n0::/\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "50000\n",
    "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
    "/sys/fs/cgroup/cpu/a/cpu.stat": "nr_periods 20\nnr_throttled 5\nthrottled_time 7000000\n",
    "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us": "200000\n",
    "/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us": "100000\n",
    "/sys/fs/cgroup/cpu/a/b/cpu.stat": "nr_periods 1\nnr_throttled 1\nthrottled_time 1\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n",
    "/sys/fs/cgroup/memory/a/memory.usage_in_bytes": "900\n",
    "/sys/fs/cgroup/unified/cgroup.procs": "",
  };

  test("version 1: the tightest of the group and those above it counts", () => {
    assert.deepEqual(new QuotaReader(new RecordedFiles(version1), 10).read(0), {
      quotaCores: 0.5,
      periods: 20,
      throttledPeriods: 5,
      throttledMs: 7,
      memoryBytes: 900,
      memoryLimitBytes: 1_000,
    });
  });

  test("version 2 alone, as in a container", () => {
    const files = new RecordedFiles({
      "/proc/self/mountinfo": "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
      "/proc/10/cgroup": "0::/\n",
      "/sys/fs/cgroup/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/cpu.stat": "usage_usec 9\nnr_periods 8\nnr_throttled 4\nthrottled_usec 3000\n",
      "/sys/fs/cgroup/memory.max": "max\n",
      "/sys/fs/cgroup/memory.current": "77\n",
    });
    assert.deepEqual(new QuotaReader(files, 10).read(0), {
      quotaCores: 1.5,
      periods: 8,
      throttledPeriods: 4,
      throttledMs: 3,
      memoryBytes: 77,
      memoryLimitBytes: Number.POSITIVE_INFINITY,
    });
  });

  test("a group without a quota has none; a group that cannot be found is unknown", () => {
    const files = new RecordedFiles(version1);
    files.texts.set("/proc/10/cgroup", "3:memory:/\n1:cpu:/\n");
    const free = new QuotaReader(files, 10).read(0)!;
    assert.equal(free.quotaCores, Number.POSITIVE_INFINITY);
    assert.equal(free.throttledPeriods, 0);
    assert.equal(free.memoryLimitBytes, Number.POSITIVE_INFINITY);
    files.texts.set("/proc/10/cgroup", "3:memory:/../x\n1:cpu:/../x\n");
    const unseen = new QuotaReader(files, 10).read(0)!;
    assert.equal(unseen.quotaCores, null);
    assert.equal(unseen.memoryLimitBytes, null);
    files.texts.delete("/proc/10/cgroup");
    assert.equal(new QuotaReader(files, 10).read(0), null);
  });

  test("a quota that is changed while it runs is seen", () => {
    const files = new RecordedFiles(version1);
    const reader = new QuotaReader(files, 10);
    reader.read(0);
    files.texts.set("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "25000\n");
    assert.equal(reader.read(2_000)!.quotaCores, 0.25);
    files.texts.set("/proc/10/cgroup", "1:cpu:/\n");
    assert.equal(reader.read(2_001)!.quotaCores, Number.POSITIVE_INFINITY);
  });
});

describe("a real quota", () => {
  test("a process that is held to a twentieth of a core is seen throttled", async (t) => {
    const group = `${OLD_GROUPS}/evidence-test-${process.pid}`;
    const script = await startScript(SPINNER);
    try {
      mkdirSync(group);
      t.after(async () => {
        await endScript(script);
        await removeGroup(group);
      });
      writeFileSync(`${group}/cpu.cfs_period_us`, "100000");
      writeFileSync(`${group}/cpu.cfs_quota_us`, "5000");
      writeFileSync(`${group}/cgroup.procs`, String(script.pid));
    } catch (error) {
      await endScript(script);
      t.skip(`no control group of version 1 can be made here: ${(error as NodeJS.ErrnoException).code}`);
      return;
    }
    const reader = new QuotaReader(openOsFiles(), script.pid);
    const before = reader.read(0)!;
    await spin(script);
    await spin(script);
    const afterwards = reader.read(250)!;
    assert.equal(afterwards.quotaCores, 0.05);
    assert.ok(afterwards.throttledPeriods! > before.throttledPeriods!);
    assert.ok(afterwards.throttledMs! > before.throttledMs!);
  });
});

/** A group is busy until the kernel has done away with its last process. */
async function removeGroup(group: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(group);
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

describe("the machine and the generator's side", () => {
  test("without sources all is null, but for what the runtime itself knows", () => {
    const none = new RecordedFiles();
    assert.ok(Object.values(readMachine(none)).every((figure) => figure === null));
    const unread = { listeners: null, acceptQueueMax: null, established: null };
    const client = readClient(none, { ...unread, unreadBytes: null, unreadSockets: null, clientEnds: null });
    const { cpuS, ...rest } = client;
    assert.ok(cpuS! > 0);
    assert.ok(Object.values(rest).every((figure) => figure === null));
  });

  test("here they are known", { skip: noProc }, () => {
    const files = openOsFiles();
    const machine = readMachine(files);
    assert.ok(machine.cores! >= 1);
    assert.ok(machine.busyS! > 0 && machine.idleS! > 0 && machine.stolenS! >= 0);
    assert.ok(machine.memoryAvailableBytes! > 1_000_000);
    const unread = { listeners: null, acceptQueueMax: null, established: null };
    const client = readClient(files, { ...unread, unreadBytes: null, unreadSockets: null, clientEnds: 4 });
    assert.ok(client.descriptorsUsed! >= 3);
    assert.ok(client.descriptorsSoft! >= client.descriptorsUsed!);
    assert.ok(client.portsAvailable! > 0);
    assert.ok(client.timeWaitSockets! >= 0);
    assert.equal(client.portsUsed, 4);
  });
});
