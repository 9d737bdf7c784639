// The answer of GET /metrics: the Prometheus text format, made by prom-client from one snapshot, in whichever thread
// was asked. Every scrape fills a registry of its own: two scrapes at once cannot mix their snapshots, and
// received = stored + Σ rejected holds inside each answer. prom-client is loaded by the first scrape, so a server that
// is never scraped does not pay its memory. Without it: the four counters of the JSON form, which the origin had.
// What is not known has no sample: a Prometheus gauge has no other way to say so.

import type { Histogram } from "../base/histogram.ts";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { STAGE_SAMPLE_EVERY } from "../limits.ts";
import { STAGES } from "./counters.layout.ts";
import {
  type Figure,
  FORWARD_FIGURES,
  REASONS_METRIC,
  REPLICATION_FIGURES,
  SERVER_FIGURES,
  THREAD_FIGURES,
} from "./exposition-figures.ts";
import { headroomOf } from "./headroom.ts";
import type { ProbeSnapshot, Snapshot } from "./snapshot.ts";
import type { StatsSettings } from "./stats.ts";

export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The counters of `GET /metrics` with `Accept: application/json`. */
export interface LegacyCounters {
  metrics_received: number;
  batches_processed: number;
  validation_errors: number;
  rate_limited_requests: number;
}

export function legacyCounters(snapshot: Snapshot): LegacyCounters {
  const { stored, metricsStored, rejected } = snapshot.account;
  return {
    metrics_received: metricsStored,
    batches_processed: stored,
    validation_errors: rejected[REFUSAL.json]! + rejected[REFUSAL.batch]!,
    rate_limited_requests: rejected[REFUSAL.rate_limit]!,
  };
}

type PromClient = Pick<typeof import("prom-client"), "Registry" | "Counter" | "Gauge">;
type Registry = InstanceType<PromClient["Registry"]>;

/** The whole text. */
export async function exposeMetrics(
  snapshot: Snapshot,
  probe: ProbeSnapshot,
  settings: StatsSettings,
): Promise<string> {
  const prom = await loadPromClient();
  const registry = new prom.Registry();
  fillSettings(prom, registry, settings);
  const { account, fields } = snapshot;
  const { figures } = probe;
  for (const figure of SERVER_FIGURES) {
    fillFigure(
      prom,
      registry,
      figure,
      [],
      [{ labels: {}, value: figure.read({ account, fields, figures }) }],
    );
  }
  fillRejected(prom, registry, snapshot);
  const { replication } = settings;
  for (const figure of replication === null ? [] : REPLICATION_FIGURES)
    fillFigure(prom, registry, figure, [], [{ labels: {}, value: figure.read(replication!) }]);
  const { forwarding } = settings;
  for (const figure of forwarding === null ? [] : FORWARD_FIGURES)
    fillFigure(prom, registry, figure, [], [{ labels: {}, value: figure.read(forwarding!) }]);
  for (const figure of THREAD_FIGURES) {
    const samples = snapshot.threads.map((thread, index) => ({
      labels: { thread: String(thread.thread) },
      value: figure.read({ ...thread, cpu: probe.threads[index]! }),
    }));
    fillFigure(prom, registry, figure, ["thread"], samples);
  }
  fillHeadroom(prom, registry, snapshot, probe);
  fillHistograms(registry, snapshot);
  return registry.metrics();
}

/**
 * Only the parts that we use: the whole package, with its default metrics, cluster and push gateway, stops the thread
 * that is scraped first for 70 ms and takes 18 MiB; these take 9 ms and 5 MiB. Its version is pinned.
 */
async function loadPromClient(): Promise<PromClient> {
  const { default: Registry } = await import("prom-client/lib/registry.js");
  const { default: Counter } = await import("prom-client/lib/counter.js");
  const { default: Gauge } = await import("prom-client/lib/gauge.js");
  return { Registry, Counter, Gauge };
}

interface Sample {
  labels: Record<string, string>;
  value: number;
}

function fillFigure(
  prom: PromClient,
  registry: Registry,
  figure: Pick<Figure<never>, "name" | "help" | "type">,
  labelNames: string[],
  samples: Sample[],
): void {
  const known = samples.filter((sample) => !Number.isNaN(sample.value));
  if (known.length === 0) return; // prom-client would show an unlabelled metric that was never set as 0
  const options = { name: figure.name, help: figure.help, labelNames, registers: [registry] };
  if (figure.type === "counter") {
    const counter = new prom.Counter(options);
    for (const { labels, value } of known) counter.inc(labels, value);
  } else {
    const gauge = new prom.Gauge(options);
    for (const { labels, value } of known) gauge.set(labels, value);
  }
}

function fillSettings(prom: PromClient, registry: Registry, settings: StatsSettings): void {
  const { version, runtime, startedAtMs } = settings;
  const build = {
    name: "tidemark_build_info",
    help: "Version and runtime; always 1.",
    type: "gauge",
  } as const;
  fillFigure(prom, registry, build, ["version", "runtime"], [{ labels: { version, runtime }, value: 1 }]);
  const start = {
    name: "tidemark_start_time_seconds",
    help: "When the server started, seconds since 1970.",
    type: "gauge",
  } as const;
  fillFigure(prom, registry, start, [], [{ labels: {}, value: startedAtMs / 1e3 }]);
}

function fillRejected(prom: PromClient, registry: Registry, snapshot: Snapshot): void {
  const samples = REFUSALS.map(({ reason }, index) => ({
    labels: { reason },
    value: snapshot.account.rejected[index]!,
  }));
  fillFigure(prom, registry, REASONS_METRIC, ["reason"], samples);
}

function fillHeadroom(prom: PromClient, registry: Registry, snapshot: Snapshot, probe: ProbeSnapshot): void {
  const metric = {
    name: "tidemark_limit_use_ratio",
    help: "Use of each limit: 0 idle, 1 at the limit.",
    type: "gauge",
  } as const;
  const samples = headroomOf(snapshot, probe).limits.map(({ id, ratio }) => ({
    labels: { limit: id },
    value: ratio,
  }));
  fillFigure(prom, registry, metric, ["limit"], samples);
}

function fillHistograms(registry: Registry, snapshot: Snapshot): void {
  const { histograms } = snapshot;
  const stageSamples = STAGES.flatMap((stage) => timeSamples(STAGE_METRIC, { stage }, histograms[stage]));
  const stageHelp = `Time of a request by stage, of one request in ${STAGE_SAMPLE_EVERY}.`;
  registerHistogram(registry, STAGE_METRIC, stageHelp, stageSamples);
  const write = timeSamples("tidemark_write_seconds", {}, histograms.write);
  registerHistogram(registry, "tidemark_write_seconds", "Time of each write of a group commit.", write);
  const sync = timeSamples("tidemark_sync_seconds", {}, histograms.sync);
  registerHistogram(registry, "tidemark_sync_seconds", "Time of each fdatasync.", sync);
  const batches = bucketSamples(COMMIT_METRIC, {}, histograms.batchesPerCommit, 0, 14, (edge) => edge - 1, 1);
  registerHistogram(registry, COMMIT_METRIC, "Batches in each group commit.", batches);
}
const STAGE_METRIC = "tidemark_stage_seconds";
const COMMIT_METRIC = "tidemark_commit_batches";
/** Edges of the buckets of time: from 2^12 ns (4 µs) to 2^34 ns (17 s), each twice the one before. */
const TIME_EXPONENT_FIRST = 12;
const TIME_EXPONENT_LAST = 34;

interface NamedSample extends Sample {
  metricName: string;
}

function timeSamples(name: string, labels: Record<string, string>, histogram: Histogram): NamedSample[] {
  const seconds = (nanoseconds: number) => nanoseconds / 1e9;
  return bucketSamples(name, labels, histogram, TIME_EXPONENT_FIRST, TIME_EXPONENT_LAST, seconds, 1e9);
}

/** Our buckets have an edge at every power of two, so cumulative counts at those are exact. */
function bucketSamples(
  name: string,
  labels: Record<string, string>,
  histogram: Histogram,
  exponentFirst: number,
  exponentLast: number,
  edgeOf: (powerOfTwo: number) => number,
  sumDivisor: number,
): NamedSample[] {
  const samples: NamedSample[] = [];
  const count = histogram.count();
  for (let exponent = exponentFirst; exponent <= exponentLast; exponent++) {
    const le = String(edgeOf(2 ** exponent));
    const value = histogram.countBelowPowerOfTwo(exponent);
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value });
  }
  samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count });
  samples.push({ metricName: `${name}_sum`, labels, value: histogram.sum() / sumDivisor });
  samples.push({ metricName: `${name}_count`, labels, value: count });
  return samples;
}

/**
 * prom-client's own Histogram can only be fed observation by observation; ours is already counted. What a registry
 * asks of a metric is its name and get(), so that is what it is given.
 */
function registerHistogram(registry: Registry, name: string, help: string, values: NamedSample[]): void {
  const metric = {
    name,
    help,
    type: "histogram",
    get: async () => ({ name, help, type: "histogram", values }),
  };
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}
