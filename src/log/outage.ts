// While a disk is full or failing, its lane refuses at once and lets one commit try, now and then. This keeps the state of
// that: which refusal is answered, since when, and when the next probe is due.
// HOT: `refusal` is read once a request, the rest only during an outage.

import type { Clock } from "../base/clock.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import { DISK_PROBE_INTERVAL_MS } from "../limits.ts";
import type { FileError } from "./files.ts";
import type { LaneEvent } from "./lane-options.ts";
import { STORED } from "./waiter-group.ts";

export class Outage {
  private readonly clock: Clock;
  private readonly onEvent: (event: LaneEvent) => void;
  /** What is answered, or STORED while all is well. */
  refusal: Refusal | typeof STORED = STORED;
  private sinceMs = 0;
  private probeAtMs = 0;

  constructor(clock: Clock, onEvent: (event: LaneEvent) => void) {
    this.clock = clock;
    this.onEvent = onEvent;
  }

  /** After an error the first probe may come at once; a full disk is given the interval. */
  begin(refusal: Refusal, error: Error): void {
    if (this.refusal === refusal) return;
    const nowMs = this.clock.monotonicMs();
    if (this.refusal === STORED) {
      this.sinceMs = nowMs;
      this.probeAtMs = refusal === REFUSAL.disk ? nowMs : nowMs + DISK_PROBE_INTERVAL_MS;
    }
    this.refusal = refusal;
    this.onEvent({ kind: "outage", refusal, error });
  }

  isProbeDue(): boolean {
    return this.clock.monotonicMs() >= this.probeAtMs;
  }

  /** A batch has joined a commit that will show how the disk is. */
  probed(): void {
    this.probeAtMs = this.clock.monotonicMs() + DISK_PROBE_INTERVAL_MS;
  }

  end(): void {
    const refusal = this.refusal;
    this.refusal = STORED;
    this.onEvent({ kind: "outage_over", refusal, ms: this.clock.monotonicMs() - this.sinceMs });
  }
}

/** Whether an error of a write says that the disk is full, or that something is wrong with it. */
export function refusalOf(error: FileError): Refusal {
  const full = error.code === "ENOSPC" || error.code === "EDQUOT" || error.code === "EFBIG";
  return full ? REFUSAL.disk_full : REFUSAL.disk;
}
