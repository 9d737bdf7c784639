// How long a batch takes to decode, beside JSON.parse with the same checks, in interleaved rounds; the best round counts.
//
//   node src/metric/batch-decoder.bench.ts

import { BATCH_METRICS_MAX_DEFAULT } from "../limits.ts";
import { BatchDecoder, linesBytesMax } from "./batch-decoder.ts";
import { bodyOf, randomOf, type SampleMetric, type Spelling, TIGHT, TYPES } from "./batch-samples.ts";

const RECEIVED_AT_MS = 1763890000123;
/** As Python's json.dumps writes. */
const SPACED = "spaced";
const NAMES = ["cpu_usage", "memory_used_bytes", "disk_io", "http_requests_total"];
const client = new TextEncoder().encode("agent-1");
const encoder = new TextEncoder();

interface Work {
  name: string;
  metrics: number;
  run(): number;
  nsBest: number;
}

/** Measures and prints; `small` only shows that it runs. */
export function run(small: boolean): void {
  const works = [
    decoding("3 metrics", 3, TIGHT),
    parsing("3 metrics, JSON.parse", 3),
    decoding("1000 metrics", 1000, TIGHT),
    decoding("1000 metrics, all of one host", 1000, TIGHT, 1),
    decoding("1000 metrics, spaces after : and ,", 1000, SPACED),
    decoding("1000 metrics, any key order", 1000, { white: 0, escapes: 0, shuffle: 1 }),
    decoding("1000 metrics, escapes", 1000, { white: 0, escapes: 0.1, shuffle: 0 }),
    parsing("1000 metrics, JSON.parse", 1000),
  ];
  const rounds = small ? 1 : 60;
  const metricsPerRound = small ? 3 : 40_000;
  for (let round = 0; round < rounds; round++)
    for (const work of works) {
      const times = Math.ceil(metricsPerRound / work.metrics);
      const start = process.hrtime.bigint();
      for (let time = 0; time < times; time++) if (work.run() !== work.metrics) throw new Error(work.name);
      const ns = Number(process.hrtime.bigint() - start) / times;
      if (ns < work.nsBest) work.nsBest = ns;
    }
  if (small) return;
  const runtime = process.versions.bun === undefined ? "node" : "bun";
  for (const { name, metrics, nsBest } of works)
    console.error(
      `${runtime} ${name.padEnd(36)} ${(nsBest / 1000).toFixed(2).padStart(8)} µs/batch ${((metrics / nsBest) * 1000).toFixed(2).padStart(6)} M metrics/s`,
    );
}

/** Decodes metrics of so many hosts, spelled so. */
function decoding(name: string, metrics: number, spelling: Spelling | typeof SPACED, hosts = 17): Work {
  const decoder = new BatchDecoder(BATCH_METRICS_MAX_DEFAULT);
  const body = encoder.encode(
    spelling === SPACED
      ? bodyOf(samples(metrics, hosts), TIGHT, randomOf(1)).replaceAll(/([:,])(?=["{\d])/g, "$1 ")
      : bodyOf(samples(metrics, hosts), spelling, randomOf(1)),
  );
  const out = new Uint8Array(linesBytesMax(body.length, BATCH_METRICS_MAX_DEFAULT, client.length));
  const decode = () => decoder.decode(body, 0, body.length, out, 0, RECEIVED_AT_MS, client);
  return { name, metrics, run: decode, nsBest: Number.POSITIVE_INFINITY };
}

/** What the decoder replaces: UTF-8 to a string, JSON.parse, the checks, and JSON.stringify of each line. */
function parsing(name: string, metrics: number): Work {
  const body = encoder.encode(bodyOf(samples(metrics, 17), TIGHT, randomOf(1)));
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const parse = () => {
    const batch = JSON.parse(utf8.decode(body));
    let lines = "";
    for (const metric of batch.metrics) {
      const known =
        typeof metric.name === "string" && Number.isFinite(metric.value) && TYPES.includes(metric.type);
      if (!known || !Object.values(metric.tags).every((tag) => typeof tag === "string")) return 0;
      const { timestamp: ts, name, value, type, tags } = metric;
      lines += `${JSON.stringify({ ts, name, value, type, tags, client: "agent-1" })}\n`;
    }
    return lines === "" ? 0 : batch.metrics.length;
  };
  return { name, metrics, run: parse, nsBest: Number.POSITIVE_INFINITY };
}

function samples(count: number, hosts: number): SampleMetric[] {
  return Array.from({ length: count }, (_, index) => ({
    name: NAMES[index % NAMES.length]!,
    value: String([75.5, 1234567, 0.25, 88][index % 4]! + index),
    type: TYPES[index % 4]!,
    tags: [
      ["host", `web${index % hosts}`],
      ["region", "eu-west-1"],
    ],
    timestamp: 1763890000000 + index,
  }));
}

if (import.meta.main) run(false);
