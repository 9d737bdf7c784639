// The bytes of answers. The one answer that matters, "your batch is stored", is built once a second for each count of
// metrics and then handed out as it is; the others are strings until they leave.
// HOT: stored(). One per ingest thread. A buffer that was handed out is never written again, because a socket may
// still hold it: a new second means new buffers.

import type { Clock } from "../base/clock.ts";
import { printable } from "../base/printable.ts";
import { REFUSALS, type Refusal } from "../errors.ts";
import { BATCH_METRICS_MAX_DEFAULT } from "../limits.ts";

/** Counts up to this have their answers kept for the second; past it a batch costs far more than its answer. */
const STORED_KEPT_MAX = BATCH_METRICS_MAX_DEFAULT;

// Which of the stored answers: the level of ack, times how Connection is said.
const CONNECTION_UNSAID = 0;
const CONNECTION_CLOSE = 1;
const CONNECTION_KEEP_ALIVE = 2;
const CONNECTION_WAYS = 3;
const CONNECTION_LINES = ["", "Connection: close\r\n", "Connection: keep-alive\r\n"] as const;
const PREFERENCE_LINES = [
  "",
  "Preference-Applied: ack=accepted\r\n",
  "Preference-Applied: ack=written\r\n",
  "Preference-Applied: ack=synced\r\n",
  "Preference-Applied: ack=replicated\r\n",
] as const;

const JSON_TYPE = "application/json";

/** RFC 9110's phrases for the statuses we send; one that is not here goes out with an empty phrase, which is allowed. */
const PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** How an answer leaves. */
export interface AnswerOptions {
  /** False adds Connection: close. */
  keepAlive: boolean;
  /** Whether the request was HTTP/1.0: such a client is told Connection: keep-alive, or it would wait for the end. */
  isHttp10?: boolean;
  /** The answer to HEAD: the same head, no body. */
  isHead?: boolean;
  /** The methods of Allow. */
  allow?: string;
}

export interface RefusalOptions extends AnswerOptions {
  /** Put after the refusal's own text and ": ". May hold bytes of the client's; it leaves as a JSON string. */
  detail?: string;
  /** Whole seconds; above 0 adds Retry-After. */
  retryAfterS?: number;
}

export class Answers {
  /** 100 Continue: what an Expect waits for. */
  readonly continue100: Uint8Array = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n", "latin1");

  private readonly clock: Clock;
  private secondStartMs = 0;
  private secondEndMs = 0;
  private dateLine = "";
  /** This second's answers: by way (ack level × Connection), then by count. */
  private readonly kept: (Uint8Array | undefined)[][] = [];

  constructor(clock: Clock) {
    this.clock = clock;
    for (let way = 0; way < PREFERENCE_LINES.length * CONNECTION_WAYS; way++) this.kept.push([]);
  }

  /**
   * `200 {"success":true,"metrics_processed":N}`. ackApplied 1 to 4 adds Preference-Applied: accepted, written, synced, replicated.
   * The bytes stay as they are for ever; the caller may keep them.
   */
  stored(metrics: number, keepAlive: boolean, ackApplied: number, isHttp10 = false): Uint8Array {
    this.refreshDate();
    const connection = connectionWay(keepAlive, isHttp10);
    const kept = this.kept[ackApplied * CONNECTION_WAYS + connection];
    if (metrics < kept.length) {
      const answer = kept[metrics];
      if (answer !== undefined) return answer;
    }
    return this.buildStored(metrics, connection, ackApplied, kept);
  }

  /** `{"error":"…"}` with the refusal's status. */
  refusal(refusal: Refusal, options: RefusalOptions): Uint8Array {
    const { status, text } = REFUSALS[refusal];
    const { detail, retryAfterS } = options;
    const body = printable(JSON.stringify({ error: detail ? `${text}: ${detail}` : text }));
    let lines =
      retryAfterS !== undefined && retryAfterS > 0 ? `Retry-After: ${Math.ceil(retryAfterS)}\r\n` : "";
    if (status === 401) lines += "WWW-Authenticate: Bearer\r\n";
    return this.build(status, JSON_TYPE, body, lines, options);
  }

  /** Any other answer. `contentType` and `allow` are the program's own words, never the client's. */
  plain(status: number, contentType: string, body: string, options: AnswerOptions): Uint8Array {
    return this.build(status, contentType, body, "", options);
  }

  private buildStored(
    metrics: number,
    connection: number,
    ackApplied: number,
    kept: (Uint8Array | undefined)[],
  ): Uint8Array {
    const body = `{"success":true,"metrics_processed":${metrics}}`;
    const answer = Buffer.from(
      `HTTP/1.1 200 OK\r\n${this.dateLine}Content-Type: ${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n` +
        `${PREFERENCE_LINES[ackApplied]}${CONNECTION_LINES[connection]}\r\n${body}`,
      "latin1",
    );
    if (metrics <= STORED_KEPT_MAX) {
      while (kept.length <= metrics) kept.push(undefined);
      kept[metrics] = answer;
    }
    return answer;
  }

  private build(
    status: number,
    contentType: string,
    body: string,
    lines: string,
    options: AnswerOptions,
  ): Uint8Array {
    this.refreshDate();
    // RFC 9110 8.6: a 204 has no Content-Length; every other answer of ours has.
    const content =
      status === 204
        ? ""
        : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body, "utf8")}\r\n`;
    const allow = options.allow === undefined ? "" : `Allow: ${options.allow}\r\n`;
    const connection = CONNECTION_LINES[connectionWay(options.keepAlive, options.isHttp10 === true)];
    return Buffer.from(
      `HTTP/1.1 ${status} ${PHRASES[status] ?? ""}\r\n${this.dateLine}${content}${allow}${lines}${connection}\r\n` +
        (options.isHead === true || status === 204 ? "" : body),
      "utf8",
    );
  }

  /** A new second, or a clock that was set back, makes every kept answer old. */
  private refreshDate(): void {
    const nowMs = this.clock.wallMs();
    if (nowMs >= this.secondStartMs && nowMs < this.secondEndMs) return;
    this.secondStartMs = Math.floor(nowMs / 1000) * 1000;
    this.secondEndMs = this.secondStartMs + 1000;
    this.dateLine = `Date: ${new Date(this.secondStartMs).toUTCString()}\r\n`;
    for (const kept of this.kept) kept.fill(undefined);
  }
}

function connectionWay(keepAlive: boolean, isHttp10: boolean): number {
  if (!keepAlive) return CONNECTION_CLOSE;
  return isHttp10 ? CONNECTION_KEEP_ALIVE : CONNECTION_UNSAID;
}
