// The first line of a request, "POST /metrics HTTP/1.1": method SP target SP version CRLF and not one byte else
// (RFC 9112 3). Other readers forgive a tab, a second space or a bare LF here; two readers that forgive differently
// are how one request becomes two.
// HOT: runs once a request, on an ingest thread; numbers in, numbers out. Reads nothing at or past limit.

import { REFUSAL } from "../errors.ts";
import { LEADING_CRLF_MAX, TARGET_BYTES_MAX } from "../limits.ts";
import {
  CLASS,
  CR,
  DOT,
  fourBytes,
  LF,
  NINE,
  SP,
  TARGET,
  TOKEN,
  wordBytes,
  ZERO,
} from "./character-class.ts";
import { type FaultSink, NEED_MORE, refuse, refuseBad } from "./head-fault.ts";
import { decodeMethod } from "./request-method.ts";
import { splitTarget, TARGET_FINE, type TargetSpans } from "./request-target.ts";

const VERSION_PREFIX = wordBytes("HTTP/");
const HTTP_FOUR = fourBytes(wordBytes("HTTP"), 0);
const SLASH_ONE_DOT_ONE_FOUR = fourBytes(wordBytes("/1.1"), 0);
/** DIGIT "." DIGIT CR LF */
const VERSION_REST_BYTES = 5;

const TARGET_TOO_LONG = `a target longer than ${TARGET_BYTES_MAX} bytes`;
const VERSION_MALFORMED = "a version that is not HTTP/digit.digit";

/** Where a request line's parts are left. */
export interface RequestLine extends TargetSpans, FaultSink {
  method: number;
  isHttp10: boolean;
}

/** Reads the line that begins at bytes[start], after at most LEADING_CRLF_MAX empty ones; returns the index after it. */
export function parseRequestLine(bytes: Uint8Array, start: number, limit: number, line: RequestLine): number {
  let at = start;
  for (let skipped = 0; at < limit && bytes[at] === CR; skipped++) {
    if (skipped === LEADING_CRLF_MAX) return refuseBad(line, "too many empty lines before the request line");
    if (at + 1 === limit) return NEED_MORE;
    if (bytes[at + 1] !== LF) return refuseBad(line, "a bare CR before the request line");
    at += 2;
  }

  const methodStart = at;
  while (at < limit && (CLASS[bytes[at]] & TOKEN) !== 0) at++;
  if (at === limit) return NEED_MORE;
  if (bytes[at] !== SP || at === methodStart)
    return refuseBad(line, "a request line that is not METHOD SP target");
  line.method = decodeMethod(bytes, methodStart, at);

  const targetStart = ++at;
  let classes = 0;
  while (at < limit) {
    const bits = CLASS[bytes[at]];
    if ((bits & TARGET) === 0) break;
    classes |= bits;
    at++;
  }
  if (at - targetStart > TARGET_BYTES_MAX) return refuseBad(line, TARGET_TOO_LONG);
  if (at === limit) return NEED_MORE;
  if (at === targetStart) return refuseBad(line, "a request line without a target");
  if (bytes[at] !== SP) return refuseBad(line, targetFault(bytes[at]));
  const verdict = splitTarget(bytes, targetStart, at, line.method, classes, line);
  if (verdict !== TARGET_FINE) return refuseBad(line, verdict);
  return parseVersion(bytes, at + 1, limit, line);
}

function targetFault(byte: number): string {
  return byte === CR || byte === LF ? "a request line without a version" : "a byte that no target may hold";
}

/** "HTTP/" DIGIT "." DIGIT CRLF; returns the index after it. */
function parseVersion(bytes: Uint8Array, start: number, limit: number, line: RequestLine): number {
  let at = start;
  if (
    at + 10 <= limit &&
    fourBytes(bytes, at) === HTTP_FOUR &&
    fourBytes(bytes, at + 4) === SLASH_ONE_DOT_ONE_FOUR &&
    bytes[at + 8] === CR &&
    bytes[at + 9] === LF
  ) {
    line.isHttp10 = false;
    return at + 10;
  }
  for (let index = 0; index < VERSION_PREFIX.length; index++, at++) {
    if (at === limit) return NEED_MORE;
    if (bytes[at] !== VERSION_PREFIX[index]) return refuseBad(line, VERSION_MALFORMED);
  }
  for (let index = 0; index < VERSION_REST_BYTES; index++, at++) {
    if (at === limit) return NEED_MORE;
    const byte = bytes[at];
    if (index === 0 || index === 2) {
      if (byte < ZERO || byte > NINE) return refuseBad(line, VERSION_MALFORMED);
    } else if (index === 1) {
      if (byte !== DOT) return refuseBad(line, VERSION_MALFORMED);
    } else if (byte !== (index === 3 ? CR : LF)) {
      return refuseBad(line, "a request line that does not end in CRLF");
    }
  }
  const major = bytes[at - 5];
  // HTTP/0.9 has no such line, so whoever writes it means something else.
  if (major === ZERO) return refuseBad(line, "a version before HTTP/1.0");
  if (major !== ZERO + 1) return refuse(line, REFUSAL.version, "");
  line.isHttp10 = bytes[at - 3] === ZERO;
  return at;
}

/** Whether there is nothing but CR and LF in bytes[start, end): no request has begun. */
export function isEmptyLines(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== CR && bytes[at] !== LF) return false;
  return true;
}
