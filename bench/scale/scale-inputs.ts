// What was measured for the plan, as bench/scale/measure.ts writes it to bench/results/scale-inputs.json.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MachineRecord } from "../machine.ts";

export interface BlockFigures {
  /** Of lines, at most. */
  readonly blockBytes: number;
  readonly bytesPerMetric: number;
  readonly messageBytesPerMetric: number;
  /** Of lines, by one thread. */
  readonly encodeBytesPerSecond: number;
  readonly decodeBytesPerSecond: number;
}

export interface Costs {
  /** User and system time of the three servers together, for a gigabyte of messages. */
  readonly serverCpuSecondsPerGigabyte: number;
  /** Of that, the server that leads the stream. */
  readonly leaderCpuSecondsPerGigabyte: number;
  /** Lines for each second of processor time of the process that fills or empties the stream. */
  readonly bytesPerCpuSecond: number;
}

export interface PublishFigures extends Costs {
  readonly blockBytes: number;
  readonly subjects: number;
  /** Whether each block was compressed on the way, as a follower does, or before. */
  readonly isEncoding: boolean;
  readonly blocksPerSecond: number;
  /** Of lines. */
  readonly bytesPerSecond: number;
  readonly messageBytesPerSecond: number;
  readonly roundTripMsP50: number;
  readonly roundTripMsP99: number;
}

export interface DrainFigures extends Costs {
  readonly blockBytes: number;
  readonly partitions: number;
  /** Fetched, decompressed, checked, written with one sync a fetch, and acknowledged, by one process. */
  readonly blocksPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface ScaleInputs {
  readonly title: string;
  readonly date: string;
  readonly runtime: string;
  readonly machine: MachineRecord;
  readonly settings: { readonly seconds: number; readonly rounds: number; readonly servers: number };
  /** Cores that something else used meanwhile. */
  readonly otherCores: number;
  readonly blocks: readonly BlockFigures[];
  readonly publish: readonly PublishFigures[];
  readonly drain: readonly DrainFigures[];
  /** Compare-and-set in a bucket of three replicas, one at a time. */
  readonly commit: { readonly perSecond: number; readonly roundTripMsP50: number };
}

const resultsFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), "results");
const PATH = join(resultsFolder, "scale-inputs.json");

export function readScaleInputs(): ScaleInputs {
  return JSON.parse(readFileSync(PATH, "utf8")) as ScaleInputs;
}

export function writeScaleInputs(inputs: ScaleInputs, path = PATH): void {
  writeFileSync(path, `${JSON.stringify(inputs, null, 2)}\n`);
}
