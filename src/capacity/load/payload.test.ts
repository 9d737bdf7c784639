import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeBatches } from "./payload.ts";

interface Metric {
  readonly name: string;
  readonly value: number;
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
}

function metricsOf(batch: Uint8Array): Metric[] {
  return (JSON.parse(new TextDecoder().decode(batch)) as { metrics: Metric[] }).metrics;
}

describe("made-up batches", () => {
  test("are the same for the same seed and others for another", () => {
    assert.deepEqual(makeBatches({ seed: 7, metrics: 3 }), makeBatches({ seed: 7, metrics: 3 }));
    assert.notDeepEqual(makeBatches({ seed: 7, metrics: 3 }), makeBatches({ seed: 8, metrics: 3 }));
  });

  test("hold as many metrics as asked for, each a whole one of the server's", () => {
    for (const metrics of [1, 3, 1000]) {
      for (const batch of makeBatches({ seed: 1, metrics, count: 4 })) {
        const list = metricsOf(batch);
        assert.equal(list.length, metrics);
        for (const { name, value, type, tags, ...rest } of list) {
          assert.match(name, /^[a-z][a-z0-9_]+$/);
          assert.ok(Number.isFinite(value));
          assert.match(type, /^(gauge|counter|histogram|summary)$/);
          for (const tag of Object.values(tags)) assert.equal(typeof tag, "string");
          assert.deepEqual(rest, {});
        }
      }
    }
  });

  test("come from one host each, which has one region and one service in all of them", () => {
    const homes = new Map<string, string>();
    const batches = makeBatches({ seed: 3, metrics: 5 });
    for (const batch of batches) {
      const homesHere = metricsOf(batch).map(({ tags }) => `${tags.host} ${tags.region} ${tags.service}`);
      assert.equal(new Set(homesHere).size, 1);
      const [host, home] = [metricsOf(batch)[0]!.tags.host!, homesHere[0]!];
      assert.equal(homes.get(host) ?? home, home);
      homes.set(host, home);
    }
    assert.ok(homes.size > 50, `a fleet, not ${homes.size} hosts`);
  });

  test("are many when small and few when large", () => {
    assert.equal(makeBatches({ seed: 1, metrics: 3 }).length, 256);
    assert.ok(makeBatches({ seed: 1, metrics: 1000 }).length < 30);
  });
});
