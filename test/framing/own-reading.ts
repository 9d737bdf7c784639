// What the server's own connection makes of a stream of bytes: the requests that it takes, with their bodies, the fault
// that ends it, and whether it waits for more. The real connection and parser, in this process, between a stream and
// an exchange that only record. Pure but for the Date in its answers, and the same on both runtimes.

import { REFUSALS } from "../../src/errors.ts";
import { Answers } from "../../src/http/answers.ts";
import { BodyPool } from "../../src/http/body-pool.ts";
import { HttpConnection } from "../../src/http/connection.ts";
import { ConnectionRegistry } from "../../src/http/connection-registry.ts";
import type { ConnectionShared } from "../../src/http/connection-shared.ts";
import { ADMIT_TAKE, type Exchange, type Stream } from "../../src/http/exchange.ts";
import { CODING_IDENTITY, RequestHead } from "../../src/http/request-head.ts";
import { BODY_BYTES_MAX_DEFAULT, KEEP_ALIVE_TIMEOUT_MS_DEFAULT } from "../../src/limits.ts";

/** One request as a reader took it; texts are bytes (latin1). */
export interface TakenRequest {
  /** As it was sent, to its empty line. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** How a stream stands after its last byte: closed by the reader, waiting for the rest of a request, or between two. */
export type Standing = "closed" | "waiting" | "idle";

export interface Reading {
  readonly requests: readonly TakenRequest[];
  /** The refusal's reason where a fault ended it, else "". */
  readonly fault: string;
  readonly standing: Standing;
}

/** By the parser's numbers; those that it does not tell apart share a name. */
const METHOD_NAMES = [
  "other",
  "GET",
  "HEAD",
  "POST",
  "OPTIONS",
  "PUT",
  "DELETE",
  "PATCH",
  "TRACE",
  "CONNECT",
];

class RecordingStream implements Stream {
  isEnded = false;
  /** All but 100 Continue. */
  answers = 0;
  write(bytes: Uint8Array): void {
    if (bytes !== answers.continue100) this.answers++;
  }
  backlogBytes(): number {
    return 0;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.isEnded = true;
  }
  remoteAddress(): string {
    return "127.0.0.1";
  }
}

class TakingExchange implements Exchange<null> {
  requests: TakenRequest[] = [];
  fault = "";
  private taken: TakenRequest | null = null;

  admit(_connection: HttpConnection<null>, head: RequestHead, bytes: Uint8Array): number {
    this.taken = takenFrom(head, bytes, takingHead.start, "");
    return ADMIT_TAKE;
  }

  handle(connection: HttpConnection<null>, bytes: Uint8Array, start: number, end: number): void {
    const body = Buffer.from(bytes.subarray(start, end)).toString("latin1");
    this.requests.push({ ...this.taken!, body });
    connection.answer(SOME_ANSWER);
  }

  refused(refusal: number): number {
    this.fault = REFUSALS[refusal]!.reason;
    return 0;
  }
}

/** Bodies are compared as they are framed, not as they are coded. */
class UncodedHead extends RequestHead {
  start = 0;
  override parse(bytes: Uint8Array, start: number, end: number): number {
    this.start = start;
    const outcome = super.parse(bytes, start, end);
    this.contentCoding = CODING_IDENTITY;
    return outcome;
  }
}

const pool = new BodyPool();
const answers = new Answers({ wallMs: () => 0, monotonicMs: () => 0 });
/** What recording exchanges answer with. */
export const SOME_ANSWER: Uint8Array = answers.stored(1, true, 0);
const takingHead = new UncodedHead();

/** Reads the bytes in the pieces that `cuts`, ascending offsets, make of them. */
export function readAsServer(bytes: Buffer, cuts: readonly number[] = []): Reading {
  const exchange = new TakingExchange();
  const { standing } = feed(exchange, takingHead, bytes, cuts);
  return { requests: exchange.requests, fault: exchange.fault, standing };
}

/** Gives the bytes to a connection with that exchange; what came of it but for what the exchange knows. */
export function feed(
  exchange: Exchange<null>,
  head: RequestHead,
  bytes: Buffer,
  cuts: readonly number[],
): { readonly standing: Standing; readonly answers: number } {
  const stream = new RecordingStream();
  const registry = new ConnectionRegistry<HttpConnection<null>>(() => {});
  const shared: ConnectionShared<null> = {
    head,
    exchange,
    answers,
    budget: { tryTake: () => true, give: () => {} },
    pool,
    registry,
    bodyBytesMax: BODY_BYTES_MAX_DEFAULT,
    keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS_DEFAULT,
    keepAliveAllowed: true,
    coarseMs: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };
  const connection = new HttpConnection<null>(stream, null, shared);
  registry.add(connection);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    if (to > from) connection.received(bytes.subarray(from, to));
    from = to;
  }
  const isClosed = stream.isEnded;
  // Of what is still open, what waits for the rest of a request stays so.
  registry.finishIdleAndUnused();
  const standing = isClosed ? "closed" : stream.isEnded ? "idle" : "waiting";
  connection.closed();
  return { standing, answers: stream.answers };
}

/**
 * A request as the parser left it in `head`, which began at `start`: the method by name, for those that the server tells
 * apart, and the path with its query, whatever form the target has.
 */
export function takenFrom(head: RequestHead, bytes: Uint8Array, start: number, body: string): TakenRequest {
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  const path = text(head.targetStart, head.targetEnd);
  const query = head.queryStart < 0 ? "" : `?${text(head.queryStart, head.queryEnd)}`;
  return {
    head: text(start, head.headEnd),
    method: METHOD_NAMES[head.method]!,
    target: path + query,
    body,
  };
}
