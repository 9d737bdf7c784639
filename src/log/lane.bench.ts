// What a lane costs and carries: batches of a few lines, group by group, at each level; and commits of 1.7 MB, as 16
// connections with 1,000-metric batches make them. Prints batches and megabytes a second, and the CPU of the process (all
// of its threads, the kernel's part too) for each, from files in the folder for temporary ones.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "../base/clock.ts";
import {
  DIRECT_BYTES_MIN,
  LANE_BUFFER_BYTES,
  SEGMENT_AGE_MS_MAX,
  SEGMENT_BYTES_MAX,
  SYNC_INTERVAL_MS,
} from "../limits.ts";
import { ACK_SYNCED, ACK_WRITTEN, type LogFiles, realFiles } from "./files.ts";
import { Lane } from "./lane.ts";
import type { LaneHandler } from "./waiter-group.ts";

interface Load {
  name: string;
  level: number;
  lines: number;
  /** Batches that are always under way. */
  clients: number;
  batches: number;
  directBytesMin: number;
}

const LOADS: Load[] = [
  {
    name: "3 lines, written, 64 clients",
    level: ACK_WRITTEN,
    lines: 3,
    clients: 64,
    batches: 200_000,
    directBytesMin: DIRECT_BYTES_MIN,
  },
  {
    name: "3 lines, synced, 256 clients",
    level: ACK_SYNCED,
    lines: 3,
    clients: 256,
    batches: 100_000,
    directBytesMin: DIRECT_BYTES_MIN,
  },
  {
    name: "1,000 lines, all through the page cache",
    level: ACK_WRITTEN,
    lines: 1000,
    clients: 16,
    batches: 6_000,
    directBytesMin: Infinity,
  },
  {
    name: "1,000 lines, mostly past the page cache",
    level: ACK_WRITTEN,
    lines: 1000,
    clients: 16,
    batches: 6_000,
    directBytesMin: DIRECT_BYTES_MIN,
  },
];

export async function run(small: boolean): Promise<void> {
  for (const round of small ? [1] : [1, 2, 3]) {
    for (const load of LOADS) {
      const root = mkdtempSync(join(tmpdir(), "tidemark-lane-bench-"));
      try {
        const batches = small ? load.clients * 2 : load.batches;
        report(round, load.name, await measure(realFiles, join(root, "lane-0"), { ...load, batches }));
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    }
  }
}

interface Figures {
  batches: number;
  bytes: number;
  commits: number;
  wallMs: number;
  cpuMs: number;
}

/** Clients in a closed loop: each sends its next batch as soon as its last one is settled. */
class Clients implements LaneHandler<number> {
  lane!: Lane<number>;
  left: number;
  settledCount = 0;
  bytes = 0;
  private readonly level: number;
  private readonly batch: Uint8Array;
  private readonly lines: number;

  constructor(load: Load, batch: Uint8Array) {
    this.left = load.batches;
    this.level = load.level;
    this.lines = load.lines;
    this.batch = batch;
  }

  send(client: number): void {
    if (this.left === 0) return;
    if (this.lane.tryReserve(this.batch.length) >= 0) throw new Error("cannot send because the lane refused");
    this.left--;
    this.lane.buffer.set(this.batch, this.lane.position);
    const end = this.lane.position + this.batch.length;
    this.lane.append(end, this.lines, 1_763_890_000_000, 1_763_890_000_000, this.level, client);
  }

  settled(
    waiters: readonly (number | null)[],
    _tags: readonly number[],
    _levels: readonly number[],
    count: number,
  ): void {
    this.settledCount += count;
    this.bytes += count * this.batch.length;
    for (let at = 0; at < count; at++) this.send(waiters[at]!);
  }
}

export async function measure(files: LogFiles, directory: string, load: Load): Promise<Figures> {
  const line = `{"ts":1763890000000,"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"client":"agent-1"}\n`;
  const clients = new Clients(load, Buffer.from(line.repeat(load.lines)));
  const lane = new Lane<number>({
    directory,
    files,
    clock: realClock,
    handler: clients,
    bufferBytes: LANE_BUFFER_BYTES,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    segmentAgeMsMax: SEGMENT_AGE_MS_MAX,
    syncIntervalMs: SYNC_INTERVAL_MS,
    directBytesMin: load.directBytesMin,
    schedule: setImmediate,
    onEvent: () => {},
  });
  clients.lane = lane;
  lane.open();
  const started = realClock.monotonicMs();
  const cpu = process.cpuUsage();
  for (let client = 0; client < load.clients; client++) clients.send(client);
  while (clients.settledCount < load.batches) await new Promise((resolve) => setTimeout(resolve, 1));
  const used = process.cpuUsage(cpu);
  const wallMs = realClock.monotonicMs() - started;
  await new Promise<void>((resolve) => lane.close(resolve));
  const cpuMs = (used.user + used.system) / 1000;
  return { batches: load.batches, bytes: clients.bytes, commits: lane.commits, wallMs, cpuMs };
}

function report(round: number, name: string, figures: Figures): void {
  const { batches, bytes, commits, wallMs, cpuMs } = figures;
  const perS = Math.round(batches / (wallMs / 1000));
  const megabytes = bytes / 1e6;
  console.error(
    `round ${round}  ${name}: ${perS} batches/s, ${(megabytes / (wallMs / 1000)).toFixed(0)} MB/s, ` +
      `${(bytes / commits / 1000).toFixed(1)} KB a commit, ${((cpuMs * 1000) / batches).toFixed(2)} us CPU a batch, ` +
      `${(cpuMs / megabytes).toFixed(2)} ms CPU a MB`,
  );
}

if (import.meta.main) await run(false);
