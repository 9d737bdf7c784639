// HOT: One client of the generator: one connection at a time, and the requests that it has outstanding on it.
// When it begins one is the loop's affair (closed-loop.ts, paced-loop.ts, open-loop.ts); this is what becomes of it.
//
//            begin()                connected()             answered
//   idle ──────────────▶ connecting ───────────▶ sending ──────────────▶ idle, connected
//    ▲ ▲                      │ failed()            │ reset, timeout        │ begin() ─▶ sending
//    │ └── after the backoff ─┴─────────────────────┘                       │
//    └──────────── the server closes, or keep-alive is off ────────────────┘
//
// A request that has to open its connection first counts from the SYN. A connection that fails takes all its requests with
// it; each of them fails once. After a connection that brought no answer the client waits, so that a target that refuses is
// not asked in a tight loop.

import type { Attempt, Connect, ConnectOptions, OutboundPeer, OutboundStream } from "../../net/transport.ts";
import { classOfConnectError } from "./error-classes.ts";
import type { ErrorClass } from "./load-result.ts";
import type { Random } from "./random.ts";
import { nameClient, type RequestBytes } from "./request-bytes.ts";
import { FAULT, MORE, ResponseReader } from "./response-reader.ts";
import type { Tally } from "./tally.ts";

/** Wait after the first failed connection, milliseconds; it doubles with each, up to the next. */
const BACKOFF_MS_MIN = 10;
const BACKOFF_MS_MAX = 100;

/** What all clients of a thread have in common. */
export interface ClientHost {
  readonly connect: Connect;
  readonly address: ConnectOptions;
  readonly requests: readonly RequestBytes[];
  readonly random: Random;
  readonly tally: Tally;
  readonly nowMs: () => number;
  readonly isForHead: boolean;
  readonly keepAlive: boolean;
  readonly pipeline: number;
  readonly timeoutMs: number;
  /** Of the thread's clients' outstanding requests, `pipeline` for each client: when they were planned, and begun. */
  readonly plannedMs: Float64Array;
  readonly begunMs: Float64Array;
  /** Clients that wait out a backoff. */
  backingOff: number;
  /** Connections on their way. */
  dialling: number;
  loop: ClientLoop;
}

/** Who decides when a client sends. */
export interface ClientLoop {
  /** The client can begin a request, or has become able to again. */
  freed(client: LoadClient, nowMs: number): void;
  /** Its connection is made, or could not be; `failure` is null where it is. */
  dialled(client: LoadClient, failure: ErrorClass | null, nowMs: number): void;
}

export class LoadClient {
  /** Of all threads' clients, from 0. */
  readonly number: number;
  /** Requests begun so far, for the loop. */
  begun = 0;
  inFlight = 0;
  /** When it became able to begin a request. */
  freeSinceMs = 0;
  /** It has closed its connection for good. */
  isFinished = false;
  /** It stands in the loop's queue of those that can begin. */
  isQueued = false;
  private readonly host: ClientHost;
  private readonly base: number;
  private readonly reader: ResponseReader;
  private head = 0;
  private unwritten = 0;
  private connection: Connection | null = null;
  private attempt: Attempt | null = null;
  private dialledMs = 0;
  private retryAtMs = 0;
  private backoffMs = 0;
  private connections = 0;
  private wasFirstAnswered = false;

  constructor(host: ClientHost, index: number, number: number) {
    this.host = host;
    this.number = number;
    this.base = index * host.pipeline;
    this.reader = new ResponseReader(host.isForHead);
  }

  get canBegin(): boolean {
    return this.retryAtMs === 0 && this.inFlight < this.host.pipeline;
  }

  begin(plannedMs: number, nowMs: number): void {
    const { host } = this;
    const slot = this.base + ((this.head + this.inFlight) % host.pipeline);
    host.plannedMs[slot] = plannedMs;
    host.begunMs[slot] = nowMs;
    this.inFlight++;
    this.begun++;
    host.tally.begin(nowMs);
    if (this.connection !== null) this.write(this.connection.stream!);
    else {
      this.unwritten++;
      if (this.attempt === null) this.dial(nowMs);
    }
  }

  /** Opens the connection, if there is none. */
  dial(nowMs: number): void {
    if (this.connection !== null || this.attempt !== null) return;
    this.dialledMs = nowMs;
    this.reader.reset();
    this.host.dialling++;
    this.attempt = this.host.connect(this.host.address, new Connection(this));
  }

  /** Fails what has waited for the timeout, and ends a backoff that is over. */
  look(nowMs: number): void {
    if (this.retryAtMs !== 0 && nowMs >= this.retryAtMs) {
      this.retryAtMs = 0;
      this.host.backingOff--;
      this.free(nowMs);
    }
    if (this.inFlight > 0 && nowMs - this.host.begunMs[this.base + this.head]! >= this.host.timeoutMs) {
      this.giveUp(nowMs);
      this.free(nowMs);
    }
  }

  /** What is outstanding has timed out; the connection, on which an answer may still come, is dropped. */
  giveUp(nowMs: number): void {
    const failure = this.attempt === null ? "timeout" : "connect_timeout";
    if (this.attempt !== null) this.host.tally.connectsFailed++;
    this.drop();
    this.failAll(failure, nowMs);
  }

  /** Closes the connection; nothing is outstanding. */
  finish(): void {
    this.isFinished = true;
    this.detach()?.close();
    this.abandon();
  }

  connected(connection: Connection): void {
    const { host } = this;
    const nowMs = host.nowMs();
    this.endAttempt();
    this.connection = connection;
    this.connections++;
    host.tally.connected(nowMs - this.dialledMs);
    for (; this.unwritten > 0; this.unwritten--) this.write(connection.stream!);
    host.loop.dialled(this, null, nowMs);
  }

  refused(code: string): void {
    const { host } = this;
    const nowMs = host.nowMs();
    const failure = classOfConnectError(code);
    this.endAttempt();
    host.tally.connectsFailed++;
    this.failAll(failure, nowMs);
    this.backOff(nowMs);
    host.loop.dialled(this, failure, nowMs);
  }

  received(connection: Connection, bytes: Uint8Array): void {
    const { host, reader } = this;
    const nowMs = host.nowMs();
    host.tally.bytesReceived += bytes.length;
    for (let offset = 0; offset < bytes.length; ) {
      if (this.inFlight === 0) {
        // An answer that nobody asked for: a server's farewell (408) to an idle connection.
        this.drop();
        break;
      }
      offset = reader.read(bytes, offset);
      if (offset === MORE) return;
      if (offset === FAULT) {
        this.drop();
        this.failAll("protocol", nowMs);
        if (!connection.wasAnswered) this.backOff(nowMs);
        break;
      }
      this.answered(connection, nowMs);
      if (reader.closes || !host.keepAlive) {
        this.detach()!.close();
        this.failAll("reset", nowMs);
        break;
      }
    }
    this.free(nowMs);
  }

  /** The server sent FIN (`isPolite`), or the connection is gone. */
  lost(connection: Connection, isPolite: boolean): void {
    const nowMs = this.host.nowMs();
    if (isPolite && this.reader.end() && this.inFlight > 0) this.answered(connection, nowMs);
    const stream = this.detach();
    if (isPolite) stream?.close();
    this.failAll("reset", nowMs);
    if (!connection.wasAnswered) this.backOff(nowMs);
    else this.free(nowMs);
  }

  private answered(connection: Connection, nowMs: number): void {
    const { host } = this;
    const slot = this.base + this.head;
    this.head = this.head + 1 === host.pipeline ? 0 : this.head + 1;
    this.inFlight--;
    host.tally.answer(host.plannedMs[slot]!, host.begunMs[slot]!, nowMs, this.reader.status);
    connection.wasAnswered = true;
    this.backoffMs = 0;
    if (this.connections === 1 && !this.wasFirstAnswered) {
      this.wasFirstAnswered = true;
      host.tally.clientsAnswered++;
    }
  }

  private write(stream: OutboundStream): void {
    const { requests, random, tally } = this.host;
    const request = requests.length === 1 ? requests[0]! : requests[random.below(requests.length)]!;
    if (request.numberAt >= 0) nameClient(request, this.number);
    stream.write(request.bytes);
    tally.bytesSent += request.bytes.length;
    // What the kernel did not take belongs to the stream; the next name goes into a copy.
    if (request.numberAt >= 0 && stream.backlogBytes() > 0) request.bytes = request.bytes.slice();
  }

  private failAll(failure: ErrorClass, nowMs: number): void {
    const { host } = this;
    for (; this.inFlight > 0; this.inFlight--) {
      const slot = this.base + this.head;
      this.head = this.head + 1 === host.pipeline ? 0 : this.head + 1;
      host.tally.fail(failure, host.plannedMs[slot]!, host.begunMs[slot]!, nowMs);
    }
    this.unwritten = 0;
  }

  private backOff(nowMs: number): void {
    if (this.retryAtMs !== 0) return;
    this.backoffMs = Math.min(BACKOFF_MS_MAX, Math.max(BACKOFF_MS_MIN, this.backoffMs * 2));
    this.retryAtMs = nowMs + this.backoffMs;
    this.host.backingOff++;
  }

  private free(nowMs: number): void {
    if (!this.canBegin) return;
    this.freeSinceMs = nowMs;
    this.host.loop.freed(this, nowMs);
  }

  private drop(): void {
    this.detach()?.destroy();
    this.abandon();
  }

  private abandon(): void {
    if (this.attempt === null) return;
    this.attempt.abandon();
    this.endAttempt();
  }

  private endAttempt(): void {
    this.attempt = null;
    this.host.dialling--;
  }

  private detach(): OutboundStream | null {
    const connection = this.connection;
    if (connection === null) return null;
    this.connection = null;
    this.host.tally.disconnected();
    connection.client = null;
    return connection.stream;
  }
}

/** One connection of a client's; what it hears after the client has let go of it goes nowhere. */
class Connection implements OutboundPeer {
  client: LoadClient | null;
  stream: OutboundStream | null = null;
  wasAnswered = false;

  constructor(client: LoadClient) {
    this.client = client;
  }

  connected(stream: OutboundStream): void {
    this.stream = stream;
    this.client?.connected(this);
  }

  failed(code: string): void {
    this.client?.refused(code);
  }

  received(bytes: Uint8Array): void {
    this.client?.received(this, bytes);
  }

  drained(): void {}

  peerEnded(): void {
    this.client?.lost(this, true);
  }

  closed(): void {
    this.client?.lost(this, false);
  }
}
