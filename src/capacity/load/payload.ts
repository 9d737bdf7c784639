// Made-up batches in the server's JSON, as a fleet would send them: every batch comes from one of a fleet's hosts, whose
// region and service stay what they are, and holds metrics that such a host has, with plausible values. Drawn from a seed,
// so that two runs send the same. Timestamps are left to the server, for a batch is sent many times.

import { Random } from "./random.ts";

export interface BatchesOptions {
  readonly seed: number;
  /** In each batch, at least 1. */
  readonly metrics: number;
  /** How many batches; as many as are worth their memory without it. */
  readonly count?: number;
}

const HOSTS = 200;
/** Enough that nothing repeats within a processor's caches by chance, as long as they are small. */
const BATCHES_MAX = 256;
const BATCHES_MIN = 4;
/** Together, about; each thread has a copy. */
const BATCHES_BYTES = 2 * 1024 * 1024;

const REGIONS = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1"];
const SERVICES = ["checkout", "catalog", "search", "payments", "sessions", "mail", "images", "gateway"];
const METHODS = ["GET", "POST", "PUT"];
const DEVICES = ["sda1", "nvme0n1p2"];

interface Host {
  readonly name: string;
  readonly region: string;
  readonly service: string;
}

interface Kind {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram" | "summary";
  value(random: Random): number;
  /** Tags beside the host's own. */
  tags?(random: Random): Record<string, string>;
}

const KINDS: readonly Kind[] = [
  { name: "cpu_usage_percent", type: "gauge", value: (random) => round(random.next() * 100, 2) },
  { name: "load_average_1m", type: "gauge", value: (random) => round(random.next() ** 3 * 16, 2) },
  { name: "memory_used_bytes", type: "gauge", value: (random) => 4096 * random.below(8_000_000) },
  {
    name: "disk_free_bytes",
    type: "gauge",
    value: (random) => 4096 * random.below(200_000_000),
    tags: (random) => ({ device: random.pick(DEVICES) }),
  },
  { name: "network_sent_bytes_total", type: "counter", value: (random) => random.below(900_000_000_000) },
  { name: "network_received_bytes_total", type: "counter", value: (random) => random.below(900_000_000_000) },
  {
    name: "http_requests_total",
    type: "counter",
    value: (random) => random.below(90_000_000),
    tags: (random) => ({ method: random.pick(METHODS), status: random.next() < 0.97 ? "200" : "500" }),
  },
  {
    name: "http_request_duration_ms",
    type: "histogram",
    value: (random) => round(-40 * Math.log(1 - random.next()), 3),
    tags: (random) => ({ method: random.pick(METHODS) }),
  },
  { name: "queue_depth", type: "gauge", value: (random) => random.below(random.next() < 0.9 ? 20 : 5_000) },
  { name: "gc_pause_ms", type: "summary", value: (random) => round(random.next() ** 4 * 120, 3) },
];

/** Bodies for POST /metrics. */
export function makeBatches({ seed, metrics, count }: BatchesOptions): Uint8Array[] {
  const random = new Random(seed);
  const hosts = Array.from({ length: HOSTS }, (_, index) => newHost(random, index));
  const batches = [makeBatch(random, hosts, metrics)];
  const wanted = count ?? Math.floor(BATCHES_BYTES / batches[0]!.length);
  const bounded = count ?? Math.min(BATCHES_MAX, Math.max(BATCHES_MIN, wanted));
  while (batches.length < bounded) batches.push(makeBatch(random, hosts, metrics));
  return batches;
}

function newHost(random: Random, index: number): Host {
  const service = random.pick(SERVICES);
  return { name: `${service}-${String(index).padStart(3, "0")}`, region: random.pick(REGIONS), service };
}

function makeBatch(random: Random, hosts: readonly Host[], metrics: number): Uint8Array {
  const { name: host, region, service } = random.pick(hosts);
  const first = random.below(KINDS.length);
  const list = Array.from({ length: metrics }, (_, index) => {
    const kind = KINDS[(first + index) % KINDS.length]!;
    const tags = { host, region, service, ...kind.tags?.(random) };
    return { name: kind.name, value: kind.value(random), type: kind.type, tags };
  });
  return new TextEncoder().encode(JSON.stringify({ metrics: list }));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
