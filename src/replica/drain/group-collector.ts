// Makes groups of what a partition's messages bring: decodes them as they come, while the group before is being stored, until
// there are enough bytes or the store is ready for more. What is no block of ours goes to the dead letters on the way.

import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { DISK_PROBE_INTERVAL_MS, DRAIN_GROUP_BYTES_MAX, DRAIN_GROUP_MESSAGES_MAX } from "../../limits.ts";
import { BLOCK_HEADER } from "../block-message.ts";
import type { BlockPuller } from "./block-puller.ts";
import { type DeadLetterFolder, isDiskFull } from "./dead-letters.ts";
import { acknowledge, deliveryOf } from "./delivery.ts";
import type { DrainLog } from "./drain-context.ts";
import type { DrainFigures } from "./drain-figures.ts";
import { readBlock } from "./drained-block.ts";
import type { Group } from "./group.ts";
import { pause } from "./pause.ts";

export interface GroupCollectorOptions {
  connection: NatsConnection;
  stream: string;
  deadLetters: DeadLetterFolder;
  figures: DrainFigures;
  log: DrainLog;
}

export class GroupCollector {
  private readonly options: GroupCollectorOptions;
  private readonly puller: BlockPuller;
  private group: Group = emptyGroup();
  private isClosed = false;
  private isReading = false;
  private isOut = false;
  private deliver: ((group: Group | null) => void) | null = null;
  /** Messages of the partition that the stream still has, as of the last that came. */
  pending = 0;

  constructor(options: GroupCollectorOptions, puller: BlockPuller) {
    this.options = options;
    this.puller = puller;
  }

  /** Something may be taken from the puller. */
  more(): void {
    if (!this.isReading) void this.readInBackground();
  }

  /** The next group, with one message at least; null after close(). One call at a time. */
  next(): Promise<Group | null> {
    return new Promise((resolve) => {
      this.deliver = resolve;
      this.hand();
      this.more();
    });
  }

  close(): void {
    this.isClosed = true;
    this.hand();
  }

  private get isFull(): boolean {
    const { bytes, messages } = this.group;
    return bytes >= DRAIN_GROUP_BYTES_MAX || messages.length >= DRAIN_GROUP_MESSAGES_MAX;
  }

  /** Decoding takes milliseconds a group: others have their turns between two messages. */
  private async readInBackground(): Promise<void> {
    this.isReading = true;
    while (!this.isClosed && !this.isFull) {
      const message = this.puller.take();
      if (message === null) break;
      await this.read(message);
      if (this.isFull) this.hand();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.isReading = false;
    this.hand();
  }

  private async read(message: Msg): Promise<void> {
    this.pending = deliveryOf(message).pending;
    const block = readBlock(message.headers?.get(BLOCK_HEADER) ?? "", message.data);
    if (typeof block === "string") {
      if (!(await this.keepDeadLetter(message, block))) return;
      acknowledge(this.options.connection, message);
      this.puller.giveBack(message);
      return;
    }
    this.group.messages.push(message);
    this.group.blocks.push(block);
    this.group.bytes += block.bytes.length;
  }

  /** False where nobody waits for it any more. */
  private async keepDeadLetter(message: Msg, why: string): Promise<boolean> {
    const { deadLetters, stream, log, figures } = this.options;
    const { sequence } = deliveryOf(message);
    const names = message.headers?.keys() ?? [];
    const headers = names.flatMap((name) =>
      (message.headers?.values(name) ?? []).map((value) => [name, value] as const),
    );
    const letter = { stream, sequence, subject: message.subject, why, headers, payload: message.data };
    while (!this.isClosed) {
      try {
        const path = deadLetters.keep(letter);
        figures.deadLetters++;
        const remedy = /is of version/.test(why)
          ? "try a newer tidemark on it"
          : "see what publishes to the stream";
        log("error", `cannot store a block because it ${why}; it is kept as a dead letter: ${remedy}`, {
          subject: message.subject,
          sequence,
          path,
        });
        this.isOut = false;
        return true;
      } catch (error) {
        const reason = isDiskFull(error) ? "the disk is full" : String(error);
        if (!this.isOut)
          log(
            "error",
            `cannot keep a dead letter because ${reason}; it stays in the stream, and is tried again`,
            { sequence },
          );
        this.isOut = true;
        await pause(DISK_PROBE_INTERVAL_MS);
      }
    }
    return false;
  }

  /** Gives the group to who waits for one, when it is full or nothing more is at hand. */
  private hand(): void {
    const deliver = this.deliver;
    const group = this.group;
    const isReady = this.isClosed || (group.messages.length > 0 && (this.isFull || !this.isReading));
    if (deliver === null || !isReady) return;
    this.deliver = null;
    if (!this.isClosed) this.group = emptyGroup();
    deliver(this.isClosed ? null : group);
  }
}

function emptyGroup(): Group {
  return { messages: [], blocks: [], bytes: 0 };
}
