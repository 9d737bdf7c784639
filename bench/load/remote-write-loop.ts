// The bare loop that forwarding is measured against: the bodies that a forwarder would send for this data folder, made before the
// clock starts, then posted over the same number of connections, and nothing else. Prints one line of JSON.
//
//   node bench/load/remote-write-loop.ts FOLDER URL CONNECTIONS BATCH_SAMPLES
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { LineParts } from "../../src/forward/line-parts.ts";
import { LogBlock } from "../../src/forward/log-block.ts";
import { RequestBatch } from "../../src/forward/request-batch.ts";
import { SeriesCache } from "../../src/forward/series-cache.ts";
import { SnappyBuffer } from "../../src/forward/snappy.ts";

const [folder = "", url = "", connections = "4", batchSamples = "2000"] = process.argv.slice(2);
const bodies: Buffer[][] = Array.from({ length: Number(connections) }, () => []);
const samples = encodeAll();

const started = performance.now();
await Promise.all(bodies.map(post));
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ samples, seconds })}\n`);
process.exit(0);

function encodeAll(): number {
  const batches = bodies.map(() => new RequestBatch(Number(batchSamples)));
  const snappy = new SnappyBuffer();
  const cache = new SeriesCache();
  const parts = new LineParts();
  const finish = (shard: number): void => {
    const batch = batches[shard]!;
    bodies[shard]!.push(Buffer.from(snappy.compress(batch.request(0, batch.samples))));
    batch.clear();
  };
  let count = 0;
  const lane = join(folder, "lane-0");
  for (const name of readdirSync(lane).filter((entry) => entry.endsWith(".jsonl"))) {
    const block = new LogBlock();
    block.fill({ from: 0, first: 0, end: 0, bytes: readFileSync(join(lane, name)) });
    const { bytes, view } = block;
    for (let at = 0; at < bytes.length; at = parts.lineEnd + 1) {
      if (!parts.read(bytes, at, bytes.length) || !cache.find(bytes, view, parts))
        throw new Error("cannot run because a line is none of the log's");
      const shard = cache.series % batches.length;
      const batch = batches[shard]!;
      batch.add(block, at, cache.arena, cache.labelsStart, cache.labelsEnd, parts.value, parts.timestampMs);
      count++;
      if (batch.isFull) finish(shard);
    }
  }
  for (const [shard, batch] of batches.entries()) if (batch.samples > 0) finish(shard);
  return count;
}

async function post(own: readonly Buffer[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const body of own)
    await new Promise<void>((resolve, reject) => {
      const headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "Content-Length": String(body.length),
      };
      const sent = request(url, { method: "POST", agent, headers }, (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 204 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
}
