// A stretch of one lane's lines that is on its way: its bytes stay until the store has taken all of it, for what it refuses
// goes to the dead letters as it was. Its memory is used again for another.

import type { LaneBlock } from "../follow/lane-reader.ts";
import { RUN_SLACK_BYTES } from "./runs.ts";

const LF = 0x0a;

export class LogBlock {
  /** The numbers of the lane that this covers. */
  from = 0;
  end = 0;
  bytes: Buffer = Buffer.alloc(0);
  /** Over the same memory, with some behind it that may be read. */
  view: DataView = new DataView(new ArrayBuffer(RUN_SLACK_BYTES));
  /** How much of it has been made into samples. */
  at = 0;
  /** Samples that are not settled yet. */
  pending = 0;
  private memory = Buffer.alloc(0);

  /** Takes a copy: the reader's block is the reader's. */
  fill({ from, end, bytes }: LaneBlock): void {
    this.from = from;
    this.end = end;
    this.at = 0;
    this.pending = 0;
    if (this.memory.length < bytes.length + RUN_SLACK_BYTES)
      this.memory = Buffer.allocUnsafeSlow(bytes.length + RUN_SLACK_BYTES);
    this.memory.set(bytes);
    this.bytes = this.memory.subarray(0, bytes.length);
    this.view = new DataView(this.memory.buffer);
  }

  get isRead(): boolean {
    return this.at === this.bytes.length;
  }

  get isDone(): boolean {
    return this.isRead && this.pending === 0;
  }

  /** The line that begins there, without its line feed. */
  line(at: number): string {
    return this.bytes.toString("utf8", at, this.bytes.indexOf(LF, at));
  }
}
