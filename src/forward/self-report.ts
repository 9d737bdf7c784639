// The forwarder's own figures on their way to the store, as a block of lines beside those of the log: every FORWARD_REPORT_MS, and
// not before the last report is with the store.

import { FORWARD_REPORT_MS } from "../limits.ts";
import { type ForwardFigures, linesOf } from "./forward-figures.ts";
import { LogBlock } from "./log-block.ts";

export class SelfReport {
  private readonly tags: Readonly<Record<string, string>>;
  private block = new LogBlock();
  private writtenMs = 0;

  constructor(tags: Readonly<Record<string, string>>) {
    this.tags = tags;
  }

  /** A block to be sent, or null where it is too early. */
  tryWrite(figures: () => ForwardFigures, nowMs: number): LogBlock | null {
    if (nowMs - this.writtenMs < FORWARD_REPORT_MS || !this.block.isDone) return null;
    this.writtenMs = nowMs;
    this.block.fill({ from: 0, first: 0, end: 0, bytes: Buffer.from(linesOf(figures(), this.tags, nowMs)) });
    return this.block;
  }

  /** What was under way is given up. */
  forget(): void {
    this.block = new LogBlock();
  }
}
