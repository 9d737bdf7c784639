// One run of a forwarder between a growing log and a real store, with kills of either meanwhile, and the store read back value
// by value. Each value is in the log once, and its series and timestamp follow from it.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { realFiles } from "../../src/log/files.ts";
import { recoverLane } from "../../src/log/recovery.ts";
import { segmentPath } from "../../src/log/segment-name.ts";
import { forwards, spawnForward } from "../support/forward-process.ts";
import { eventually, newDataFolder, pause, type ServerProcess } from "../support/server-process.ts";
import type { ReadSample, StoreProcess } from "../support/store-process.ts";

export const SERIES = 40;
const LINES_PER_APPEND = 600;
const METRIC = "killed_run_value";
const STEP_MS = 50;
/** A look reads all that the store has. */
const POLL_MS = 100;

export class KilledRun {
  readonly data = newDataFolder();
  values = 0;
  private readonly store: StoreProcess;
  private readonly flags: readonly string[];
  private readonly startMs = Date.now() - 20 * 60_000;
  private forward: ServerProcess | null = null;
  private port = 0;

  constructor(store: StoreProcess) {
    this.store = store;
    const [listen, sizes] = [
      ["--listen", "127.0.0.1:0"],
      ["--connections", "3", "--batch-samples", "200"],
    ];
    this.flags = ["--to", store.target, ...listen, ...sizes];
    mkdirSync(join(this.data, "lane-0"), { recursive: true });
  }

  /** More lines, as a sealed segment. */
  append(): void {
    const directory = join(this.data, "lane-0");
    const lines = Array.from({ length: LINES_PER_APPEND }, (_, nth) => {
      const value = this.values + nth;
      const [ts, host] = [this.timeOf(value), hostOf(value)];
      return `${JSON.stringify({ ts, name: METRIC, value, type: "gauge", tags: { host }, client: "c" })}\n`;
    });
    writeFileSync(segmentPath(directory, this.values), lines.join(""));
    recoverLane(realFiles, directory, () => {});
    this.values += LINES_PER_APPEND;
  }

  async startForward(): Promise<void> {
    this.forward = spawnForward(this.data, this.flags);
    this.port = await forwards(this.forward);
  }

  async killForward(): Promise<void> {
    await this.forward!.kill();
  }

  /** Resolves when the store has taken all that is in the log. */
  async untilTaken(): Promise<void> {
    await eventually("the store has taken what is in the log", async () => {
      const response = await fetch(`http://127.0.0.1:${this.port}/metrics`);
      return /^tidemark_forward_lag_lines 0$/m.test(await response.text());
    });
  }

  async stopForward(): Promise<void> {
    assert.deepEqual(await this.forward!.stop(), { code: 0, signal: null }, this.forward!.error);
  }

  /** Forwards the rest, until it ends by itself. */
  async forwardRest(): Promise<void> {
    const last = spawnForward(this.data, [...this.flags, "--until-end"]);
    assert.deepEqual(await last.exited, { code: 0, signal: null }, last.error);
  }

  /** Resolves when every value is in the store, in its series, at its time; fails where another is. Returns how many there are. */
  async readBack(): Promise<number> {
    const found = await eventually("the store has every value", async () => {
      await pause(POLL_MS);
      const read = await this.store.read(METRIC);
      return read !== null && valuesIn(read).size >= this.values && read;
    });
    let samples = 0;
    for (const [host, series] of found)
      for (const { ts, value } of series) {
        samples++;
        assert.ok(Number.isInteger(value) && value >= 0 && value < this.values, `${value}`);
        assert.equal(host, hostOf(value));
        assert.equal(ts, this.timeOf(value));
      }
    assert.equal(valuesIn(found).size, this.values);
    return samples;
  }

  /** The values of the dead letters. */
  letters(): number[] {
    const path = join(this.data, "dead-letter", "forward-prometheus.jsonl");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).line);
    return lines.filter(({ client }) => client === "c").map(({ value }) => value);
  }

  private timeOf(value: number): number {
    return this.startMs + value * STEP_MS;
  }
}

function hostOf(value: number): string {
  return `h${value % SERIES}`;
}

function valuesIn(read: ReadonlyMap<string, readonly ReadSample[]>): Set<number> {
  return new Set([...read.values()].flatMap((series) => series.map(({ value }) => value)));
}
