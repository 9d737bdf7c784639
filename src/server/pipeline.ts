// HOT: The path of a batch, readable from top to bottom. One per ingest thread; nothing in it crosses a thread except
// through the limiter's and the counters' shared memory.
//
//   socket ─▶ http framing ─▶ admit() ─▶ handle() ─▶ decode ─▶ lane ─▶ (group commit) ─▶ settled() ─▶ answer
//                │ 4xx        │ 401 413 415 429 503    │ 400    │ 503                     │ 503
//
// Invariants: a batch is answered 200 only with the promise of its level kept; whatever is refused leaves nothing in
// the lane; every decided batch is counted once, as stored or as rejected for one reason.

import type { MemoryBudget } from "../admission/memory-budget.ts";
import type { RateLimiter } from "../admission/rate-limiter.ts";
import { drainWaitMs, retryAfterS } from "../admission/retry-after.ts";
import type { Clock } from "../base/clock.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import type { Answers } from "../http/answers.ts";
import { ADMIT_REFUSED, ADMIT_SKIP, ADMIT_TAKE, type Exchange } from "../http/exchange.ts";
import { CODING_UNKNOWN, type RequestHead } from "../http/request-head.ts";
import { REPLICA_RETRY_MS } from "../limits.ts";
import { ACK_ACCEPTED, ACK_REPLICATED, ACK_SYNCED } from "../log/files.ts";
import type { Lane } from "../log/lane.ts";
import type { LaneHandler } from "../log/waiter-group.ts";
import { type BatchDecoder, linesBytesMax } from "../metric/batch-decoder.ts";
import { FIELD } from "../telemetry/counters.layout.ts";
import type { ThreadCounters } from "../telemetry/thread-counters.ts";
import type { ClientDirectory } from "./client-directory.ts";
import { isMediaTypeTaken } from "./media-type.ts";
import type { Pages } from "./pages.ts";
import type { IngestConnection, RequestContext } from "./request-context.ts";
import { allowFor, ROUTE_INGEST, routeOf } from "./routes.ts";
import type { StageSample } from "./stage-sample.ts";

export interface PipelineParts {
  clock: Clock;
  answers: Answers;
  clients: ClientDirectory;
  limiter: RateLimiter;
  budget: MemoryBudget;
  decoder: BatchDecoder;
  lane: Lane<IngestConnection>;
  counters: ThreadCounters;
  pages: Pages;
  sample: StageSample;
  /** The server's ack level; a request may ask for a stronger one. */
  ack: number;
  /** Null where the log is not replicated: then `synced` is the most that can be had. */
  replica: Replica | null;
  bodyBytesMax: number;
  batchMetricsMax: number;
  random: () => number;
}

/** What the path needs to know of replication. */
export interface Replica {
  /** Whether the stream takes blocks now, as far as is known. */
  readonly isFlowing: boolean;
}

/** Prefer: ack=… with a value that is none of the levels. */
const ACK_ASKED_UNKNOWN = 5;

export class Pipeline implements Exchange<RequestContext>, LaneHandler<IngestConnection> {
  private readonly parts: PipelineParts;
  /** Connections with answers gathered from the commit being settled. */
  private readonly touched: IngestConnection[] = [];
  /** Bytes that reached their file since the last commit was counted as stored. */
  private bytesUncounted = 0;

  constructor(parts: PipelineParts) {
    this.parts = parts;
  }

  newContext(): RequestContext {
    return {
      client: null,
      authorization: null,
      addressClient: null,
      generation: 0,
      route: ROUTE_INGEST,
      allow: "",
      acceptsJson: false,
      requestClient: null,
      level: this.parts.ack,
    };
  }

  // ── admission: decided on the head alone, before the body is read ───────────────────────────────────────────────

  admit(connection: IngestConnection, head: RequestHead, bytes: Uint8Array): number {
    const { parts } = this;
    const { context } = connection;
    parts.counters.add(FIELD.requests, 1);
    context.route = routeOf(head, bytes);
    if (context.route !== ROUTE_INGEST) {
      context.allow = allowFor(head, bytes);
      context.acceptsJson = head.acceptsJson;
      return ADMIT_SKIP;
    }
    const nowMs = parts.clock.monotonicMs();
    parts.sample.tick(connection, nowMs);

    const client = parts.clients.find(context, head, bytes, connection.stream);
    if (client === null) return this.refuse(connection, parts.clients.refusal);
    const waitMs = parts.limiter.tryTake(client.hashLow, client.hashHigh, nowMs);
    if (waitMs > 0) return this.refuse(connection, REFUSAL.rate_limit, waitMs);
    if (head.contentLength > parts.bodyBytesMax) {
      connection.keepAlive = false;
      return this.refuse(connection, REFUSAL.length);
    }
    if (head.contentTypeStart >= 0 && !isMediaTypeTaken(bytes, head.contentTypeStart, head.contentTypeEnd)) {
      return this.refuse(connection, REFUSAL.media_type);
    }
    if (head.contentCoding === CODING_UNKNOWN) return this.refuse(connection, REFUSAL.content_coding);
    if (head.ackAsked === ACK_ASKED_UNKNOWN) return this.refuse(connection, REFUSAL.preference);
    context.level = Math.max(parts.ack, head.ackAsked);
    if (context.level === ACK_REPLICATED) {
      if (parts.replica === null) context.level = ACK_SYNCED;
      else if (!parts.replica.isFlowing) return this.refuse(connection, REFUSAL.replica, REPLICA_RETRY_MS);
    }
    const linesBytesMin = linesBytesMax(Math.max(0, head.contentLength), 1, client.json.length);
    const room = parts.lane.tryReserve(linesBytesMin, context.level);
    if (room >= 0) return this.refuse(connection, room, this.drainMs());

    context.requestClient = client;
    if (parts.sample.follows(connection)) parts.sample.admitted();
    return ADMIT_TAKE;
  }

  // ── the body is whole: decode it straight into the lane's buffer ────────────────────────────────────────────────

  handle(connection: IngestConnection, bytes: Uint8Array, start: number, end: number): void {
    const { parts } = this;
    const { context } = connection;
    if (context.route !== ROUTE_INGEST) {
      parts.pages.answer(connection);
      return;
    }
    const { lane, decoder, counters, sample } = parts;
    const client = context.requestClient!;
    if (sample.follows(connection)) sample.whole();

    const linesBytes = linesBytesMax(end - start, parts.batchMetricsMax, client.json.length);
    const room = lane.tryReserve(linesBytes, context.level);
    if (room >= 0) {
      this.refuse(connection, room, this.drainMs());
      return;
    }
    const { position } = lane;
    const metrics = decoder.decode(
      bytes,
      start,
      end,
      lane.buffer,
      position,
      parts.clock.wallMs(),
      client.json,
    );
    if (metrics === 0) {
      this.refuse(connection, decoder.refusal, 0, decoder.describeRefusal());
      return;
    }
    const { outEnd, timestampMsFirst, timestampMsLast } = decoder;
    if (context.level === ACK_ACCEPTED) {
      lane.append(outEnd, metrics, timestampMsFirst, timestampMsLast, ACK_ACCEPTED, null);
      counters.settledStored(1, metrics, 0);
      if (sample.follows(connection)) sample.drop();
      connection.answer(
        parts.answers.stored(
          metrics,
          connection.keepAlive,
          connection.ackAsked > 0 ? ACK_ACCEPTED : 0,
          connection.isHttp10,
        ),
      );
      return;
    }
    connection.owe();
    counters.add(FIELD.inFlightBatches, 1);
    lane.append(outEnd, metrics, timestampMsFirst, timestampMsLast, context.level, connection);
    if (sample.follows(connection)) sample.appended();
  }

  // ── the group commit has settled: answer everybody in it, in one write for each connection ──────────────────────

  settled(
    waiters: readonly (IngestConnection | null)[],
    metrics: readonly number[],
    levels: readonly number[],
    count: number,
    refusal: number,
  ): void {
    const { parts } = this;
    const touched = this.touched;
    const { answers, counters, sample } = parts;
    const settledMs = sample.isQueued ? parts.clock.monotonicMs() : 0;
    let sampledLevel = 0;
    let batches = 0;
    let metricCount = 0;
    for (let i = 0; i < count; i++) {
      const connection = waiters[i]!;
      if (connection === null) {
        // Answered before, at level accepted: what the disk refuses of it now is lost, and said to be.
        if (refusal >= 0) counters.add(FIELD.acceptedMetricsLost, metrics[i]!);
        continue;
      }
      batches++;
      metricCount += metrics[i]!;
      const { owedKeepAlive, isHttp10 } = connection;
      const ackApplied = connection.ackAsked > 0 ? levels[i]! : 0;
      const answer =
        refusal < 0
          ? answers.stored(metrics[i]!, owedKeepAlive, ackApplied, isHttp10)
          : answers.refusal(refusal, {
              keepAlive: owedKeepAlive,
              isHttp10,
              retryAfterS: this.retryAfter(this.drainMs()),
            });
      if (connection.gather(answer)) touched.push(connection);
      if (connection === sample.subject) sampledLevel = levels[i]!;
    }
    if (batches === 0) return;
    if (refusal < 0) {
      counters.settledStored(batches, metricCount, this.bytesUncounted);
      this.bytesUncounted = 0;
    } else {
      counters.rejectedMany(refusal, batches);
    }
    counters.add(FIELD.inFlightBatches, -batches);
    counters.histograms.batchesPerCommit.record(batches);
    for (let i = 0; i < touched.length; i++) touched[i]!.flush();
    touched.length = 0;
    if (sampledLevel === 0 || !sample.isQueued) return;
    const { writeMs, syncMs } = parts.lane;
    sample.record(settledMs - writeMs - (sampledLevel >= ACK_SYNCED ? syncMs : 0), settledMs);
  }

  /** A commit's write returned. */
  wrote(ms: number, bytes: number): void {
    const { counters } = this.parts;
    this.bytesUncounted += bytes;
    counters.add(FIELD.commits, 1);
    counters.add(FIELD.commitBytes, bytes);
    counters.histograms.write.record(ms * 1e6);
  }

  /** A request that died of its framing, size or deadline, or for want of memory: only the last is worth trying again. */
  refused(refusal: Refusal): number {
    this.parts.counters.rejected(refusal);
    return refusal === REFUSAL.memory ? this.retryAfter(this.drainMs()) : 0;
  }

  // ── refusals: counted, answered, with the wait that is really needed ────────────────────────────────────────────

  private refuse(connection: IngestConnection, refusal: Refusal, waitMs = 0, detail = ""): number {
    const { counters, answers, sample } = this.parts;
    counters.rejected(refusal);
    if (sample.follows(connection)) sample.drop();
    const { keepAlive, isHttp10, isHead } = connection;
    const retryAfterS = waitMs > 0 ? this.retryAfter(waitMs) : 0;
    connection.answer(answers.refusal(refusal, { detail, retryAfterS, keepAlive, isHttp10, isHead }));
    return ADMIT_REFUSED;
  }

  private retryAfter(waitMs: number): number {
    return retryAfterS(waitMs, this.parts.random);
  }

  private drainMs(): number {
    const { lane } = this.parts;
    return Math.max(1, drainWaitMs(lane.bytesFilling + lane.bytesInFlight, lane.bound.writes.drainBytesPerS));
  }
}
