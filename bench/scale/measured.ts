// What was measured, in the few figures that the plan needs. Each comes from a file in bench/results, which a committed
// program wrote: small.json and large.json (`npm run bench`), scale-inputs.json (`npm run scale -- measure`).
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RateFigures } from "../result.ts";
import { encodeTidemark, makeBatches } from "../workload.ts";
import { readScaleInputs, type ScaleInputs } from "./scale-inputs.ts";

export interface Measured {
  /** By one thread that has a core. */
  readonly largeMetricsPerSecond: number;
  readonly smallMetricsPerSecond: number;
  /** Of a request's body, batches of 1,000. */
  readonly requestBytesPerMetric: number;
  /** In the log, and in the stream. */
  readonly bytesPerMetric: number;
  readonly messageBytesPerMetric: number;
  readonly blockBytes: number;
  /** Lines that one thread reads, compresses and publishes for each second of processor time. */
  readonly followerBytesPerSecond: number;
  /** A full block to a stream of three replicas, one lane, compression included. */
  readonly laneRoundTripMs: number;
  readonly leaderCpuSecondsPerGigabyte: number;
  /** With blocks of 64 KiB; what follows is of full ones, as what comes before. */
  readonly smallBlockLeaderCpuSecondsPerGigabyte: number;
  readonly publishCpuSecondsPerGigabyte: number;
  readonly drainCpuSecondsPerGigabyte: number;
  /** Lines that one drain takes, checks, writes and acknowledges for each second of processor time. */
  readonly drainBytesPerSecond: number;
  readonly commitMs: number;
  /** What a VictoriaMetrics takes on one core. */
  readonly storeMetricsPerSecond: number;
}

const resultsFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), "results");

export function readMeasured(): Measured {
  const large = readRates("large");
  const small = readRates("small");
  return {
    largeMetricsPerSecond: rateOf(large, "tidemark-bun"),
    smallMetricsPerSecond: rateOf(small, "tidemark-bun"),
    requestBytesPerMetric: encodeTidemark(makeBatches(1, 1_000, 1_763_890_000_000)[0]!).length / 1_000,
    storeMetricsPerSecond: rateOf(large, "victoria-metrics"),
    ...fromInputs(readScaleInputs()),
  };
}

/** Full blocks: below them a stream has room left, and a lane that has to wait for it sends fuller ones. */
function fromInputs({ blocks, publish, drain, commit }: ScaleInputs) {
  const full = blocks.toSorted((a, b) => b.blockBytes - a.blockBytes)[0]!;
  const { blockBytes } = full;
  const published = publish.filter((each) => each.blockBytes === blockBytes && each.isEncoding);
  const lone = published.toSorted((a, b) => a.subjects - b.subjects)[0]!;
  const busy = published.toSorted((a, b) => b.subjects - a.subjects)[0]!;
  const small = publish
    .filter((each) => each.blockBytes < blockBytes && each.isEncoding)
    .toSorted((a, b) => b.subjects - a.subjects)[0]!;
  const drained = drain
    .filter((each) => each.blockBytes === blockBytes)
    .toSorted((a, b) => b.partitions - a.partitions)[0]!;
  return {
    bytesPerMetric: full.bytesPerMetric,
    messageBytesPerMetric: full.messageBytesPerMetric,
    blockBytes,
    followerBytesPerSecond: busy.bytesPerCpuSecond,
    laneRoundTripMs: 1_000 / lone.blocksPerSecond,
    leaderCpuSecondsPerGigabyte: busy.leaderCpuSecondsPerGigabyte,
    smallBlockLeaderCpuSecondsPerGigabyte: small.leaderCpuSecondsPerGigabyte,
    publishCpuSecondsPerGigabyte: busy.serverCpuSecondsPerGigabyte,
    drainCpuSecondsPerGigabyte: drained.serverCpuSecondsPerGigabyte,
    drainBytesPerSecond: drained.bytesPerCpuSecond,
    commitMs: commit.roundTripMsP50,
  };
}

function readRates(scenario: string): readonly RateFigures[] {
  const text = readFileSync(join(resultsFolder, `${scenario}.json`), "utf8");
  return (JSON.parse(text) as { figures: RateFigures[] }).figures;
}

function rateOf(figures: readonly RateFigures[], name: string): number {
  const found = figures.find(({ contender }) => contender.startsWith(name));
  if (found?.median == null)
    throw new Error(`cannot plan because bench/results has no rate of ${name}; try npm run bench`);
  return found.median.metricsPerSecond;
}
