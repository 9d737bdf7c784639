// The blocks of one of a follower's loops, in order, the one after the next made ready while the next is under way: reading and
// compressing half a megabyte takes about as long as its way to three servers and back.

import { FOLLOW_BLOCK_BYTES_MAX } from "../limits.ts";
import type { LaneBlock, LaneReader } from "./lane-reader.ts";

/** Where the blocks of a lane go. */
export interface BlockSink {
  /**
   * Makes of the block what will be sent; its bytes are the reader's again when this returns. The call of the result sends it,
   * and resolves when the block is where it belongs, for good.
   */
  prepare(block: LaneBlock): () => Promise<void>;
}

export interface Prepared {
  from: number;
  end: number;
  bytes: number;
  send(): Promise<void>;
}

/** From this size on a block counts as full: the next line had no room. */
const FULL_BYTES_MIN = FOLLOW_BLOCK_BYTES_MAX * 0.9;

/** The next blocks of one loop, the one after the next prepared ahead. */
export class BlocksAhead {
  private readonly reader: LaneReader;
  private readonly sink: BlockSink;
  private prepared: Prepared | null = null;

  constructor(reader: LaneReader, sink: BlockSink) {
    this.reader = reader;
    this.sink = sink;
  }

  take(from: number, end: number): Prepared | null {
    const prepared = this.prepared;
    this.prepared = null;
    if (prepared?.from === from && prepared.end <= end) return prepared;
    this.reader.seek(from);
    return this.read(end);
  }

  /** Sends the block and makes the one behind it ready meanwhile, where the lane has a full one before `end`. */
  async send(block: Prepared, end: number): Promise<void> {
    const isMore = end - block.end >= block.end - block.from;
    if (block.bytes < FULL_BYTES_MIN || !isMore) await block.send();
    else await Promise.all([block.send(), this.tryPrepare(end)]);
  }

  /** Once the block before it has left for its socket. What cannot be read is met, and told of, when its turn comes. */
  private async tryPrepare(end: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      this.prepared = this.read(end);
    } catch {
      this.reader.close();
    }
  }

  close(): void {
    this.prepared = null;
    this.reader.close();
  }

  private read(end: number): Prepared | null {
    const block = this.reader.read(end);
    if (block === null) return null;
    const send = this.sink.prepare(block);
    return { from: block.from, end: block.end, bytes: block.bytes.length, send };
  }
}
