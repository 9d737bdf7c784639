// What a generator thread can say of itself: the CPU it had and the CPU it waited for, from /proc's schedstat (nanoseconds).
// Where the system does not tell, null.

import { openOsFiles, osThreadId } from "../../base/os-files.ts";
import type { GeneratorThread } from "./load-result.ts";

const SCHEDSTAT_BYTES_MAX = 256;

interface CpuTimes {
  readonly ranMs: number;
  readonly waitedMs: number;
}

export class OwnHealth {
  private readonly files = openOsFiles();
  private readonly path = `/proc/self/task/${osThreadId() ?? "unknown"}/schedstat`;
  private before: CpuTimes | null = null;
  private after: CpuTimes | null = null;
  private elapsedMs = 0;

  start(): void {
    this.before = this.readTimes();
  }

  end(elapsedMs: number): void {
    this.after = this.readTimes();
    this.elapsedMs = elapsedMs;
  }

  read(spunMs: number, loopLagMsMax: number): GeneratorThread {
    const before = this.before;
    const after = this.after;
    const elapsedMs = this.elapsedMs;
    const isKnown = before !== null && after !== null && elapsedMs > 0;
    return {
      cpuRatio: isKnown ? (after.ranMs - before.ranMs) / elapsedMs : null,
      spinRatio: elapsedMs > 0 ? spunMs / elapsedMs : 0,
      waitRatio: isKnown ? (after.waitedMs - before.waitedMs) / elapsedMs : null,
      loopLagMsMax,
    };
  }

  private readTimes(): CpuTimes | null {
    return parseSchedstat(this.files.readText(this.path, SCHEDSTAT_BYTES_MAX));
  }
}

/** `ran waited slices`, the first two in nanoseconds. */
export function parseSchedstat(text: string | null): CpuTimes | null {
  const row = /^(\d+) (\d+) /.exec(text ?? "");
  return row === null ? null : { ranMs: Number(row[1]) / 1e6, waitedMs: Number(row[2]) / 1e6 };
}
