// HOT: One connection's life: bytes in, whole requests out to the exchange, answers back in order.
// Runs on the ingest thread that accepted it; never leaves it.
//
//          ┌──────── head whole, admitted ────────┐
//   HEAD ──┤                                      ├──▶ BODY ──▶ exchange.handle() ──▶ HEAD
//          └─ refused: answered, body read past ──┘                     │ last answer: close, fault, drain
//                                                                       ▼
//                                                                    CLOSING (FIN sent, what still comes is dropped)
// Invariants: answers leave in the order of their requests. `owed` counts answers that a group commit owes; a request
// whose answer would overtake those is held (parsing stops, the socket is paused) until owed is 0. Bytes of an
// incomplete request are copied and charged to the memory budget; whole requests are handled where they lie.

import { REFUSAL, type Refusal } from "../errors.ts";
import {
  BODY_TIMEOUT_MS,
  HEAD_TIMEOUT_MS,
  LINGER_MS,
  REQUESTS_PER_TURN_MAX,
  WRITE_TIMEOUT_MS,
} from "../limits.ts";
import { mustWait } from "./answer-order.ts";
import { BODY_DONE, BODY_MORE, BodyReader } from "./body-reader.ts";
import type { ConnectionShared } from "./connection-shared.ts";
import { decompress } from "./content-coding.ts";
import { ADMIT_REFUSED, ADMIT_SKIP, ADMIT_TAKE, type Stream } from "./exchange.ts";
import { GatheredAnswers } from "./gathered-answers.ts";
import { KeptBytes } from "./kept-bytes.ts";
import {
  CODING_IDENTITY,
  HEAD_COMPLETE,
  HEAD_PARTIAL,
  METHOD_HEAD,
  type RequestHead,
} from "./request-head.ts";
import { isEmptyLines } from "./request-line.ts";

const STATE_HEAD = 0;
const STATE_BODY = 1;
const STATE_CLOSING = 2;
const EMPTY = new Uint8Array(0);
const NEVER = Number.POSITIVE_INFINITY;

export class HttpConnection<C> {
  readonly stream: Stream;
  /** The exchange's own state for this connection. */
  readonly context: C;
  /** Place in the registry. */
  index = -1;
  /** Moment of the shared coarse clock at which patience ends; what for depends on the state. */
  deadlineMs: number;
  /** How the answer to the current request is to be sent. */
  keepAlive = true;
  isHttp10 = false;
  ackAsked = 0;
  isHead = false;
  /** Answers that group commits owe this connection, and whether those say that it stays open. */
  owed = 0;
  owedKeepAlive = true;

  private readonly shared: ConnectionShared<C>;
  private state = STATE_HEAD;
  private verdict = ADMIT_SKIP;
  private contentCoding = CODING_IDENTITY;
  private readonly kept = new KeptBytes();
  private body: BodyReader | null = null;
  /** An answer that waits for the owed ones before it. */
  private deferred: Uint8Array | null = null;
  private isHeld = false;
  private isPaused = false;
  private isParsing = false;
  /** The first bytes of a head are here: its deadline runs from them, whatever drips in afterwards. */
  private isHeadBegun = false;
  /** No head has been whole yet. */
  isUnused = true;
  /** The last request of this connection has been taken: nothing after it is read. */
  private isLast = false;
  private peerHasEnded = false;
  private isClosed = false;
  /** Requests taken since the last turn of the event loop. */
  private taken = 0;
  private readonly gathered = new GatheredAnswers();

  constructor(stream: Stream, context: C, shared: ConnectionShared<C>) {
    this.stream = stream;
    this.context = context;
    this.shared = shared;
    this.deadlineMs = shared.coarseMs + shared.keepAliveTimeoutMs;
  }

  // ── from the transport ──────────────────────────────────────────────────────────────────────────────────────────

  received(bytes: Uint8Array): void {
    this.shared.bytesRead += bytes.length;
    if (this.state === STATE_CLOSING || this.isLast) return;
    this.parse(this.kept.join(bytes, this.shared.budget));
  }

  drained(): void {
    if (this.state === STATE_CLOSING) {
      this.linger();
      return;
    }
    this.arm();
    this.release();
  }

  peerEnded(): void {
    this.peerHasEnded = true;
    if (this.state === STATE_CLOSING) this.linger();
    else if (this.owed === 0 && !this.isHeld) this.finish();
  }

  closed(): void {
    this.isClosed = true;
    this.state = STATE_CLOSING;
    this.dropInput();
    this.deferred = null;
    this.shared.registry.remove(this);
  }

  // ── from the exchange ───────────────────────────────────────────────────────────────────────────────────────────

  /** Answers the current request now, or as soon as the owed answers before it are out. */
  answer(bytes: Uint8Array): void {
    if (this.owed > 0) {
      this.deferred = bytes;
      this.isHeld = true;
      return;
    }
    this.send(bytes);
    if (!this.keepAlive && this.verdict !== ADMIT_REFUSED) this.finish();
  }

  /** The current request's answer will come with a group commit. */
  owe(): void {
    this.owed++;
    this.owedKeepAlive = this.keepAlive;
    this.deadlineMs = NEVER;
  }

  /** As owe(), for an answer that comes by itself: nothing more is parsed until it is out. */
  oweAlone(): void {
    this.owe();
    this.isHeld = true;
  }

  /** Gathers one owed answer; true for the first, so that the caller knows whom to flush. */
  gather(bytes: Uint8Array): boolean {
    return this.gathered.add(bytes);
  }

  /** Sends what was gathered in one write, and goes on with what was held. */
  flush(): void {
    this.owed -= this.gathered.count;
    const bytes = this.gathered.take();
    if (this.isClosed) return;
    this.send(bytes);
    if (this.owed > 0) return;
    if (this.deferred !== null) {
      const deferred = this.deferred;
      this.deferred = null;
      this.send(deferred);
    }
    if (this.isLast) this.finish();
    else if (this.isHeld) this.release();
    else if (this.peerHasEnded) this.finish();
  }

  /** The coarse clock has passed deadlineMs. */
  expired(): void {
    if (this.state === STATE_CLOSING || this.stream.backlogBytes() > 0) this.stream.destroy();
    else if (this.state === STATE_HEAD && !this.isHeadBegun) this.finish();
    else this.fail(REFUSAL.timeout, "");
  }

  /** Whether it waits for a request, the first or the next, and nothing of one is here. */
  get isIdle(): boolean {
    return this.state === STATE_HEAD && this.owed === 0 && !this.isHeadBegun && !this.isHeld;
  }

  /** Gives its place to another at once: only for one that is idle. */
  makeRoom(): void {
    this.finish();
    this.shared.registry.remove(this);
    this.stream.destroy();
  }

  // ── parsing ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private parse(bytes: Uint8Array): void {
    // A settled commit may flush() while handle() is on the stack (accepted by a fake, say): never parse twice at once.
    this.isParsing = true;
    const end = bytes.length;
    let position = 0;
    this.taken = 0;
    while (position < end && !this.isHeld && !this.isLast && this.state !== STATE_CLOSING) {
      const next =
        this.state === STATE_HEAD
          ? this.parseHead(bytes, position, end)
          : this.parseBody(bytes, position, end);
      if (next < 0) break;
      position = next;
    }
    this.isParsing = false;
    if (this.isLast || this.state === STATE_CLOSING) return;
    if (position < end && !this.kept.tryKeep(bytes, position, end, this.shared.budget)) {
      this.fail(REFUSAL.memory, "");
      return;
    }
    if (this.isHeld) this.pause();
    else if (this.peerHasEnded && this.owed === 0) this.finish();
  }

  /** Returns where to go on, or -1 when more bytes are needed. */
  private parseHead(bytes: Uint8Array, start: number, end: number): number {
    const { head, exchange } = this.shared;
    const status = head.parse(bytes, start, end);
    this.isHead = head.method === METHOD_HEAD;
    if (status === HEAD_PARTIAL) {
      // An empty line between requests begins none (RFC 9112, 2.2).
      if (!this.isHeadBegun && !isEmptyLines(bytes, start, end)) {
        this.isHeadBegun = true;
        this.arm();
      }
      return -1;
    }
    if (status !== HEAD_COMPLETE) {
      this.fail(head.fault, head.faultDetail);
      return -1;
    }
    const keepAlive = head.keepAlive && this.shared.keepAliveAllowed;
    if (this.owed > 0 && (this.deferred !== null || mustWait(head, keepAlive, this))) {
      this.isHeld = true;
      return start;
    }
    if (++this.taken > REQUESTS_PER_TURN_MAX) {
      // A crowd came at once: the rest of it waits until the other connections had their turn.
      this.isHeld = true;
      this.deadlineMs = NEVER;
      setImmediate(() => this.release());
      return start;
    }
    this.isHeadBegun = false;
    this.isUnused = false;
    this.isHttp10 = head.isHttp10;
    this.ackAsked = head.ackAsked;
    this.contentCoding = head.contentCoding;
    const bodyStart = head.headEnd;
    const isWhole = !head.isChunked && head.contentLength <= end - bodyStart;
    // Refused, a client that asked leave may or may not send its body: such a refusal must say that it is the last answer.
    this.keepAlive = keepAlive && (isWhole || !head.expectsContinue);
    this.verdict = ADMIT_REFUSED;
    this.verdict = exchange.admit(this, head, bytes);
    if (this.state === STATE_CLOSING) return -1;
    if (this.verdict !== ADMIT_REFUSED) this.keepAlive = keepAlive;

    if (isWhole) {
      const bodyEnd = bodyStart + Math.max(0, head.contentLength);
      this.complete(bytes, bodyStart, bodyEnd);
      return bodyEnd;
    }
    return this.beginBody(head, bodyStart, end);
  }

  private beginBody(head: RequestHead, bodyStart: number, end: number): number {
    this.state = STATE_BODY;
    this.arm();
    if (this.verdict === ADMIT_REFUSED && !this.keepAlive) {
      // The refusal is the last answer; where others are owed before it, flush() ends the connection after it.
      this.isLast = true;
      if (this.owed === 0) this.finish();
      return -1;
    }
    if (head.expectsContinue && bodyStart === end) this.send(this.shared.answers.continue100);
    this.body = new BodyReader(head.isChunked ? -1 : head.contentLength, this.verdict === ADMIT_TAKE);
    return bodyStart;
  }

  private parseBody(bytes: Uint8Array, start: number, end: number): number {
    const body = this.body!;
    const status = body.read(bytes, start, end, this.shared);
    if (status === BODY_MORE) return end;
    if (status !== BODY_DONE) {
      this.fail(body.fault, body.faultDetail);
      return -1;
    }
    this.state = STATE_HEAD;
    this.body = null;
    this.complete(body.buffer ?? EMPTY, 0, body.bytes);
    body.release(this.shared);
    return body.consumedEnd;
  }

  /** The request is whole: decode its content coding and hand it over. */
  private complete(bytes: Uint8Array, start: number, end: number): void {
    if (!this.keepAlive) this.isLast = true;
    if (this.verdict === ADMIT_REFUSED) {
      if (!this.keepAlive && this.owed === 0) this.finish();
      return;
    }
    if (this.verdict === ADMIT_SKIP) {
      this.shared.exchange.handle(this, EMPTY, 0, 0);
      return;
    }
    if (this.contentCoding === CODING_IDENTITY) {
      this.shared.exchange.handle(this, bytes, start, end);
      return;
    }
    const plain = decompress(this.contentCoding, bytes.subarray(start, end), this.shared.bodyBytesMax);
    if (typeof plain === "number") this.refuse(plain, "");
    else this.shared.exchange.handle(this, plain, 0, plain.length);
  }

  // ── endings ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private refuse(refusal: Refusal, detail: string): void {
    const retryAfterS = this.shared.exchange.refused(refusal);
    const { keepAlive, isHead, isHttp10 } = this;
    this.answer(this.shared.answers.refusal(refusal, { detail, retryAfterS, keepAlive, isHead, isHttp10 }));
  }

  /** One fault closes the connection: what follows it cannot be trusted to begin where we think. */
  private fail(refusal: Refusal, detail: string): void {
    this.keepAlive = false;
    this.isLast = true;
    const wasAnswered = this.state === STATE_BODY && this.verdict === ADMIT_REFUSED;
    this.state = STATE_HEAD;
    this.verdict = ADMIT_SKIP;
    this.dropInput();
    // A request that came before waits with its answer: that one is the last then, and nothing takes its place.
    if (this.deferred === null && !wasAnswered) this.refuse(refusal, detail);
    else if (this.owed === 0) this.finish();
  }

  /** The last answer is out: FIN, then wait for the peer's FIN, so that unread bytes do not turn into a reset. */
  finish(): void {
    if (this.state === STATE_CLOSING) return;
    this.state = STATE_CLOSING;
    this.dropInput();
    if (this.isPaused) this.stream.resume();
    this.isPaused = false;
    this.stream.end();
    this.linger();
  }

  /** CLOSING, and something has changed: the unsent answers have their time, then the peer's FIN has its own. */
  private linger(): void {
    const isSent = this.stream.backlogBytes() === 0;
    if (isSent && this.peerHasEnded) this.stream.destroy();
    else this.deadlineMs = this.shared.coarseMs + (isSent ? LINGER_MS : WRITE_TIMEOUT_MS);
  }

  private send(bytes: Uint8Array): void {
    this.shared.bytesWritten += bytes.length;
    this.stream.write(bytes);
    if (this.stream.backlogBytes() > 0) {
      // A reader that does not read: stop reading from it, and end it when it goes on.
      this.isHeld = true;
      this.deadlineMs = this.shared.coarseMs + WRITE_TIMEOUT_MS;
      if (!this.isParsing) this.pause();
    } else {
      this.arm();
    }
  }

  /** Sets the deadline for what is awaited now. Never called for bytes that merely drip in. */
  private arm(): void {
    const { shared } = this;
    if (this.owed > 0) this.deadlineMs = NEVER;
    else if (this.state === STATE_BODY) this.deadlineMs = shared.coarseMs + BODY_TIMEOUT_MS;
    else if (this.isHeadBegun) this.deadlineMs = shared.coarseMs + HEAD_TIMEOUT_MS;
    else this.deadlineMs = shared.coarseMs + shared.keepAliveTimeoutMs;
  }

  // ── holding and keeping ─────────────────────────────────────────────────────────────────────────────────────────

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.stream.pause();
  }

  private release(): void {
    if (!this.isHeld || this.isClosed || this.owed > 0 || this.stream.backlogBytes() > 0) return;
    this.isHeld = false;
    if (this.isParsing) return;
    if (this.isPaused) {
      this.isPaused = false;
      this.stream.resume();
    }
    if (!this.kept.isEmpty) this.parse(this.kept.join(EMPTY, this.shared.budget));
    else if (this.peerHasEnded) this.finish();
  }

  private dropInput(): void {
    this.kept.drop(this.shared.budget);
    this.body?.release(this.shared);
    this.body = null;
  }
}
