// Pulls a partition's messages from its durable consumer, so that some are always at hand and never more than a bound of bytes:
// what was delivered counts until it is given back. One pull request at a time, each for as many bytes as there is room.
//
//     (room) ─▶ MSG.NEXT {max_bytes, expires} ─▶ messages … ─▶ status (expired, room used up) ─▶ (room) ─▶ …
//
// It is told of by messages to an inbox, as ADR-13 of NATS has it; the client's own fetch() waits out its time where bytes,
// not messages, end a request. A request that says nothing for two heartbeats is taken for lost.

import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { realClock } from "../../base/clock.ts";
import {
  DRAIN_CONSUMER_SILENT_MS,
  DRAIN_PULL_BYTES,
  DRAIN_PULL_HEARTBEAT_MS,
  DRAIN_PULL_MS_MAX,
  DRAIN_PULL_RETRY_MS,
} from "../../limits.ts";

import { refuse } from "./delivery.ts";

const NS_PER_MS = 1e6;
const NO_RESPONDERS = 503;
/** Of a request; far more messages than its bytes have room for. */
const BATCH_MAX = 10_000;
/** Room for a message's subjects and headers beside its payload, at most, and what a small one takes of our memory, about. */
const HEADER_BYTES_MAX = 64 * 1024;
const HEADER_BYTES = 512;

export interface BlockPullerOptions {
  connection: NatsConnection;
  stream: string;
  consumer: string;
  /** There is something to take. */
  onMore(): void;
  /** The consumer is gone, or nobody answers for it now. */
  onAway(): void;
  /** Nothing has come of it for DRAIN_CONSUMER_SILENT_MS, not even a heartbeat. */
  onSilent(): void;
}

export class BlockPuller {
  private readonly options: BlockPullerOptions;
  private readonly inbox = createInbox();
  private readonly subscription: Subscription;
  private readonly bytesMax: number;
  private readonly queue: Msg[] = [];
  /** Delivered and not given back. */
  private readonly held = new Set<Msg>();
  private bytesHeld = 0;
  private isAsking = false;
  private watchdog: ReturnType<typeof setTimeout> | null = null;
  private isClosed = false;
  private signMs = realClock.monotonicMs();

  constructor(options: BlockPullerOptions) {
    this.options = options;
    const { connection } = options;
    this.bytesMax = Math.max(DRAIN_PULL_BYTES, (connection.info?.max_payload ?? 0) + HEADER_BYTES_MAX);
    this.subscription = connection.subscribe(this.inbox, {
      callback: (_error, message) => this.received(message),
    });
    this.ask();
  }

  /** The next message, or null where none is at hand. Its bytes count until giveBack(). */
  take(): Msg | null {
    return this.queue.shift() ?? null;
  }

  giveBack(message: Msg): void {
    this.held.delete(message);
    this.bytesHeld -= bytesOf(message);
    this.signMs = realClock.monotonicMs();
    this.ask();
  }

  /** A request that the server may have forgotten is made again: after a reconnect, or for a consumer that was made anew. */
  askAgain(): void {
    this.watch(null);
    this.isAsking = false;
    this.ask();
  }

  /** Lets somebody else have at once what was not given back; after close() it would come again in its time. */
  refuseAll(): void {
    for (const message of this.held) refuse(this.options.connection, message);
  }

  close(): void {
    this.isClosed = true;
    this.watch(null);
    this.subscription.unsubscribe();
    this.queue.length = 0;
  }

  /** Asks for more where there is half of the room, and always for enough for the largest message. */
  private ask(): void {
    if (this.isAsking || this.isClosed || this.bytesHeld > this.bytesMax / 2) return;
    this.isAsking = true;
    const { connection, stream, consumer } = this.options;
    const request = {
      batch: BATCH_MAX,
      max_bytes: this.bytesMax,
      expires: DRAIN_PULL_MS_MAX * NS_PER_MS,
      idle_heartbeat: DRAIN_PULL_HEARTBEAT_MS * NS_PER_MS,
    };
    try {
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
      connection.publish(subject, JSON.stringify(request), { reply: this.inbox });
    } catch {
      // the connection is being closed
    }
    this.watch(2 * DRAIN_PULL_HEARTBEAT_MS);
  }

  private received(message: Msg): void {
    if (this.isClosed) return;
    if (this.isAsking) this.watch(2 * DRAIN_PULL_HEARTBEAT_MS);
    if (message.headers?.code !== NO_RESPONDERS) this.signMs = realClock.monotonicMs();
    // a status comes to the inbox itself, a message by its own subject
    if (message.subject === this.inbox) {
      this.told(message.headers?.code ?? 0, message.headers?.description ?? "");
      return;
    }
    this.held.add(message);
    this.bytesHeld += bytesOf(message);
    this.queue.push(message);
    this.options.onMore();
  }

  private told(code: number, description: string): void {
    if (code < 400) return;
    const isAway = code === NO_RESPONDERS || /consumer (deleted|not found)/i.test(description);
    if (isAway) this.options.onAway();
    // room used up, or its time: nothing is wrong, and the next may be asked for at once
    if (code === 408 || /maxbytes|batch completed/i.test(description)) this.askAgain();
    else this.watch(DRAIN_PULL_RETRY_MS);
  }

  private watch(ms: number | null): void {
    if (this.watchdog !== null) clearTimeout(this.watchdog);
    this.watchdog = ms === null || this.isClosed ? null : setTimeout(() => this.waited(), ms);
  }

  private waited(): void {
    if (realClock.monotonicMs() - this.signMs > DRAIN_CONSUMER_SILENT_MS) {
      this.signMs = realClock.monotonicMs();
      this.options.onSilent();
    }
    this.askAgain();
  }
}

function bytesOf(message: Msg): number {
  return message.data.length + HEADER_BYTES;
}
