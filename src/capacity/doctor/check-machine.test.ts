// Clock, cores, control groups, memory, runtime and kernel, from recorded texts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readMemoryLimit, readQuota } from "./cgroup.ts";
import { checkClockSet, checkClockSource, YEAR_LEAST } from "./check-clock.ts";
import { checkContention, checkCores, stolenRatio } from "./check-cores.ts";
import { CONNECTION_BYTES, checkMemory, parseMeminfo } from "./check-memory.ts";
import { checkKernel, checkPort, checkRuntime, isAtLeast } from "./check-runtime.ts";
import { BARE, commandsOf, LINUX_FILES, linux, macos, recorded } from "./machine-bed.ts";

const ANY = { clients: null };
const SOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const NOW_MS = Date.UTC(YEAR_LEAST, 5, 1);
const QUICK = { costNs: 60, stepNs: 30 };
const CGROUP = "/sys/fs/cgroup";

describe("the clock", () => {
  test("read without a system call is fine; through a device it is a warning with the command", () => {
    assert.equal(checkClockSource(linux(), QUICK).verdict, "ok");
    assert.equal(checkClockSource(linux(), { costNs: 2_000, stepNs: 30 }).verdict, "warn");
    const finding = checkClockSource(linux({ [SOURCE]: "hpet\n" }), QUICK);
    assert.equal(finding.verdict, "warn");
    assert.equal(commandsOf(finding, "linux")[0], `echo tsc | sudo tee ${SOURCE}`);
  });

  test("is judged by its cost on macOS, and unknown where nobody names it", () => {
    assert.equal(checkClockSource(macos(), QUICK).verdict, "ok");
    assert.equal(checkClockSource(BARE, QUICK).verdict, "unknown");
  });

  test("before the year of the build is bad", () => {
    const finding = checkClockSet(linux(), Date.UTC(YEAR_LEAST, 0, 1) - 1);
    assert.equal(finding.verdict, "bad");
    assert.match(commandsOf(finding, "linux")[0], /timedatectl set-ntp true/);
  });

  test("is kept in step as timedatectl or chronyc say, and unknown where neither does", () => {
    const told = (programs: Record<string, string>) => checkClockSet(recorded({ programs }), NOW_MS).verdict;
    const timedatectl = "timedatectl show --property=NTPSynchronized --value";
    const chronyc = "chronyc -n tracking";
    assert.equal(told({ [timedatectl]: "yes\n" }), "ok");
    assert.equal(told({ [timedatectl]: "no\n" }), "warn");
    assert.equal(told({ [timedatectl]: "no\n", [chronyc]: "Stratum : 3\nLeap status     : Normal\n" }), "ok");
    assert.equal(told({ [chronyc]: "Leap status     : Not synchronised\n" }), "warn");
    assert.equal(told({}), "unknown");
  });
});

describe("control groups", () => {
  test("of both versions count, and of a group and those above it the least", () => {
    assert.deepEqual(readQuota(linux()), { amount: Number.POSITIVE_INFINITY, file: null });
    const machine = linux({
      [`${CGROUP}/unified/app/cpu.max`]: "max 100000\n",
      [`${CGROUP}/cpu/app/cpu.cfs_quota_us`]: "150000\n",
      [`${CGROUP}/cpu/app/cpu.cfs_period_us`]: "100000\n",
      [`${CGROUP}/cpu/cpu.cfs_quota_us`]: "-1\n",
      [`${CGROUP}/cpu/cpu.cfs_period_us`]: "100000\n",
    });
    assert.deepEqual(readQuota(machine), { amount: 1.5, file: `${CGROUP}/cpu/app/cpu.cfs_quota_us` });
    const stricter = linux({ [`${CGROUP}/unified/cpu.max`]: "50000 100000\n" });
    assert.deepEqual(readQuota(stricter), { amount: 0.5, file: `${CGROUP}/unified/cpu.max` });
  });

  test("that do not limit memory say so by a word or by the largest number of pages", () => {
    const limit = (text: string) =>
      readMemoryLimit(linux({ [`${CGROUP}/memory/app/memory.limit_in_bytes`]: text }));
    assert.equal(limit("9223372036854771712\n")?.file, null);
    assert.equal(limit("536870912\n")?.amount, 512 * 1024 ** 2);
    assert.equal(readMemoryLimit(linux({ [`${CGROUP}/unified/app/memory.max`]: "max\n" }))?.file, null);
    assert.equal(readMemoryLimit(BARE), null);
  });
});

describe("cores", () => {
  test("without a quota are those that affinity allows", () => {
    const finding = checkCores(linux(), 2);
    assert.equal(finding.verdict, "ok");
    assert.equal(finding.found, "2 online, 2 allowed, no quota");
  });

  test("under a quota are a warning, with the file that sets it", () => {
    const finding = checkCores(linux({ [`${CGROUP}/unified/cpu.max`]: "50000 100000\n" }), 2);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /^0.5 cores for the server; over the quota all its threads stop/);
    assert.equal(commandsOf(finding, "linux")[0], `echo max | sudo tee ${CGROUP}/unified/cpu.max`);
  });

  test("kept slow by their governor are a warning, unless their driver clocks up by itself", () => {
    const folder = "/sys/devices/system/cpu/cpu0/cpufreq";
    const saving = { [`${folder}/scaling_governor`]: "powersave\n" };
    assert.equal(checkCores(linux(saving), 2).verdict, "warn");
    const own = { ...saving, [`${folder}/scaling_driver`]: "intel_pstate\n" };
    assert.equal(checkCores(linux(own), 2).verdict, "ok");
  });

  test("on macOS are fast and slow ones", () => {
    assert.equal(checkCores(macos(), 8).found, "8: 4 fast and 4 slow ones");
  });

  test("with nothing to read are what the runtime counted", () => {
    assert.equal(checkCores(BARE, 4).found, "4 allowed, quota not known");
  });
});

describe("contention", () => {
  const before = "cpu  100 0 100 700 0 0 0 100 0 0\ncpu0 …";
  const after = "cpu  150 0 120 810 0 0 0 120 0 0\ncpu0 …";

  test("is the part of the time that the hypervisor took", () => {
    assert.ok(Math.abs(stolenRatio(before, after)! - 20 / 200) < 1e-9);
    assert.equal(stolenRatio(before, before), null);
    assert.equal(stolenRatio(null, after), null);
    const finding = checkContention(linux(), before, after);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /^the hypervisor gives 10 %/);
  });

  test("is what tasks waited for, too", () => {
    const text = "some avg10=40.00 avg60=2.01 avg300=1.25 total=2538091107\n";
    assert.equal(checkContention(linux(), null, null).verdict, "ok");
    const finding = checkContention(linux({ "/proc/pressure/io": text }), null, null);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /waited for io 40 %/);
  });

  test("is the load on macOS, and unknown where nothing tells", () => {
    assert.match(checkContention(macos(), null, null).found, /^load 2.05/);
    assert.equal(checkContention(BARE, null, null).verdict, "unknown");
  });
});

describe("memory", () => {
  test("is what a server takes, and the rest for connections", () => {
    const finding = checkMemory(linux(), ANY, 2);
    assert.equal(finding.verdict, "ok");
    const rest = 24_229_876 * 1024 - (160 + 256 + 32) * 1024 ** 2;
    assert.deepEqual(finding.bounds, [{ kind: "connections", amount: Math.floor(rest / CONNECTION_BYTES) }]);
  });

  test("limited by a control group is as little as that", () => {
    const machine = linux({ [`${CGROUP}/memory/app/memory.limit_in_bytes`]: `${256 * 1024 ** 2}\n` });
    const finding = checkMemory(machine, ANY, 2);
    assert.equal(finding.verdict, "bad");
    assert.match(finding.found, /limited to 256 MiB/);
    assert.match(finding.means, /no connections/);
  });

  test("that is never overcommitted is a warning", () => {
    const finding = checkMemory(linux({ "/proc/sys/vm/overcommit_memory": "2\n" }), ANY, 2);
    assert.equal(finding.verdict, "warn");
    assert.equal(commandsOf(finding, "linux")[0], "sudo sysctl vm.overcommit_memory=0");
  });

  test("that is swapped is a warning", () => {
    const text = LINUX_FILES["/proc/meminfo"]!.replace(/SwapTotal: +0/, "SwapTotal: 1000");
    assert.equal(checkMemory(linux({ "/proc/meminfo": text }), ANY, 2).verdict, "warn");
  });

  test("on macOS is counted in pages", () => {
    const finding = checkMemory(macos(), ANY, 8);
    assert.match(finding.found, /^4.7 GiB available of 16 GiB, swap 2 GiB$/);
    assert.equal(finding.verdict, "ok"); // half of the swap is used, as always there
  });

  test("is unknown where nothing tells it", () => {
    assert.equal(checkMemory(BARE, ANY, 1).verdict, "unknown");
    assert.equal(parseMeminfo("MemTotal: 100 kB\n"), null);
  });
});

describe("the runtime and the kernel", () => {
  test("too old are bad", () => {
    assert.equal(checkRuntime(BARE, { name: "Bun", version: "1.4.5" }).verdict, "ok");
    assert.equal(checkRuntime(BARE, { name: "Bun", version: "1.3.9" }).verdict, "bad");
    assert.equal(checkRuntime(BARE, { name: "Node", version: "20.20.2" }).verdict, "bad");
    assert.equal(checkKernel(linux(), "3.8.0-generic").verdict, "bad");
    assert.equal(checkKernel(linux(), "6.18.44-fc").verdict, "ok");
  });

  test("the other runtime is named if it is there", () => {
    const machine = recorded({ programs: { "node --version": "v20.20.2\n" } });
    const finding = checkRuntime(machine, { name: "Bun", version: "1.4.5" });
    assert.match(finding.found, /Node 20.20.2 in the PATH \(too old: 24/);
  });

  test("macOS gives one thread all connections, and others are unknown", () => {
    assert.equal(checkKernel(macos(), "24.0.0").verdict, "warn");
    assert.equal(checkKernel(recorded({ platform: "other" }), "14.1").verdict, "unknown");
  });

  test("versions compare by their parts, not by their letters", () => {
    assert.ok(isAtLeast("1.10.0", "1.4"));
    assert.ok(isAtLeast("24.0.0-pre", "24"));
    assert.ok(!isAtLeast("1.3.9", "1.4"));
    assert.ok(isAtLeast("2.0", "1.4"));
  });

  test("a port in use is only said", () => {
    assert.match(checkPort(8080, "listening").found, /something listens/);
    assert.equal(checkPort(8080, "listening").verdict, "ok");
    assert.equal(checkPort(8080, "unknown").verdict, "unknown");
  });
});
