// What a simulated run sent, what it was answered, and so what must be there after a crash, and what must not.
// Every line carries a number of its own, in the order in which they were sent.

import { SYNC_INTERVAL_MS } from "../../src/limits.ts";
import { ACK_SYNCED, ACK_WRITTEN } from "../../src/log/files.ts";

/** Clocks are sums of floats. */
const EPSILON_MS = 0.001;

export interface SentBatch {
  readonly first: number;
  readonly last: number;
  readonly level: number;
  /** When it was answered 200, by the model's clock, and for how long syncs had been running until then; -1 for not. */
  storedMs: number;
  storedSyncingMs: number;
  /** Syncs that had failed when it was sent: one more, and a refusal may be for that. */
  readonly syncsFailed: number;
  /** Its write failed and that is what it was told. */
  refused: boolean;
  /** A sync of its segment failed: it may be there or not when the power goes. */
  doubtful: boolean;
}

/** What a crash may not take and may not bring back. */
export interface Obligations {
  readonly present: readonly SentBatch[];
  readonly absent: readonly SentBatch[];
  /** Lines that a finished recovery had left there. */
  readonly kept: ReadonlySet<number>;
}

export class SentBatches {
  readonly lines: string[] = [];
  /** Those of the life at hand; older ones are in `kept` where they are anywhere. */
  private batches: SentBatch[] = [];
  private kept = new Set<number>();
  /** Retention has deleted these; a power cut may bring them back. */
  private readonly deleted = new Set<number>();

  make(
    lines: number,
    lineBytes: number,
    level: number,
    syncsFailed: number,
  ): { batch: SentBatch; text: string; timestampMs: number } {
    const first = this.lines.length;
    for (let at = 0; at < lines; at++) {
      const start = `{"ts":${1_700_000_000_000 + this.lines.length},"name":"s${this.lines.length}","pad":"`;
      this.lines.push(`${start}${"x".repeat(Math.max(0, lineBytes - start.length - 3))}"}`);
    }
    const batch = {
      first,
      last: this.lines.length - 1,
      level,
      storedMs: -1,
      storedSyncingMs: 0,
      syncsFailed,
      refused: false,
      doubtful: false,
    };
    return { batch, text: `${this.lines.slice(first).join("\n")}\n`, timestampMs: 1_700_000_000_000 + first };
  }

  sent(batch: SentBatch): void {
    this.batches.push(batch);
  }

  /** A sync failed of a segment that holds these lines. */
  doubt(lines: Iterable<number>): void {
    const all = new Set(lines);
    for (const batch of this.batches)
      for (let line = batch.first; line <= batch.last; line++) if (all.has(line)) batch.doubtful = true;
  }

  deleteBySettings(lines: Iterable<number>): void {
    for (const line of lines) this.deleted.add(line);
  }

  isDeleted(line: number): boolean {
    return this.deleted.has(line);
  }

  /** What must be there if the process dies now. */
  afterKill(): Obligations {
    return {
      present: this.batches.filter((batch) => batch.storedMs >= 0 && batch.level >= ACK_WRITTEN),
      absent: this.batches.filter((batch) => batch.refused),
      kept: this.kept,
    };
  }

  /**
   * What must be there if the power goes now. Of `written`: no byte is unsynced for longer than SYNC_INTERVAL_MS in which no
   * sync was running; while one is running the next cannot begin.
   */
  afterPowerCut(nowMs: number, syncingMs: number): Obligations {
    const isBound = (batch: SentBatch): boolean => {
      if (batch.storedMs < 0 || batch.level < ACK_WRITTEN) return false;
      if (batch.level === ACK_SYNCED) return true;
      const idleMs = nowMs - batch.storedMs - (syncingMs - batch.storedSyncingMs);
      return !batch.doubtful && idleMs > SYNC_INTERVAL_MS + EPSILON_MS;
    };
    return {
      present: this.batches.filter(isBound),
      absent: this.batches.filter((batch) => batch.refused),
      kept: this.kept,
    };
  }

  /** A recovery has finished and left these lines: from here on nothing takes them. */
  recovered(lines: Iterable<number>): void {
    this.batches = [];
    this.kept = new Set(lines);
  }
}
