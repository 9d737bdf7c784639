import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  allocateTelemetry,
  FIELD,
  PROBE_FIELD,
  PROBE_THREAD_FIELD,
  type ProbeField,
  probeRegion,
} from "./counters.layout.ts";
import { headroomOf } from "./headroom.ts";
import { readProbe, readSnapshot } from "./snapshot.ts";
import { ThreadCounters } from "./thread-counters.ts";

function serverOf(threads: number) {
  const shared = allocateTelemetry(threads);
  const region = probeRegion(shared);
  return {
    counters: Array.from({ length: threads }, (_, thread) => new ThreadCounters(shared, thread)),
    probe: (figures: Partial<Record<ProbeField, number>>) => {
      for (const [name, value] of Object.entries(figures))
        region.figures[PROBE_FIELD[name as ProbeField]] = value;
    },
    cpu: (thread: number, ratio: number) => {
      region.threads[thread]![PROBE_THREAD_FIELD.cpuRatio] = ratio;
    },
    headroom: () => headroomOf(readSnapshot(shared, 1), readProbe(shared)),
  };
}

describe("headroom", () => {
  test("names no nearest limit while none is known", () => {
    const { nearest, limits } = serverOf(2).headroom();
    assert.equal(nearest, null);
    assert.ok(limits.every(({ ratio }) => Number.isNaN(ratio)));
  });

  test("names the limit of which the largest share is used", () => {
    const server = serverOf(1);
    server.probe({
      descriptorsUsed: 500,
      descriptorsSoft: 1000,
      acceptQueueLengthMax: 90,
      acceptQueueCap: 128,
    });
    server.probe({ diskFreeBytes: 400, diskTotalBytes: 1_000 });
    assert.equal(server.headroom().nearest?.id, "accept_queue");
    server.probe({ descriptorsUsed: 999 });
    assert.equal(server.headroom().nearest?.id, "descriptors");
    server.probe({ diskFreeBytes: 0 });
    assert.equal(server.headroom().nearest?.id, "disk");
    server.cpu(0, 1.02);
    const { nearest } = server.headroom();
    assert.equal(nearest?.id, "cpu_thread");
    assert.equal(nearest?.ratio, 1.02);
  });

  test("judges a limit of the threads by the thread nearest to it", () => {
    const server = serverOf(3);
    for (const counters of server.counters) counters.set(FIELD.queueBytesMax, 1_000);
    server.counters[1]!.set(FIELD.queueBytes, 900);
    const { nearest } = server.headroom();
    assert.equal(nearest?.id, "queue");
    assert.equal(nearest?.thread, 1);
    assert.equal(nearest?.ratio, 0.9);
    server.cpu(0, 0.3);
    server.cpu(2, 0.95);
    assert.equal(server.headroom().nearest?.id, "cpu_thread");
    assert.equal(server.headroom().nearest?.thread, 2);
  });

  test("sees that many threads of little use each may still fill all cores", () => {
    const server = serverOf(2);
    server.cpu(0, 0.5);
    server.cpu(1, 0.5);
    server.probe({
      coresBusy: 1.9,
      coresAllowed: 2,
      processCpuRatio: 1,
      cpuQuotaCores: Number.POSITIVE_INFINITY,
    });
    const { nearest, limits } = server.headroom();
    assert.equal(nearest?.id, "cpu_cores");
    assert.equal(limits.find(({ id }) => id === "cpu_quota")?.ratio, 0, "no quota leaves all the room");
    server.probe({ cpuQuotaCores: 1 });
    assert.equal(server.headroom().nearest?.id, "cpu_quota");
  });

  test("takes a limit of 0 for one that nobody has set", () => {
    const server = serverOf(1);
    server.counters[0]!.set(FIELD.connectionsOpen, 7);
    const connections = server.headroom().limits.find(({ id }) => id === "connections");
    assert.ok(Number.isNaN(connections?.limit));
    assert.equal(connections?.used, 7);
  });
});
