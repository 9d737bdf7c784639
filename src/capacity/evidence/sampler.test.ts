import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { eventually, startServer, stopServers } from "../../../test/support/server-process.ts";
import { RecordedFiles, sampleAt } from "./evidence-bed.ts";
import type { Sample } from "./sample.ts";
import { openSampler, recordWhile, type Sampler } from "./sampler.ts";

after(stopServers);

const noProc = existsSync("/proc/self/stat") ? false : "no /proc here";

/** A sampler whose clock stands still unless it is moved, and whose samples are made when they are let go. */
class HeldSampler implements Sampler {
  nowMs = 1_000;
  taken = 0;
  isHeld = false;
  readonly held: (() => void)[] = [];
  statsOf: (taken: number) => Sample["stats"] = () => null;

  now = () => this.nowMs;

  async sample(startedAtMs: number): Promise<Sample> {
    this.taken += 1;
    const sample = { ...sampleAt(this.nowMs - startedAtMs), stats: this.statsOf(this.taken) };
    if (this.isHeld) await new Promise<void>((resolve) => this.held.push(resolve));
    return sample;
  }

  close(): void {}
}

describe("a recording", () => {
  test("has a sample before the work and one after it", async () => {
    const sampler = new HeldSampler();
    const { result, samples } = await recordWhile(sampler, async (startedAtMs) => {
      sampler.nowMs += 40;
      return startedAtMs;
    });
    assert.equal(result, 1_000);
    assert.deepEqual(
      samples.map(({ atMs }) => atMs),
      [0, 40],
    );
  });

  test("counts its times from when the result says that the work began", async () => {
    const sampler = new HeldSampler();
    const work = async () => {
      sampler.nowMs += 500;
      return { startedAtMs: 1_100 };
    };
    const { samples } = await recordWhile(sampler, work, (load) => load.startedAtMs);
    assert.deepEqual(
      samples.map(({ atMs }) => atMs),
      [-100, 400],
    );
  });

  test("takes one sample at a time: a beat that falls into one is left out", async () => {
    const sampler = new HeldSampler();
    const { samples } = await recordWhile(sampler, async () => {
      sampler.isHeld = true;
      while (sampler.held.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 600)); // two beats, and more
      assert.equal(sampler.held.length, 1);
      sampler.isHeld = false;
      sampler.held[0]!();
    });
    assert.equal(samples.length, sampler.taken);
  });

  test("asks again after the work where a server that answered before is silent", async () => {
    const stats = sampleAt(0, { stats: {} }).stats;
    const sampler = new HeldSampler();
    sampler.statsOf = (taken) => (taken === 2 || taken === 3 ? null : stats);
    const { samples } = await recordWhile(sampler, async () => {});
    assert.equal(sampler.taken, 4);
    assert.equal(samples.length, 2);
    assert.notEqual(samples.at(-1)!.stats, null);
    sampler.taken = 0;
    sampler.statsOf = (taken) => (taken === 1 ? stats : null);
    const silent = await recordWhile(sampler, async () => {});
    assert.equal(silent.samples.length, 2);
    assert.equal(silent.samples.at(-1)!.stats, null);
  });

  test("ends with work that fails, and fails as it did", async () => {
    const sampler = new HeldSampler();
    await assert.rejects(
      recordWhile(sampler, async () => {
        throw new Error("no load");
      }),
      /no load/,
    );
    const { taken } = sampler;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(sampler.taken, taken);
  });
});

describe("a sample", () => {
  test("without any source is null throughout, but for the analyser's own CPU", async () => {
    const sampler = openSampler({
      pid: 4_711,
      port: 1,
      host: "127.0.0.1",
      isLocal: true,
      statsUrl: null,
      files: new RecordedFiles(),
    });
    const { process, quota, machine, network, client, stats } = await sampler.sample(0);
    sampler.close();
    assert.deepEqual([process, quota, stats], [null, null, null]);
    for (const side of [machine, network, { ...client, cpuS: null }])
      assert.ok(Object.values(side).every((figure) => figure === null));
  });

  test("of a load that is made elsewhere says nothing of the generator's side", async () => {
    const options = { pid: null, port: 1, host: "127.0.0.1", isLocal: true, statsUrl: null };
    const sampler = openSampler({ ...options, hasGenerator: false });
    const { client } = await sampler.sample(0);
    sampler.close();
    assert.ok(Object.values(client).every((figure) => figure === null));
  });

  test("of a target elsewhere looks at our own side only", async () => {
    const files = new RecordedFiles({
      "/proc/net/netstat": "TcpExt: ListenOverflows ListenDrops\nTcpExt: 5 6\n",
      "/proc/net/sockstat": "TCP: inuse 1 orphan 0 tw 77 alloc 1 mem 1\n",
    });
    const sampler = openSampler({
      pid: null,
      port: 1,
      host: "192.0.2.1",
      isLocal: false,
      statsUrl: null,
      files,
    });
    const { network, client } = await sampler.sample(0);
    sampler.close();
    assert.equal(network.listenOverflows, null);
    assert.equal(client.timeWaitSockets, 77);
  });

  test("of a target in another namespace looks at that namespace's network", async () => {
    const files = new RecordedFiles({
      "/proc/4711/net/netstat": "TcpExt: ListenOverflows ListenDrops\nTcpExt: 5 6\n",
      "/proc/net/netstat": "TcpExt: ListenOverflows ListenDrops\nTcpExt: 0 0\n",
    });
    files.links.set("/proc/self/ns/net", "net:[1]").set("/proc/4711/ns/net", "net:[2]");
    const options = { port: 1, host: "192.0.2.1", isLocal: false, statsUrl: null, files };
    const sampler = openSampler({ pid: 4_711, ...options });
    assert.equal((await sampler.sample(0)).network.listenOverflows, 5);
    sampler.close();
  });

  test("of a real server shows both sides", { skip: noProc }, async () => {
    const server = await startServer();
    const { port } = server;
    const client = connect(port, "127.0.0.1");
    await once(client, "connect");
    const sampler = openSampler({
      pid: server.child.pid!,
      port,
      host: "127.0.0.1",
      isLocal: true,
      statsUrl: `http://127.0.0.1:${port}/stats`,
    });
    // The first answers of a server that has just started may come too late for a sample; one that did not come is null.
    await eventually("the server answers at once", async () => {
      const askedMs = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/stats`)).text();
      return performance.now() - askedMs < 50;
    });
    const body = JSON.stringify({ metrics: [{ name: "a", value: 1 }] });
    const { samples } = await recordWhile(sampler, async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(answer.status, 200);
    });
    sampler.close();
    client.destroy();
    const [before, afterwards] = [samples[0]!, samples.at(-1)!];
    assert.ok(before.atMs <= 0 && afterwards.atMs >= 0);
    assert.equal(afterwards.stats!.stored - before.stats!.stored, 1);
    assert.ok(afterwards.process!.isAlive);
    assert.ok(afterwards.process!.threads.length >= 2);
    assert.ok(afterwards.process!.cpuS! > 0);
    assert.ok(before.network.listeners! >= 1);
    assert.ok(before.network.somaxconn! >= 1);
    assert.ok(before.machine.busyS! > 0);
    assert.ok(before.client.descriptorsUsed! >= 3);
  });
});
