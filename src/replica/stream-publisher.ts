// A lane's sink: brings its blocks into the stream, each until the stream has acknowledged it, which it does when a majority of
// its replicas has it. One block at a time for each caller, so that the stream has a lane's blocks in their order.
// A block that is too large for the servers is halved; a single line that is, is set aside and told of, and the lane goes on.

import { headers } from "@nats-io/transport-node";
import { assert } from "../base/assert.ts";
import type { BlockSink } from "../follow/blocks-ahead.ts";
import type { LaneBlock } from "../follow/lane-reader.ts";
import { PUBLISH_MS_MAX } from "../limits.ts";
import { BLOCK_HEADER, type Block, type BlockMessage, decodeBlock, encodeBlock } from "./block-message.ts";
import { splitBlock } from "./split-block.ts";
import type { StreamAccess } from "./stream-access.ts";

/** Room for subject, id and header of a block in a message, bytes. */
const HEADER_BYTES_MAX = 1024;

/** Counts what has been done, for the operator; only grows. */
export interface PublishFigures {
  blocks: number;
  lines: number;
  /** Of lines, before compression. */
  bytes: number;
  messageBytes: number;
  /** Acknowledged as already there. */
  duplicates: number;
  retries: number;
  linesSetAside: number;
  /** Acknowledged, and lost on their way to a drain. */
  linesSentAgain: number;
}

interface BlockSize {
  lines: number;
  bytes: number;
}

export interface StreamPublisherOptions {
  access: StreamAccess;
  /** Read for each block, as the origin is. */
  subject(): string;
  lane: number;
  /** Read for each block: it may be renewed. */
  origin(): string;
  /** How often a line of that number has been lost behind us. */
  round(line: number): number;
  figures: PublishFigures;
  /** Numbers that the log has no lines of. */
  onGap(from: number, to: number): void;
  /** A line that no message can carry. Throws where it cannot be kept. */
  setAside(block: Block): void;
}

export class StreamPublisher implements BlockSink {
  private readonly options: StreamPublisherOptions;

  constructor(options: StreamPublisherOptions) {
    this.options = options;
  }

  prepare(block: LaneBlock): () => Promise<void> {
    const { origin, lane, round, onGap } = this.options;
    if (block.from < block.first) onGap(block.from, block.first);
    const message = encodeBlock({ ...block, origin: origin(), lane }, round(block.from));
    const size = { lines: block.end - block.first, bytes: block.bytes.length };
    return () => this.send(message, size);
  }

  private async send(message: BlockMessage, size: BlockSize): Promise<void> {
    for (;;) {
      const client = await this.options.access.available();
      if (client === null) throw new Error("the follower ends");
      if (size.lines > 0 && message.payload.length > this.options.access.messageBytesMax - HEADER_BYTES_MAX)
        return this.sendHalves(message);
      if (await this.tryPublish(client, message, size)) return;
      this.options.figures.retries++;
    }
  }

  private async tryPublish(
    client: NonNullable<Awaited<ReturnType<StreamAccess["available"]>>>,
    message: BlockMessage,
    { lines, bytes }: BlockSize,
  ): Promise<boolean> {
    const { access, subject, figures } = this.options;
    try {
      const carried = headers();
      carried.set(BLOCK_HEADER, message.header);
      const acknowledged = await client.publish(subject(), message.payload, {
        msgID: message.id,
        headers: carried,
        timeout: PUBLISH_MS_MAX,
        retries: 0,
      });
      access.worked();
      figures.blocks++;
      figures.lines += lines;
      figures.bytes += bytes;
      figures.messageBytes += message.payload.length;
      if (acknowledged.duplicate) figures.duplicates++;
      return true;
    } catch (error) {
      access.failed(error);
      return false;
    }
  }

  private async sendHalves(message: BlockMessage): Promise<void> {
    const block = decodeBlock(message.header, message.payload);
    assert(typeof block !== "string", "what was encoded here can be decoded");
    const halves = splitBlock(block);
    if (halves !== null) {
      for (const half of halves) await this.prepare(half)();
      return;
    }
    this.options.setAside(block);
    this.options.figures.linesSetAside++;
    // Its numbers are covered all the same: whoever counts shall not wait for them.
    const empty = encodeBlock({ ...block, first: block.end, bytes: block.bytes.subarray(0, 0) });
    await this.send(empty, { lines: 0, bytes: 0 });
  }
}
