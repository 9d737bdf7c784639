// A disk that is really full, again and again, under load: by a foreign file, or by the server's own log after the foreign
// file has left little. Meanwhile batches get 503 with Retry-After, /health 200 and /ready 503; then the foreign file goes,
// and nobody does anything else.

import type { Verdict } from "../crash/ledger.ts";
import { randomFrom, wholeBetween } from "../crash/random.ts";
import { exchange } from "../support/raw-client.ts";
import { get } from "../support/requests.ts";
import { eventually, type ServerProcess, startServer } from "../support/server-process.ts";
import { type DiskKind, SmallDisk } from "./small-disk.ts";
import { TimedLoad } from "./timed-load.ts";

const MIB = 1024 * 1024;
const DISK_BYTES = 32 * MIB;
/** What the foreign file leaves, where the log is to fill the disk. */
const LEFT_BYTES = { least: MIB / 4, most: MIB };
const FLAGS = ["--threads", "1", "--rate-limit", "0", "--segment-size", "256KiB"];

export interface FullDiskRun extends Verdict {
  times: number;
  acknowledgedMetrics: number;
  refusedBatches: number;
  /** Longest from the return of space to the next 200, milliseconds. */
  againMsMax: number;
}

export async function runFullDisk(times: number, kind: DiskKind, seed: number): Promise<FullDiskRun> {
  const random = randomFrom(seed);
  const disk = await SmallDisk.make(DISK_BYTES, kind);
  const options = { data: disk.data, wrapper: disk.wrapper };
  const server = await startServer(FLAGS, options);
  const load = new TimedLoad("written", random);
  const again: number[] = [];
  load.start(server.port);
  for (let at = 0; at < times; at++) {
    disk.fill(at % 2 === 1 ? 0 : wholeBetween(random, LEFT_BYTES.least, LEFT_BYTES.most));
    again.push(await againAfter(server, load, disk));
  }
  await load.stop();
  await stopWell(server, seed);
  // what is there is what the next start finds
  await stopWell(await startServer(FLAGS, options), seed);
  const verdict = load.ledger.verify(disk.dataFromHere);
  await disk.remove();
  return {
    ...verdict,
    times,
    acknowledgedMetrics: load.ledger.acknowledgedMetrics,
    refusedBatches: load.refusals,
    againMsMax: Math.max(...again),
  };
}

/** Waits until the disk is full, sees what the server says of it, and makes room; milliseconds to the next 200. */
async function againAfter(server: ServerProcess, load: TimedLoad, disk: SmallDisk): Promise<number> {
  const refusals = load.refusals;
  await eventually("batches are refused", () => load.refusals > refusals);
  await answers(server, "/ready", 503);
  await answers(server, "/health", 200);
  const acknowledged = load.acknowledgements.length;
  const startedMs = Date.now();
  disk.free();
  await eventually("it stores again", () => load.acknowledgements.length > acknowledged);
  await answers(server, "/ready", 200);
  return load.acknowledgements[acknowledged]!.atMs - startedMs;
}

async function answers(server: ServerProcess, target: string, status: number): Promise<void> {
  await eventually(
    `${target} is ${status}`,
    async () => (await exchange(server.port, get(target))).status === status,
  );
}

async function stopWell(server: ServerProcess, seed: number): Promise<void> {
  const exit = await server.stop();
  if (exit.code !== 0) throw new Error(`the server ended with ${exit.code}: ${server.error}; seed ${seed}`);
}
