import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { EvidencePoint } from "../report/report-json.ts";
import { growthOf, growthOverRestarts, medianFigure, rateOf } from "./counter-growth.ts";
import { levelOf, sampleAt, thread } from "./evidence-bed.ts";
import { findSaturation, toEvidencePoints } from "./evidence-points.ts";
import { summarise } from "./level-evidence.ts";
import type { Sample } from "./sample.ts";

/** Every 250 ms from before the load to after it, of a level of two seconds. */
function samplesOfTwoSeconds(known: (atMs: number) => Parameters<typeof sampleAt>[1]): Sample[] {
  const times = [-20, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_400];
  return times.map((atMs) => sampleAt(atMs, known(atMs)));
}

describe("a level of which nothing is known", () => {
  test("is all null, and never zero", () => {
    const { seconds, samples, ...rest } = summarise(levelOf([sampleAt(-1), sampleAt(1_000)], 1));
    assert.equal(seconds, 1);
    assert.equal(samples, 2);
    for (const [key, figure] of Object.entries(rest)) assert.equal(figure, null, key);
  });

  test("may have no samples at all", () => {
    assert.equal(summarise(levelOf([], 1)).processCores, null);
    assert.deepEqual(toEvidencePoints(levelOf([], 1)), []);
  });
});

describe("shares of time", () => {
  test("are of the samples inside the load, not of the quiet at its edges", () => {
    // 1.5 cores while loaded; nothing in the 400 ms of draining.
    const samples = samplesOfTwoSeconds((atMs) => ({
      process: { cpuS: 10 + (1.5 * Math.min(2_000, Math.max(0, atMs))) / 1e3 },
    }));
    assert.ok(Math.abs(summarise(levelOf(samples, 2)).processCores! - 1.5) < 1e-9);
  });

  test("of a level too short for that are of all its samples", () => {
    const samples = [sampleAt(-10, { process: { cpuS: 1 } }), sampleAt(90, { process: { cpuS: 1.05 } })];
    assert.ok(Math.abs(summarise(levelOf(samples, 0.08)).processCores! - 0.5) < 1e-9);
  });

  test("busy includes stolen, and others have what neither target nor analyser used", () => {
    const samples = samplesOfTwoSeconds((atMs) => {
      const seconds = atMs / 1e3;
      return {
        process: { cpuS: 0.75 * seconds + 5, coresAllowed: 2 },
        machine: { cores: 2, busyS: 100 + 1.5 * seconds, stolenS: 7 + 0.25 * seconds, idleS: 0.25 * seconds },
        client: { cpuS: 0.5 * seconds + 1 },
      };
    });
    const evidence = summarise(levelOf(samples, 2));
    assert.ok(Math.abs(evidence.machineRatio! - 0.875) < 1e-9);
    assert.ok(Math.abs(evidence.stolenRatio! - 0.125) < 1e-9);
    assert.ok(Math.abs(evidence.otherCores! - 0.25) < 1e-9);
    assert.ok(Math.abs(evidence.generatorCores! - 0.5) < 1e-9);
    assert.equal(evidence.machineCores, 2);
    assert.equal(evidence.coresAllowed, 2);
  });

  test("of waiting are of the time, by resource", () => {
    const samples = samplesOfTwoSeconds((atMs) => ({
      machine: { pressureCpuMs: 0.5 * atMs + 100, pressureIoMs: 100 },
    }));
    const evidence = summarise(levelOf(samples, 2));
    assert.ok(Math.abs(evidence.pressureCpuRatio! - 0.5) < 1e-9);
    assert.equal(evidence.pressureIoRatio, 0);
    assert.equal(evidence.pressureMemoryRatio, null);
  });

  test("of throttled periods are of those in the load; without a quota none is throttled", () => {
    const held = samplesOfTwoSeconds((atMs) => ({
      quota: { quotaCores: 0.5, periods: atMs / 100, throttledPeriods: atMs / 200, throttledMs: atMs / 10 },
    }));
    const evidence = summarise(levelOf(held, 2));
    assert.equal(evidence.quotaCores, 0.5);
    assert.equal(evidence.throttledPeriodsRatio, 0.5);
    assert.equal(evidence.throttledMs, 242);
    const free = samplesOfTwoSeconds(() => ({ quota: { quotaCores: Number.POSITIVE_INFINITY } }));
    assert.equal(summarise(levelOf(free, 2)).throttledPeriodsRatio, 0);
  });
});

describe("threads", () => {
  const samples = samplesOfTwoSeconds((atMs) => {
    const seconds = Math.min(2, Math.max(0, atMs / 1e3));
    return {
      process: {
        cpuS: seconds,
        threads: [
          thread(1, 50 + 0.9 * seconds, { name: "busy", waitS: 3 + 0.25 * seconds }),
          thread(2, 7, { name: "asleep", waitS: 0, state: atMs === 1_000 ? "D" : "S" }),
          ...(atMs >= 1_000 ? [thread(3, 0.6 * (seconds - 1), { name: "born later", waitS: 0 })] : []),
        ],
      },
    };
  });
  const evidence = summarise(levelOf(samples, 2));

  test("the hottest is named with its share of a core and of waiting", () => {
    const { name, tid, ratio, waitRatio } = evidence.hottestThread!;
    assert.equal(name, "busy");
    assert.equal(tid, 1);
    assert.ok(Math.abs(ratio - 0.9) < 1e-9);
    assert.ok(Math.abs(waitRatio! - 0.25) < 1e-9);
    assert.ok(Math.abs(evidence.processWaitRatio! - 0.25) < 1e-9);
  });

  test("busy ones and those asleep throughout are counted", () => {
    assert.equal(evidence.threadsCount, 3);
    assert.equal(evidence.threadsBusy, 1);
    assert.equal(evidence.threadsAsleepAlways, 1);
  });

  test("one that began in the level counts from nothing", () => {
    const born = samplesOfTwoSeconds((atMs) => ({
      process: { threads: [thread(1, 5), ...(atMs > 1_800 ? [thread(9, 1.4)] : [])] },
    }));
    // The window of the load is 1.75 s long.
    const { hottestThread } = summarise(levelOf(born, 2));
    assert.equal(hottestThread?.tid, 9);
    assert.ok(Math.abs(hottestThread.ratio - 0.8) < 1e-9);
  });

  test("sleep for the disk is a share of the samples", () => {
    assert.equal(evidence.diskSleepRatio, 1 / 8);
  });
});

describe("a target that dies midway", () => {
  test("is known by what was seen of it while it lived", () => {
    const samples = samplesOfTwoSeconds((atMs) => ({
      process:
        atMs <= 1_000
          ? { cpuS: atMs / 1e3 + 1, residentBytes: 100, threads: [thread(1, atMs / 1e3 + 1)] }
          : { isAlive: false },
    }));
    const evidence = summarise(levelOf(samples, 2));
    assert.ok(Math.abs(evidence.processCores! - 1) < 1e-9);
    assert.ok(Math.abs(evidence.hottestThread!.ratio - 1) < 1e-9);
    assert.equal(evidence.residentBytesEnd, 100);
  });
});

describe("growth and states", () => {
  const samples = [
    sampleAt(-5, {
      network: {
        acceptQueueMax: 900,
        listenOverflows: 10,
        listenDrops: 11,
        acceptQueueCap: 128,
        somaxconn: 128,
      },
      client: { timeWaitSockets: 5_000, portsAvailable: 28_232 },
      process: { descriptorsUsed: 10, descriptorsSoft: 128, descriptorsHard: 256, writtenBytes: 0 },
    }),
    sampleAt(250, {
      network: { acceptQueueMax: 4, listenOverflows: 12, unreadBytes: 7, unreadSockets: 2, established: 60 },
      client: { timeWaitSockets: 20, portsUsed: 64 },
      process: { descriptorsUsed: 127, descriptorsSoft: 128, writtenBytes: 1_000 },
    }),
    sampleAt(500, { network: { acceptQueueMax: 2 } }),
    sampleAt(1_000, {
      network: { acceptQueueMax: 129, listenOverflows: 13, listenDrops: 14 },
      process: { descriptorsUsed: 126, descriptorsSoft: 128, writtenBytes: 1_750 },
    }),
    sampleAt(1_300, { network: { listenOverflows: 15, listenDrops: 14 } }),
  ];
  const evidence = summarise(levelOf(samples, 1));

  test("what the kernel refused is counted from before the load to after it", () => {
    assert.equal(evidence.listenOverflows, 5);
    assert.equal(evidence.listenDrops, 3);
    assert.equal(evidence.retransmits, null);
  });

  test("what was the case before the level is not of the level", () => {
    assert.equal(evidence.acceptQueueMax, 129);
    assert.equal(evidence.acceptQueueMedian, 4);
    assert.equal(evidence.timeWaitMax, 20);
  });

  test("caps and limits are the last that were seen", () => {
    assert.equal(evidence.acceptQueueCap, 128);
    assert.equal(evidence.descriptorsUsedMax, 127);
    assert.equal(evidence.descriptorsHard, 256);
    assert.equal(evidence.portsAvailable, 28_232);
    assert.equal(evidence.portsUsedMax, 64);
    assert.equal(evidence.unreadSocketsMedian, 2);
    assert.equal(evidence.writtenBytesPerS, 1_000);
  });

  test("a counter that went back is of another thing, and its growth unknown", () => {
    const figure = ({ client }: Sample) => client.timeWaitSockets;
    const fell = [5, 3].map((timeWaitSockets, index) => sampleAt(index, { client: { timeWaitSockets } }));
    assert.equal(growthOf(fell, figure), null);
    assert.equal(rateOf(fell, figure), null);
    assert.equal(growthOf(fell.slice(1), figure), null);
    assert.equal(medianFigure(fell, figure), 3);
  });

  test("a server's counter that begins again at 0 has grown by what it then shows", () => {
    assert.equal(growthOverRestarts([100, 110, 4, 6]), 16);
    assert.equal(growthOverRestarts([7]), 0);
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(1_000), { minLength: 1 }), { minLength: 1 }),
        fc.nat(9),
        (lives, start) => {
          // Each life of the server counts from 0, except that the first had counted `start` before we looked.
          let total = 0;
          const seen: number[] = [];
          lives.forEach((steps, life) => {
            let count = life === 0 ? start : 0;
            if (life === 0) seen.push(count);
            for (const step of steps) {
              count += step;
              total += step;
              seen.push(count);
            }
          });
          // A restart shows only where the counter is seen lower than before, so it may count for less, never for more.
          const growth = growthOverRestarts(seen);
          assert.ok(growth <= total);
          if (lives.length === 1) assert.equal(growth, total);
        },
      ),
    );
  });
});

describe("what a Tidemark says", () => {
  const samples = [
    sampleAt(-5, {
      stats: {
        received: 100,
        stored: 100,
        rejected: { rate_limit: 1 },
        commits: 10,
        writeMsTotal: 50,
        queueBytes: 9,
      },
    }),
    sampleAt(500, {
      stats: {
        received: 400,
        stored: 300,
        rejected: { rate_limit: 90, json: 0 },
        commits: 20,
        writeMsTotal: 250,
        queueBytes: 90,
        queueBytesLimit: 100,
        stagesMs: { read: { count: 10, mean: 1 } },
      },
    }),
    sampleAt(750),
    sampleAt(1_000, {
      stats: {
        received: 600,
        stored: 400,
        rejected: { rate_limit: 190, json: 0 },
        commits: 30,
        writeMsTotal: 450,
        syncs: 4,
        syncMsTotal: 1_200,
        diskState: "full",
        stagesMs: { read: { count: 30, mean: 2 }, queue: { count: 0, mean: null } },
      },
    }),
  ];
  const stats = summarise(levelOf(samples, 1)).stats!;

  test("its counts are of the level, and a late answer is no loss", () => {
    assert.equal(stats.received, 500);
    assert.equal(stats.stored, 300);
    assert.deepEqual(stats.rejected, { rate_limit: 189 });
    assert.equal(stats.commits, 20);
  });

  test("its times are means of the level and shares of the lanes' time", () => {
    assert.equal(stats.writeMsMean, 20);
    assert.equal(stats.writeBusyRatio, 0.2);
    assert.equal(stats.syncMsMean, 300);
    assert.equal(stats.syncBusyRatio, 0.6);
    assert.deepEqual(stats.stagesMs, { read: 2.5, queue: null });
  });

  test("its worst moments are kept", () => {
    assert.equal(stats.queueRatioMax, 0.9);
    assert.deepEqual(stats.diskStates, ["ok", "full"]);
  });

  test("a server that started again in the level goes on counting", () => {
    const restarted = [
      sampleAt(-5, { stats: { received: 1_000, stored: 1_000 } }),
      sampleAt(500, { stats: { received: 1_500, stored: 1_500 } }),
      sampleAt(1_000, { stats: { received: 200, stored: 200 } }),
    ];
    assert.equal(summarise(levelOf(restarted, 1)).stats!.stored, 700);
  });

  test("it stands in for what could not be read from outside", () => {
    const told = [0, 500, 1_000].map((atMs) =>
      sampleAt(atMs, {
        stats: {
          descriptorsUsed: 60,
          descriptorsSoft: 64,
          acceptQueueMax: 3,
          acceptQueueCap: 8,
          somaxconn: 16,
        },
      }),
    );
    const evidence = summarise(levelOf(told, 1));
    assert.equal(evidence.descriptorsUsedMax, 60);
    assert.equal(evidence.descriptorsSoft, 64);
    assert.equal(evidence.acceptQueueMax, 3);
    assert.equal(evidence.acceptQueueCap, 8);
    assert.equal(evidence.somaxconn, 16);
  });
});

describe("points over time", () => {
  const slot = (atMs: number, succeeded: number, failed: number, latencyMsMean: number | null) => ({
    atMs,
    sent: succeeded + failed,
    succeeded,
    failed,
    latencyMsMean,
    latencyMsMax: null,
  });

  test("each is of the time since the sample before it", () => {
    const samples = [
      sampleAt(-5, { network: { listenOverflows: 3 }, process: { cpuS: 0, threads: [thread(1, 0)] } }),
      sampleAt(250, {
        network: { listenOverflows: 3, acceptQueueMax: 64, acceptQueueCap: 128 },
        process: { cpuS: 0.2, threads: [thread(1, 0.102)], descriptorsUsed: 32, descriptorsSoft: 128 },
      }),
      sampleAt(750, {
        network: { listenOverflows: 9 },
        process: { cpuS: 0.7, threads: [thread(1, 0.602)] },
        stats: { queueBytes: 1, queueBytesLimit: 4, eventLoopLagMs: 6 },
      }),
    ];
    const timeline = [slot(0, 100, 0, 2), slot(250, 100, 25, 1), slot(500, 300, 25, 5)];
    const points = toEvidencePoints(levelOf(samples, 0.75, timeline));
    assert.equal(points.length, 2);
    assert.equal(points[0]!.rate, 400);
    assert.equal(points[0]!.descriptors_ratio, 0.25);
    assert.equal(points[0]!.accept_queue_ratio, 0.5);
    assert.equal(points[0]!.queue_ratio, null);
    assert.ok(Math.abs(points[0]!.thread_ratio! - 0.4) < 1e-9);
    assert.equal(points[1]!.rate, 800);
    assert.equal(points[1]!.failed_rate, 100);
    assert.equal(points[1]!.latency_ms_mean, 4);
    assert.ok(Math.abs(points[1]!.process_cores! - 1) < 1e-9);
    assert.ok(Math.abs(points[1]!.thread_ratio! - 1) < 1e-9);
    assert.equal(points[1]!.listen_overflows, 6);
    assert.equal(points[1]!.queue_ratio, 0.25);
    assert.equal(points[1]!.loop_lag_ms, 6);
    assert.equal(points[1]!.machine_ratio, null);
  });
});

describe("the moment of saturation", () => {
  const points = (key: keyof EvidencePoint, figures: readonly (number | null)[]): EvidencePoint[] => {
    const unknown = toEvidencePoints(levelOf([sampleAt(0), sampleAt(250)], 1))[0]!;
    return figures.map((figure, index) => ({ ...unknown, at_ms: 250 * (index + 1), [key]: figure }));
  };

  test("is the first from which a resource stays at its limit", () => {
    assert.deepEqual(findSaturation(points("thread_ratio", [0.5, 0.99, 0.4, 0.3, 0.96, 0.97, 1, 0.99])), {
      at_ms: 1_250,
      resource: "the busiest thread",
    });
    assert.equal(findSaturation(points("thread_ratio", [0.5, 0.9, 0.94, 0.9])), null);
    assert.equal(findSaturation([]), null);
  });

  test("survives a dip and what was not read, and is no spike at the end", () => {
    assert.equal(findSaturation(points("machine_ratio", [0.98, 0.99, 0.9, 0.99, 1, 0.99]))?.at_ms, 250);
    assert.equal(findSaturation(points("accept_queue_ratio", [0, 1, null, 1.01, null, 1]))?.at_ms, 500);
    assert.equal(findSaturation(points("accept_queue_ratio", [0, 0, 0, 1, 1])), null);
  });

  test("is the earliest of several resources'", () => {
    const both = points("thread_ratio", [0.96, 0.96, 0.96, 0.96, 0.96]).map((point, index) => ({
      ...point,
      descriptors_ratio: index < 1 ? 0.2 : 0.99,
      machine_ratio: 0.99,
    }));
    assert.equal(findSaturation(both)?.resource, "the busiest thread");
    assert.equal(findSaturation(both.slice(1))?.resource, "descriptors");
  });

  test("looks at the load only: the quiet after it does not undo it", () => {
    const figures = [0.1, 0.99, 0.99, 0.99, 0.99, 0.3, 0.01];
    const loaded = points("thread_ratio", figures).map((point, index) => ({
      ...point,
      rate: index >= 1 && index <= 5 ? 100 : null,
    }));
    assert.equal(findSaturation(loaded)?.at_ms, 500);
  });
});
