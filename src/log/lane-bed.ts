// For tests: a lane in a folder of its own, with a clock that is set by hand, faulty files, and notes of what was settled.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultyFiles } from "./faulty-files.ts";
import { ACK_ACCEPTED } from "./files.ts";
import { Lane } from "./lane.ts";
import type { LaneEvent, LaneOptions } from "./lane-options.ts";
import type { RecoveryReport } from "./recovery.ts";
import { segmentPath, segmentsAmong } from "./segment-name.ts";
import { STORED } from "./waiter-group.ts";

export interface Settlement {
  waiter: string | null;
  tag: number;
  level: number;
  refusal: number;
}

export class LaneBed {
  readonly root = mkdtempSync(join(tmpdir(), "tidemark-lane-"));
  readonly directory = join(this.root, "lane-0");
  readonly files = new FaultyFiles();
  nowMs = 1000;
  readonly clock = { wallMs: () => Date.now(), monotonicMs: () => this.nowMs };
  readonly settled: Settlement[] = [];
  /** One for each call of `settled`: how many waiters it had. */
  readonly calls: number[] = [];
  readonly events: LaneEvent[] = [];
  onSettled: () => void = () => {};
  lane!: Lane<string>;
  private serial = 0;

  open(options: Partial<LaneOptions<string>> = {}): RecoveryReport {
    this.lane = new Lane<string>({
      directory: this.directory,
      files: this.files,
      clock: this.clock,
      handler: {
        settled: (waiters, tags, levels, count, refusal) => {
          this.calls.push(count);
          for (let at = 0; at < count; at++)
            this.settled.push({ waiter: waiters[at]!, tag: tags[at]!, level: levels[at]!, refusal });
          this.onSettled();
        },
      },
      bufferBytes: 4096,
      segmentBytesMax: 1 << 20,
      segmentAgeMsMax: 3_600_000,
      syncIntervalMs: 20,
      schedule: setImmediate,
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    return this.lane.open();
  }

  /** A line that nothing else has, `bytes` long where that is given. */
  line(bytes = 0): string {
    const start = `{"ts":${1_700_000_000_000 + this.serial},"name":"m${this.serial++}","pad":"`;
    return `${start}${"x".repeat(Math.max(0, bytes - start.length - 3))}"}\n`;
  }

  /** Reserves and appends; what tryReserve said. */
  append(lines: string, level: number, waiter: string): number {
    const bytes = Buffer.from(lines);
    const outcome = this.lane.tryReserve(bytes.length, level);
    if (outcome !== STORED) return outcome;
    this.lane.buffer.set(bytes, this.lane.position);
    const count = lines.split("\n").length - 1;
    const first = JSON.parse(lines.slice(0, lines.indexOf("\n"))).ts as number;
    const named = level === ACK_ACCEPTED ? null : waiter;
    this.lane.append(this.lane.position + bytes.length, count, first, first + count - 1, level, named);
    return outcome;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.lane.close(resolve));
  }

  refusalOf(waiter: string): number | undefined {
    return this.settled.find((settlement) => settlement.waiter === waiter)?.refusal;
  }

  segments(): number[] {
    return segmentsAmong(readdirSync(this.directory));
  }

  text(firstSequence = this.segments()[0]!): string {
    return readFileSync(segmentPath(this.directory, firstSequence), "latin1");
  }

  /** All lines of all segments, in order. */
  allText(): string {
    return this.segments()
      .map((sequence) => this.text(sequence))
      .join("");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until `condition` holds; an error after ten seconds, so that a hang has a name. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
