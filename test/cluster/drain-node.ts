// One drain of the bed: a store, and a process that drains into it, through all of its lives.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { drains, spawnDrain } from "../support/drain-process.ts";
import { segmentFiles } from "../support/log-files.ts";
import { newDataFolder, pause, type ServerProcess } from "../support/server-process.ts";
import { tail } from "./ingest-node.ts";

/** For the NATS nodes to come back, milliseconds. */
const STARTING_MS_MAX = 120_000;
const STARTED_AGAIN_MS = 500;

export class DrainNode {
  readonly data = newDataFolder();
  private readonly servers: string;
  private readonly stream: string;
  private process: ServerProcess | null = null;
  isPaused = false;

  constructor(servers: string, stream: string) {
    this.servers = servers;
    this.stream = stream;
  }

  get isRunning(): boolean {
    return this.process !== null;
  }

  get said(): string {
    return tail(this.process?.error ?? "");
  }

  /** Resolves when it drains. One that finds no NATS server ends, and is started again as a service manager would. */
  async start(): Promise<void> {
    const deadline = performance.now() + STARTING_MS_MAX;
    for (;;) {
      const started = spawnDrain(this.servers, this.stream, this.data);
      this.process = started;
      try {
        return await drains(started);
      } catch (error) {
        const isAway = started.hasExited && /^cannot reach NATS at /m.test(started.error);
        if (!isAway || performance.now() > deadline) throw error;
        await pause(STARTED_AGAIN_MS);
      }
    }
  }

  async kill(): Promise<void> {
    const ended = this.process;
    this.process = null;
    this.isPaused = false;
    await ended?.kill();
  }

  /** SIGTERM, and the good end that it must bring. */
  async term(): Promise<void> {
    const ended = this.process;
    if (ended === null) return;
    const exit = await ended.stop();
    this.process = null;
    assert.deepEqual(exit, { code: 0, signal: null }, `a drain after SIGTERM: ${tail(ended.error)}`);
  }

  pause(): void {
    this.process?.signal("SIGSTOP");
    this.isPaused = true;
  }

  resume(): void {
    this.process?.signal("SIGCONT");
    this.isPaused = false;
  }

  /** Bytes in its store, by partition. */
  bytes(): Map<number, number> {
    const bytes = new Map<number, number>();
    try {
      for (const { lane, file } of segmentFiles(this.data))
        bytes.set(lane, (bytes.get(lane) ?? 0) + statSync(file).size);
    } catch {
      // No store yet.
    }
    return bytes;
  }

  /** The partitions of which it has more than that. */
  grownSince(before: ReadonlyMap<number, number>): number[] {
    return [...this.bytes()].filter(([lane, bytes]) => bytes > (before.get(lane) ?? 0)).map(([lane]) => lane);
  }
}
