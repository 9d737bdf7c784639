import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { allocateTelemetry, FIELD, PROBE_FIELD, probeRegion, STAGES } from "./counters.layout.ts";
import { exposeMetrics, legacyCounters } from "./exposition.ts";
import { readProbe, readSnapshot } from "./snapshot.ts";
import { ThreadCounters } from "./thread-counters.ts";

const SETTINGS = {
  version: '1.2 "x"\\\n',
  runtime: "bun 1.4.5",
  startedAtMs: 5_000,
  settings: {},
  replication: null,
  forwarding: null,
};

function busyServer() {
  const shared = allocateTelemetry(2);
  const counters = [0, 1].map((thread) => new ThreadCounters(shared, thread));
  counters[0]!.settledStored(7, 21, 2_100);
  counters[1]!.settledStored(1, 1_000, 100_000);
  for (let refusal = 0; refusal < REFUSALS.length; refusal++) counters[1]!.rejectedMany(refusal, refusal + 1);
  counters[0]!.set(FIELD.heartbeatMs, 9_000);
  for (const nanoseconds of [900, 5_000, 70_000, 3e9, 60e9])
    counters[0]!.histograms.decode.record(nanoseconds);
  for (const batches of [1, 1, 2, 64]) counters[1]!.histograms.batchesPerCommit.record(batches);
  probeRegion(shared).figures[PROBE_FIELD.cpuQuotaCores] = Number.POSITIVE_INFINITY;
  return { shared, counters };
}

async function expose(shared: ReturnType<typeof allocateTelemetry>): Promise<Exposition> {
  return parseExposition(await exposeMetrics(readSnapshot(shared, 10_000), readProbe(shared), SETTINGS));
}

describe("the exposition", () => {
  test("is text that a strict reader of the format takes", async () => {
    const { metrics } = await expose(busyServer().shared);
    assert.ok(metrics.size > 30, `${metrics.size} metrics`);
    for (const [name, metric] of metrics) {
      assert.match(name, /^tidemark_[a-z_]+$/);
      assert.equal(name.endsWith("_total"), metric.type === "counter", name);
      assert.ok(metric.help.length > 0, name);
      assert.ok(metric.samples.length > 0, name);
    }
  });

  test("names every reason, and balances within itself", async () => {
    const { value, metrics } = await expose(busyServer().shared);
    const rejected = metrics.get("tidemark_batches_rejected_total")!.samples;
    assert.deepEqual(
      rejected.map((sample) => sample.labels.reason).sort(),
      REFUSALS.map(({ reason }) => reason).sort(),
    );
    const sum = rejected.reduce((total, sample) => total + sample.value, 0);
    assert.equal(value("tidemark_batches_stored_total"), 8);
    assert.equal(value("tidemark_batches_received_total"), 8 + sum);
    assert.equal(value("tidemark_batches_rejected_total", { reason: "queue" }), REFUSAL.queue + 1);
  });

  test("shows the stages as cumulative histograms in seconds", async () => {
    const { value, metrics } = await expose(busyServer().shared);
    const stages = metrics.get("tidemark_stage_seconds")!;
    assert.equal(stages.type, "histogram");
    assert.deepEqual([...new Set(stages.samples.map((sample) => sample.labels.stage))], [...STAGES]);
    const bucket = (le: string) => value("tidemark_stage_seconds_bucket", { stage: "decode", le });
    assert.equal(bucket("0.000004096"), 1);
    assert.equal(bucket("0.000008192"), 2);
    assert.equal(bucket("17.179869184"), 4);
    assert.equal(bucket("+Inf"), 5);
    assert.equal(value("tidemark_stage_seconds_count", { stage: "decode" }), 5);
    assert.ok(Math.abs(value("tidemark_stage_seconds_sum", { stage: "decode" }) - 63.0000759) < 1e-9);
    assert.equal(value("tidemark_commit_batches_bucket", { le: "0" }), 0);
    assert.equal(value("tidemark_commit_batches_bucket", { le: "1" }), 2);
    assert.equal(value("tidemark_commit_batches_bucket", { le: "3" }), 3);
    assert.equal(value("tidemark_commit_batches_bucket", { le: "127" }), 4);
  });

  test("shows nothing for what is not known, and +Inf for what has no limit", async () => {
    const { metrics, value } = await expose(busyServer().shared);
    assert.equal(metrics.has("tidemark_descriptors_used"), false);
    assert.equal(metrics.has("tidemark_queue_limit_bytes"), false);
    assert.equal(value("tidemark_cpu_quota_cores"), Number.POSITIVE_INFINITY);
    const heartbeats = metrics.get("tidemark_thread_heartbeat_seconds")!.samples;
    assert.deepEqual(heartbeats, [
      { name: "tidemark_thread_heartbeat_seconds", labels: { thread: "0" }, value: 9 },
    ]);
  });

  test("escapes what a label may hold", async () => {
    const { metrics } = await expose(busyServer().shared);
    assert.equal(metrics.get("tidemark_build_info")!.samples[0]!.labels.version, SETTINGS.version);
  });

  test("of two scrapes at once tells each its own snapshot", async () => {
    const { shared, counters } = busyServer();
    const first = expose(shared);
    counters[0]!.settledStored(100, 100, 100);
    const second = expose(shared);
    assert.equal((await first).value("tidemark_batches_stored_total"), 8);
    assert.equal((await second).value("tidemark_batches_stored_total"), 108);
  });
});

describe("the counters as the origin had them", () => {
  test("count metrics stored, batches stored, batches that are wrong, and requests over the rate limit", () => {
    const { shared } = busyServer();
    assert.deepEqual(legacyCounters(readSnapshot(shared, 1)), {
      metrics_received: 1_021,
      batches_processed: 8,
      validation_errors: REFUSAL.json + 1 + REFUSAL.batch + 1,
      rate_limited_requests: REFUSAL.rate_limit + 1,
    });
  });
});

// A strict reader of the text format 0.0.4: HELP and TYPE once and before the samples, samples of a metric together,
// no series twice, buckets cumulative and closed by +Inf that equals the count.

interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

interface Metric {
  help: string;
  type: string;
  samples: Series[];
}

interface Exposition {
  metrics: Map<string, Metric>;
  value(name: string, labels?: Record<string, string>): number;
}

function parseExposition(text: string): Exposition {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const metrics = new Map<string, Metric>();
  const series = new Map<string, number>();
  let current = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === "HELP") {
        assert.ok(!metrics.has(name), `HELP of ${name} comes once`);
        metrics.set(name, { help: rest, type: "", samples: [] });
        current = name;
      } else {
        assert.equal(name, current);
        assert.equal(metrics.get(name)!.type, "", `TYPE of ${name} comes once`);
        assert.match(rest, /^(counter|gauge|histogram)$/);
        metrics.get(name)!.type = rest;
      }
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(sample !== null, `a line that is none: ${line}`);
    const metric = metrics.get(current)!;
    assert.notEqual(metric.type, "");
    const name = sample[1]!;
    const base = metric.type === "histogram" ? name.replace(/_(bucket|sum|count)$/, "") : name;
    assert.equal(base, current, "samples stand under their own metric");
    const labels = parseLabels(sample[2] ?? "");
    const value = sample[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(sample[3]);
    assert.ok(!Number.isNaN(value), line);
    const key = keyOf(name, labels);
    assert.ok(!series.has(key), `${key} comes once`);
    series.set(key, value);
    metric.samples.push({ name, labels, value });
  }
  for (const [name, metric] of metrics) if (metric.type === "histogram") checkHistogram(name, metric, series);
  return {
    metrics,
    value(name, labels = {}) {
      const found = series.get(keyOf(name, labels));
      assert.ok(found !== undefined, `${keyOf(name, labels)} is there`);
      return found;
    },
  };
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (pair.lastIndex < text.length) {
    const found = pair.exec(text);
    assert.ok(found !== null, `labels that are none: ${text}`);
    assert.ok(!(found[1]! in labels), `a label twice: ${text}`);
    labels[found[1]!] = found[2]!.replace(/\\(.)/g, (_, escaped: string) =>
      escaped === "n" ? "\n" : escaped,
    );
  }
  return labels;
}

function checkHistogram(name: string, metric: Metric, series: Map<string, number>): void {
  let lastEdge = Number.NEGATIVE_INFINITY;
  let lastCount = 0;
  for (const sample of metric.samples) {
    if (sample.name !== `${name}_bucket`) continue;
    const { le, ...others } = sample.labels;
    const edge = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    if (lastEdge === Number.POSITIVE_INFINITY) lastCount = 0;
    else assert.ok(edge > lastEdge, "edges rise");
    lastEdge = edge;
    assert.ok(sample.value >= lastCount, "buckets are cumulative");
    lastCount = sample.value;
    if (edge === Number.POSITIVE_INFINITY)
      assert.equal(series.get(keyOf(`${name}_count`, others)), sample.value);
  }
  assert.equal(lastEdge, Number.POSITIVE_INFINITY, `${name} ends with +Inf`);
}

function keyOf(name: string, labels: Record<string, string>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}${JSON.stringify(pairs)}`;
}
