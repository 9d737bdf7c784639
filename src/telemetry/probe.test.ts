import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { realClock } from "../base/clock.ts";
import { type OsFiles, openOsFiles, osThreadId } from "../base/os-files.ts";
import { parseAcceptQueues } from "../base/proc-texts.ts";
import { allocateTelemetry, FIELD } from "./counters.layout.ts";
import { Probe } from "./probe.ts";
import { readProbe } from "./snapshot.ts";
import { ThreadCounters } from "./thread-counters.ts";

const isLinux = existsSync("/proc/self/status");

class FakeOs implements OsFiles, Clock {
  texts = new Map<string, string>();
  descriptors: number | null = 21;
  space: { freeBytes: number; totalBytes: number } | null = { freeBytes: 300, totalBytes: 1_000 };
  nowMs = 5_000;
  bytesAsked = new Map<string, number>();

  readText(path: string, bytesMax: number): string | null {
    this.bytesAsked.set(path, bytesMax);
    return this.texts.get(path)?.slice(0, bytesMax) ?? null;
  }
  list(path: string): string[] | null {
    const names = [...this.texts.keys()].filter((key) => key.startsWith(`${path}/`) && key.endsWith("/stat"));
    return names.length === 0 ? null : names.map((name) => name.slice(path.length + 1, -"/stat".length));
  }
  countDescriptors = () => this.descriptors;
  diskSpace = () => this.space;
  wallMs = () => 1_700_000_000_000 + this.nowMs;
  monotonicMs = () => this.nowMs;
}

function taskStat(id: number, name: string, userTicks: number, systemTicks: number): string {
  return `${id} (${name}) S 1 1 1 0 -1 4194304 100 0 0 0 ${userTicks} ${systemTicks} 0 0 20 0 9 0 100 1000 10\n`;
}

function fullOs(): FakeOs {
  const os = new FakeOs();
  const set = (path: string, text: string) => os.texts.set(path, text);
  set(
    "/proc/self/limits",
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
      "Max processes             96365                96365                processes \n" +
      "Max open files            1024                 unlimited            files     \n",
  );
  set(
    "/proc/self/status",
    "Name:\tbun\nVmHWM:\t   61440 kB\nVmRSS:\t   40960 kB\nCpus_allowed:\t7\nCpus_allowed_list:\t0-1,3\n",
  );
  set(
    "/proc/stat",
    "cpu  9 9 9 9\ncpu0 100 0 100 800 0 0 0 0 0 0\ncpu1 0 0 0 1000 0 0 0 0\ncpu2 7 0 0 0 0 0 0 0\ncpu3 0 0 0 1000 0 0 0 0\nintr 1\n",
  );
  set("/proc/self/stat", taskStat(100, "bun", 300, 100));
  set("/proc/self/task/100/stat", taskStat(100, "bun", 100, 0));
  set("/proc/self/task/109/stat", taskStat(109, "idle", 3, 0));
  set("/proc/self/task/107/stat", taskStat(107, "Work (er) 1", 200, 100));
  set("/proc/self/task/107/schedstat", "3000000000 500000000 77\n");
  set(
    "/proc/net/tcp",
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n" +
      "   1: 0100007F:1F90 00000000:0000 0A 00000000:0000002A 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n" +
      "   2: 0100007F:0050 00000000:0000 0A 00000000:000003E7 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0\n" +
      "   3: 0100007F:1F90 0100007F:9999 01 00000000:00009999 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0\n",
  );
  set("/proc/sys/net/core/somaxconn", "128\n");
  set(
    "/proc/net/netstat",
    "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 33\nIpExt: InNoRoutes ListenDrops\nIpExt: 0 9\n",
  );
  set(
    "/proc/net/sockstat",
    "sockets: used 16\nTCP: inuse 1 orphan 0 tw 4321 alloc 1 mem 374\nUDP: inuse 0 mem 0\n",
  );
  set("/proc/self/cgroup", "1:cpu:/old\n0::/a/b\n");
  set("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  set("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  set("/sys/fs/cgroup/cpu.max", "800000 100000\n");
  set("/sys/fs/cgroup/a/cpu.stat", "usage_usec 5\nnr_periods 90\nnr_throttled 7\nthrottled_usec 12000\n");
  set(
    "/proc/pressure/cpu",
    "some avg10=25.50 avg60=0.11 avg300=0.73 total=43266611\nfull avg10=1.00 avg60=0 avg300=0 total=9\n",
  );
  return os;
}

function probeOf(os: FakeOs) {
  const shared = allocateTelemetry(2);
  new ThreadCounters(shared, 0).set(FIELD.threadId, 107);
  const target = { port: 8080, backlog: 4096, dataFolder: "/data" };
  return { probe: new Probe(shared, os, os, target), read: () => readProbe(shared) };
}

describe("the probe", () => {
  test("reads what the operating system tells", () => {
    const { probe, read } = probeOf(fullOs());
    probe.read();
    const { figures, threads } = read();
    assert.equal(figures.descriptorsUsed, 21);
    assert.equal(figures.descriptorsSoft, 1024);
    assert.equal(figures.descriptorsHard, Number.POSITIVE_INFINITY);
    assert.equal(figures.residentBytes, 40960 * 1024);
    assert.equal(figures.residentBytesMax, 61440 * 1024);
    assert.equal(figures.coresAllowed, 3);
    assert.equal(figures.processCpuSeconds, 4);
    assert.equal(figures.listeningSockets, 2);
    assert.equal(figures.acceptQueueLength, 47);
    assert.equal(figures.acceptQueueLengthMax, 42);
    assert.equal(figures.acceptQueueAsked, 4096);
    assert.equal(figures.acceptQueueCap, 128);
    assert.equal(figures.listenOverflows, 22);
    assert.equal(figures.listenDrops, 33);
    assert.equal(figures.timeWaitSockets, 4321);
    assert.equal(figures.cpuQuotaCores, 1.5, "the tightest quota above us holds");
    assert.equal(figures.cpuPeriodsThrottled, 7);
    assert.equal(figures.cpuThrottledMs, 12);
    assert.equal(figures.pressureCpuRatio, 0.255);
    assert.equal(figures.pressureCpuMs, 43266.611);
    assert.ok(Number.isNaN(figures.pressureIoRatio), "a file that is not there is not known");
    assert.equal(figures.diskFreeBytes, 300);
    assert.equal(figures.diskTotalBytes, 1_000);
    assert.equal(figures.readAtMs, 1_700_000_005_000);
    assert.equal(threads[0]!.cpuSeconds, 3);
    assert.ok(Number.isNaN(threads[0]!.cpuRatio), "a rate needs two readings");
    assert.ok(Number.isNaN(threads[1]!.cpuSeconds), "a thread that has not told its number is not known");
  });

  test("makes rates of two readings, by thread and by name", () => {
    const os = fullOs();
    const { probe, read } = probeOf(os);
    probe.read();
    os.nowMs += 2_000;
    os.texts.set("/proc/self/stat", taskStat(100, "bun", 500, 100));
    os.texts.set("/proc/self/task/100/stat", taskStat(100, "bun", 125, 0));
    os.texts.set("/proc/self/task/107/stat", taskStat(107, "Work (er) 1", 350, 100));
    os.texts.set("/proc/self/task/107/schedstat", "3000000000 700000000 99\n");
    os.texts.set("/proc/self/task/109/stat", taskStat(109, "idle", 4, 0));
    os.texts.set("/proc/self/task/111/stat", taskStat(111, "new", 50, 0));
    os.texts.set(
      "/proc/stat",
      "cpu0 200 0 100 900 0 0 0 0 0 0\ncpu1 0 0 0 1200 0 0 0 0\ncpu3 0 0 0 1100 0 0 0 100\n",
    );
    probe.read();
    const { figures, threads, busiestOtherName } = read();
    assert.equal(figures.processCpuRatio, 1);
    assert.equal(threads[0]!.cpuRatio, 0.75);
    assert.ok(Math.abs(threads[0]!.waitRatio - 0.1) < 1e-9);
    assert.equal(figures.busiestOtherId, 100);
    assert.equal(figures.busiestOtherCpuRatio, 0.125);
    assert.equal(busiestOtherName, "bun");
    assert.ok(Math.abs(figures.coresBusy - 1) < 1e-9, `${figures.coresBusy} of 3 cores`);
  });

  test("knows nothing where nothing can be read, and never says 0", () => {
    const os = new FakeOs();
    os.descriptors = null;
    os.space = null;
    const { probe, read } = probeOf(os);
    probe.read();
    probe.read();
    const { figures, threads, busiestOtherName } = read();
    const { readAtMs, probeMs, acceptQueueAsked, ...rest } = figures;
    assert.ok(readAtMs > 0 && probeMs === 0 && acceptQueueAsked === 4096);
    for (const [name, value] of Object.entries(rest)) assert.ok(Number.isNaN(value), `${name} is ${value}`);
    for (const thread of threads) assert.ok(Object.values(thread).every(Number.isNaN));
    assert.equal(busiestOtherName, "");
  });

  test("is not led astray by texts it does not know", () => {
    const os = fullOs();
    for (const path of os.texts.keys()) os.texts.set(path, "\0 ( nonsense: x y\n\n0::");
    const { probe, read } = probeOf(os);
    probe.read();
    const { descriptorsSoft, residentBytes, listenOverflows, cpuQuotaCores, pressureCpuRatio, coresAllowed } =
      read().figures;
    for (const value of [
      descriptorsSoft,
      residentBytes,
      listenOverflows,
      cpuQuotaCores,
      pressureCpuRatio,
      coresAllowed,
    ]) {
      assert.ok(Number.isNaN(value));
    }
  });

  test("says no limit where the control group has none, and forgets a figure that can no longer be read", () => {
    const os = fullOs();
    os.texts.set("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    os.texts.delete("/sys/fs/cgroup/cpu.max");
    const { probe, read } = probeOf(os);
    probe.read();
    assert.equal(read().figures.cpuQuotaCores, Number.POSITIVE_INFINITY);
    os.texts.delete("/proc/self/status");
    probe.read();
    assert.ok(Number.isNaN(read().figures.residentBytes));
  });

  test("reads a table only as far as the listeners go, and at most 64 KiB of it", () => {
    const os = fullOs();
    const { probe, read } = probeOf(os);
    const connection = os.texts.get("/proc/net/tcp")!.split("\n")[4]!;
    os.texts.set("/proc/net/tcp", os.texts.get("/proc/net/tcp")! + `${connection}\n`.repeat(2_000));
    probe.read();
    assert.equal(os.bytesAsked.get("/proc/net/tcp"), 8 * 1024);

    const [head, ours] = os.texts.get("/proc/net/tcp")!.split("\n");
    const others = `${ours!.replace(":1F90", ":0051")}\n`;
    os.texts.set("/proc/net/tcp", `${head}\n${others.repeat(150)}${ours}\n${others.repeat(2_000)}`);
    probe.read();
    assert.equal(os.bytesAsked.get("/proc/net/tcp"), 64 * 1024);
    assert.equal(read().figures.listeningSockets, 1);
  });

  test("leaves out the row that is cut at the end of what was read", () => {
    const text = fullOs().texts.get("/proc/net/tcp")!;
    const cut = text.slice(0, text.indexOf("0000002A") + 4);
    assert.deepEqual(parseAcceptQueues(cut, 8080), { sockets: 1, length: 5, lengthMax: 5, isWhole: false });
  });

  test("looks for its sockets in both families, and then only where they are", () => {
    const os = fullOs();
    const zeros = "00000000000000000000000000000000";
    const row = `   0: ${zeros}:1F90 ${zeros}:0000 0A 00000000:00000064 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0\n`;
    os.texts.set("/proc/net/tcp", "  sl  local_address rem_address   st\n");
    os.texts.set("/proc/net/tcp6", `  sl  local_address remote_address st\n${row}`);
    const { probe, read } = probeOf(os);
    probe.read();
    assert.equal(read().figures.listeningSockets, 1);
    assert.equal(read().figures.acceptQueueLength, 100);
    os.bytesAsked.clear();
    probe.read();
    assert.ok(os.bytesAsked.has("/proc/net/tcp6") && !os.bytesAsked.has("/proc/net/tcp"));
    os.texts.set("/proc/net/tcp6", "  sl  local_address remote_address st\n");
    probe.read();
    assert.equal(read().figures.listeningSockets, 0);
    assert.ok(Number.isNaN(read().figures.acceptQueueLength));
    os.bytesAsked.clear();
    probe.read();
    assert.ok(os.bytesAsked.has("/proc/net/tcp"), "lost, they are looked for everywhere");
  });

  test("finds this very process in the real files of Linux", {
    skip: isLinux ? false : "no /proc here",
  }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const shared = allocateTelemetry(1);
    new ThreadCounters(shared, 0).set(FIELD.threadId, osThreadId() ?? 0);
    const { port } = server.address() as { port: number };
    const probe = new Probe(shared, openOsFiles(), realClock, { port, backlog: 5, dataFolder: "." });
    try {
      probe.start();
      const { figures, threads } = readProbe(shared);
      assert.ok(figures.descriptorsUsed > 3 && figures.descriptorsUsed < figures.descriptorsSoft);
      assert.ok(figures.residentBytes > 1e6 && figures.residentBytes <= figures.residentBytesMax);
      assert.ok(figures.processCpuSeconds > 0);
      assert.ok(threads[0]!.cpuSeconds >= 0);
      assert.equal(figures.listeningSockets, 1);
      assert.equal(figures.acceptQueueLength, 0);
      assert.ok(figures.coresAllowed >= 1);
      assert.ok(figures.diskFreeBytes <= figures.diskTotalBytes);
    } finally {
      probe.close();
      server.close();
    }
  });
});
