// How long a line of the log takes to be a sample in a request, and the request to be compressed; the best round counts.
//
//   node src/forward/line-to-request.bench.ts

import { LineParts } from "./line-parts.ts";
import { LogBlock } from "./log-block.ts";
import { RequestBatch } from "./request-batch.ts";
import { SeriesCache } from "./series-cache.ts";
import { SnappyBuffer } from "./snappy.ts";

const NAMES = [
  "cpu_usage",
  "memory_used",
  "disk_read_bytes",
  "load_average",
  "open_files",
  "swap_used",
  "uptime",
];
const BATCH_SAMPLES = 2_000;

interface Work {
  name: string;
  run(): number;
  nsBest: number;
}

/** Measures and prints; `small` only shows that it runs. */
export function run(small: boolean): void {
  const series = small ? 50 : 20_000;
  const blocks = makeBlocks(series);
  const fresh = new SeriesCache();
  const works = [
    { name: "line to sample", run: () => encode(blocks, fresh, null), nsBest: Number.POSITIVE_INFINITY },
    {
      name: "line to sample, and Snappy",
      run: () => encode(blocks, fresh, new SnappyBuffer()),
      nsBest: Number.POSITIVE_INFINITY,
    },
    {
      name: "line to sample, each series new",
      run: () => encode(blocks, new SeriesCache(), null),
      nsBest: Number.POSITIVE_INFINITY,
    },
  ] satisfies Work[];
  for (let round = 0; round < (small ? 1 : 40); round++)
    for (const work of works) {
      const start = process.hrtime.bigint();
      if (work.run() !== series) throw new Error(work.name);
      work.nsBest = Math.min(work.nsBest, Number(process.hrtime.bigint() - start) / series);
    }
  if (small) return;
  const runtime = process.versions.bun === undefined ? "node" : "bun";
  for (const { name, nsBest } of works)
    console.error(`${runtime} ${name.padEnd(34)} ${nsBest.toFixed(0).padStart(6)} ns`);
}

function makeBlocks(series: number): LogBlock[] {
  const lines = Array.from({ length: series }, (_, nth) => {
    const name = NAMES[nth % NAMES.length];
    const host = `web${Math.floor(nth / NAMES.length)}`;
    return `{"ts":${1763890000000 + nth},"name":"${name}","value":${((nth * 37) % 100_000) / 100},"type":"gauge","tags":{"host":"${host}"},"client":"agent-1"}\n`;
  });
  const blocks: LogBlock[] = [];
  for (let from = 0; from < series; from += BATCH_SAMPLES) {
    const some = lines.slice(from, from + BATCH_SAMPLES);
    const block = new LogBlock();
    block.fill({ from, first: from, end: from + some.length, bytes: Buffer.from(some.join("")) });
    blocks.push(block);
  }
  return blocks;
}

const parts = new LineParts();
const batch = new RequestBatch(BATCH_SAMPLES);

function encode(blocks: readonly LogBlock[], cache: SeriesCache, snappy: SnappyBuffer | null): number {
  let samples = 0;
  for (const block of blocks) {
    const { bytes, view } = block;
    for (let at = 0; at < bytes.length; at = parts.lineEnd + 1) {
      if (!parts.read(bytes, at, bytes.length) || !cache.find(bytes, view, parts)) throw new Error("no line");
      batch.add(block, at, cache.arena, cache.labelsStart, cache.labelsEnd, parts.value, parts.timestampMs);
      samples++;
      if (!batch.isFull) continue;
      snappy?.compress(batch.request(0, batch.samples));
      batch.clear();
    }
  }
  batch.clear();
  return samples;
}

if (import.meta.main) run(false);
