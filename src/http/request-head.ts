// A request's line and header section, bytes in, spans and numbers out: RFC 9112 read strictly. A byte that another
// reader could take differently (a bare LF, a second length, a folded line) is a fault, and a fault ends the connection.
// HOT: no strings, no objects; one table look-up a byte, and a name is compared only where its length is one we know.
// One per ingest thread, reused; what it holds is valid until the next parse() and points into that call's bytes.
//
//   POST /metrics?q HTTP/1.1␍␊ Host: a␍␊ Content-Length: 5␍␊ ␍␊
//   request-line.ts          └──── parseFields ────────┘  └─ finish: what only the whole head can tell
//
// Must hold: the verdict on a head depends on its bytes alone, never on how they were cut into calls; nothing at or
// past `end` is read.

import { REFUSAL, type Refusal } from "../errors.ts";
import { HEAD_BYTES_MAX, HEADER_COUNT_MAX } from "../limits.ts";
import { AUTHORITY_BAD, checkAuthority } from "./authority.ts";
import { CLASS, COLON, CR, FIELD, HTAB, isOptionalSpace, LF, SP, TOKEN } from "./character-class.ts";
import {
  decodeFieldName,
  FIELD_ACCEPT,
  FIELD_AUTHORIZATION,
  FIELD_CLIENT_ID,
  FIELD_CONNECTION,
  FIELD_CONTENT_ENCODING,
  FIELD_CONTENT_LENGTH,
  FIELD_CONTENT_TYPE,
  FIELD_HOST,
  FIELD_NAME_BYTES,
  FIELD_OTHER,
  FIELD_PREFER,
  FIELD_TRANSFER_ENCODING,
} from "./field-name.ts";
import {
  ACK_NOT_ASKED,
  CODING_IDENTITY,
  CODING_UNKNOWN,
  CONNECTION_CLOSE,
  CONNECTION_KEEP_ALIVE,
  decodeAck,
  decodeConnection,
  decodeContentCoding,
  decodeContentLength,
  decodeTransferCoding,
  isContinue,
  namesJson,
  TRANSFER_BAD,
  TRANSFER_CHUNKED,
  TRANSFER_NONE,
  TRANSFER_UNKNOWN,
} from "./field-values.ts";
import { FAULTED, NEED_MORE, refuse, refuseBad } from "./head-fault.ts";
import { parseRequestLine } from "./request-line.ts";
import { METHOD_OTHER } from "./request-method.ts";

export {
  ACK_ACCEPTED,
  ACK_NOT_ASKED,
  ACK_SYNCED,
  ACK_UNKNOWN,
  ACK_WRITTEN,
  CODING_DEFLATE,
  CODING_GZIP,
  CODING_IDENTITY,
  CODING_UNKNOWN,
  CODING_ZSTD,
} from "./field-values.ts";
export {
  METHOD_CONNECT,
  METHOD_DELETE,
  METHOD_GET,
  METHOD_HEAD,
  METHOD_OPTIONS,
  METHOD_OTHER,
  METHOD_PATCH,
  METHOD_POST,
  METHOD_PUT,
  METHOD_TRACE,
} from "./request-method.ts";

/** Not all there yet: parse again from the same start once more bytes have come. */
export const HEAD_PARTIAL = 0;
export const HEAD_COMPLETE = 1;
/** `fault` and `faultDetail` say what is wrong; no byte after it can be trusted. */
export const HEAD_FAULT = 2;

// Details of faults.
const FINE = "";
const HEAD_TOO_LONG = `it passes ${HEAD_BYTES_MAX} bytes`;
const HEAD_TOO_MANY = `it passes ${HEADER_COUNT_MAX} fields`;

export class RequestHead {
  /** First byte after the empty line. */
  headEnd = 0;
  method = METHOD_OTHER;
  /** The path; see TargetSpans for the forms a target has. */
  targetStart = 0;
  targetEnd = 0;
  /** Without the "?"; -1 if there is no query. */
  queryStart = -1;
  queryEnd = -1;
  isAsterisk = false;
  isHttp10 = false;
  /** Whether the client wants the connection kept, from the version and Connection. */
  keepAlive = true;
  /** Body bytes, or -1 where no Content-Length was sent (then there is no body unless isChunked). */
  contentLength = -1;
  isChunked = false;
  expectsContinue = false;
  // Spans without outer whitespace; -1 when absent, start = end when sent empty.
  contentTypeStart = -1;
  contentTypeEnd = -1;
  authorizationStart = -1;
  authorizationEnd = -1;
  clientIdStart = -1;
  clientIdEnd = -1;
  contentCoding = CODING_IDENTITY;
  ackAsked = ACK_NOT_ASKED;
  acceptsJson = false;
  /** After HEAD_FAULT only. */
  fault: Refusal = REFUSAL.bad_request;
  faultDetail = "";

  private hasHost = false;
  private hasContentCoding = false;
  private transferCoding = TRANSFER_NONE;
  private connectionBits = 0;
  private hasUnknownExpectation = false;

  /**
   * Reads the head that begins at bytes[start] (leading empty lines are passed over). After HEAD_PARTIAL call again
   * with the same start and more bytes; the rescan is bounded by HEAD_BYTES_MAX. `bytes` is not kept.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    this.reset();
    const isBounded = end - start >= HEAD_BYTES_MAX;
    const limit = isBounded ? start + HEAD_BYTES_MAX : end;
    let at = parseRequestLine(bytes, start, limit, this);
    if (at >= 0) at = this.parseFields(bytes, at, limit);
    if (at >= 0) {
      this.headEnd = at;
      return this.finish();
    }
    if (at === FAULTED) return HEAD_FAULT;
    if (!isBounded) return HEAD_PARTIAL;
    refuse(this, REFUSAL.head_too_large, HEAD_TOO_LONG);
    return HEAD_FAULT;
  }

  /** What a fault leaves is then never the last request's. */
  private reset(): void {
    this.method = METHOD_OTHER;
    this.isHttp10 = false;
    this.keepAlive = false;
    this.contentLength = -1;
    this.isChunked = false;
    this.expectsContinue = false;
    this.contentTypeStart = -1;
    this.contentTypeEnd = -1;
    this.authorizationStart = -1;
    this.authorizationEnd = -1;
    this.clientIdStart = -1;
    this.clientIdEnd = -1;
    this.contentCoding = CODING_IDENTITY;
    this.ackAsked = ACK_NOT_ASKED;
    this.acceptsJson = false;
    this.hasHost = false;
    this.hasContentCoding = false;
    this.transferCoding = TRANSFER_NONE;
    this.connectionBits = 0;
    this.hasUnknownExpectation = false;
  }

  /** The header section; returns the index after its empty line. */
  private parseFields(bytes: Uint8Array, start: number, limit: number): number {
    let at = start;
    for (let count = 0; ; count++) {
      const nameStart = at;
      const field = decodeFieldName(bytes, at, limit);
      if (field === FIELD_OTHER) {
        while (at < limit && (CLASS[bytes[at]] & TOKEN) !== 0) at++;
        if (at === limit) return NEED_MORE;
        if (bytes[at] !== COLON || at === nameStart) {
          if (bytes[at] !== CR || at !== nameStart)
            return refuseBad(this, nameFault(bytes[at], at === nameStart));
          if (at + 1 === limit) return NEED_MORE;
          return bytes[at + 1] === LF ? at + 2 : refuseBad(this, "a bare CR in the header section");
        }
      } else {
        at += FIELD_NAME_BYTES[field];
      }
      if (count === HEADER_COUNT_MAX) return refuse(this, REFUSAL.head_too_large, HEAD_TOO_MANY);
      at++;
      while (at < limit && (bytes[at] === SP || bytes[at] === HTAB)) at++;
      const valueStart = at;
      while (at < limit && (CLASS[bytes[at]] & FIELD) !== 0) at++;
      if (at === limit) return NEED_MORE;
      if (bytes[at] !== CR) return refuseBad(this, valueFault(bytes[at]));
      if (at + 1 === limit) return NEED_MORE;
      if (bytes[at + 1] !== LF) return refuseBad(this, "a bare CR in a header value");
      if (field !== FIELD_OTHER) {
        let valueEnd = at;
        while (valueEnd > valueStart && isOptionalSpace(bytes[valueEnd - 1])) valueEnd--;
        const wrong = this.takeField(field, bytes, valueStart, valueEnd);
        if (wrong !== FINE) return refuseBad(this, wrong);
      }
      at += 2;
    }
  }

  /** One field that we know; returns FINE or what is wrong with it. */
  private takeField(field: number, bytes: Uint8Array, start: number, end: number): string {
    switch (field) {
      case FIELD_HOST:
        if (this.hasHost) return "two Host fields";
        this.hasHost = true;
        return checkAuthority(bytes, start, end) === AUTHORITY_BAD ? "a Host that is not host[:port]" : FINE;
      case FIELD_CONTENT_LENGTH:
        if (this.contentLength >= 0) return "two Content-Length fields";
        this.contentLength = decodeContentLength(bytes, start, end);
        return this.contentLength < 0 ? "a Content-Length that is not a plain decimal number" : FINE;
      case FIELD_CONTENT_TYPE:
        if (this.contentTypeStart >= 0) return "two Content-Type fields";
        this.contentTypeStart = start;
        this.contentTypeEnd = end;
        return FINE;
      case FIELD_CLIENT_ID:
        if (this.clientIdStart >= 0) return "two X-Client-Id fields";
        this.clientIdStart = start;
        this.clientIdEnd = end;
        return FINE;
      case FIELD_AUTHORIZATION:
        if (this.authorizationStart >= 0) return "two Authorization fields";
        this.authorizationStart = start;
        this.authorizationEnd = end;
        return FINE;
      case FIELD_TRANSFER_ENCODING:
        if (this.transferCoding !== TRANSFER_NONE) return "two Transfer-Encoding fields";
        this.transferCoding = decodeTransferCoding(bytes, start, end);
        return this.transferCoding === TRANSFER_BAD ? "a Transfer-Encoding other than chunked, alone" : FINE;
      case FIELD_CONTENT_ENCODING:
        this.contentCoding = this.hasContentCoding ? CODING_UNKNOWN : decodeContentCoding(bytes, start, end);
        this.hasContentCoding = true;
        return FINE;
      case FIELD_ACCEPT:
        this.acceptsJson ||= namesJson(bytes, start, end);
        return FINE;
      case FIELD_PREFER:
        if (this.ackAsked === ACK_NOT_ASKED) this.ackAsked = decodeAck(bytes, start, end);
        return FINE;
      case FIELD_CONNECTION:
        this.connectionBits |= decodeConnection(bytes, start, end);
        return FINE;
      default:
        if (isContinue(bytes, start, end)) this.expectsContinue = true;
        else this.hasUnknownExpectation = true;
        return FINE;
    }
  }

  /** What only the whole head can tell. */
  private finish(): number {
    if (!this.hasHost && !this.isHttp10) return this.faultAtEnd(REFUSAL.bad_request, "no Host field");
    if (this.transferCoding !== TRANSFER_NONE) {
      if (this.contentLength >= 0) {
        return this.faultAtEnd(REFUSAL.bad_request, "both Content-Length and Transfer-Encoding");
      }
      if (this.isHttp10) return this.faultAtEnd(REFUSAL.bad_request, "Transfer-Encoding in HTTP/1.0");
      if (this.transferCoding === TRANSFER_UNKNOWN) return this.faultAtEnd(REFUSAL.transfer_coding, FINE);
    }
    if (this.hasUnknownExpectation) return this.faultAtEnd(REFUSAL.expectation, FINE);
    this.isChunked = this.transferCoding === TRANSFER_CHUNKED;
    this.keepAlive =
      (this.connectionBits & CONNECTION_CLOSE) === 0 &&
      (!this.isHttp10 || (this.connectionBits & CONNECTION_KEEP_ALIVE) !== 0);
    // RFC 9110 10.1.1: an HTTP/1.0 client's 100-continue is ignored; it could not read the answer.
    if (this.isHttp10) this.expectsContinue = false;
    return HEAD_COMPLETE;
  }

  private faultAtEnd(refusal: Refusal, detail: string): number {
    refuse(this, refusal, detail);
    return HEAD_FAULT;
  }
}

function nameFault(byte: number, isFirst: boolean): string {
  if (byte === SP || byte === HTAB) {
    return isFirst ? "a header line that begins with whitespace" : "whitespace before the colon of a header";
  }
  if (byte === LF) return "a bare LF in the header section";
  if (byte === CR) return "a header line without a colon";
  if (byte === COLON) return "a header without a name";
  return "a byte that no header name may hold";
}

function valueFault(byte: number): string {
  return byte === LF ? "a bare LF in a header value" : "a control character in a header value";
}
