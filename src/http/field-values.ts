// What the values of the header fields that we act on mean. Each function judges one value, bytes[start, end), which
// the caller has freed of outer whitespace and of controls; it keeps nothing and reads nothing outside the span.
// Where a value could be read two ways (lengths, codings) the stricter reading is taken and the rest refused.
// HOT: run once a field. Numbers in, numbers out; no strings.

import {
  BACKSLASH,
  CLASS,
  COMMA,
  DOT,
  EQUALS,
  isOptionalSpace,
  isWordAnyCase,
  NINE,
  QUOTE,
  SEMICOLON,
  TOKEN,
  wordBytes,
  ZERO,
} from "./character-class.ts";

/** The codings of a body, from Content-Encoding. A list of two is unknown: nobody needs it. */
export const CODING_IDENTITY = 0;
export const CODING_GZIP = 1;
export const CODING_DEFLATE = 2;
export const CODING_ZSTD = 3;
export const CODING_UNKNOWN = 4;

/** What `Prefer: ack=…` asks for. */
export const ACK_NOT_ASKED = 0;
export const ACK_ACCEPTED = 1;
export const ACK_WRITTEN = 2;
export const ACK_SYNCED = 3;
export const ACK_REPLICATED = 4;
/** Prefer names `ack` with a value that is none of ours. */
export const ACK_UNKNOWN = 5;

/** Verdicts on Transfer-Encoding. */
export const TRANSFER_NONE = 0;
export const TRANSFER_CHUNKED = 1;
/** One coding, well-formed, that is not chunked. */
export const TRANSFER_UNKNOWN = 2;
/** Empty, a list, with parameters, or no token. */
export const TRANSFER_BAD = 3;

/** Bits of a Connection value. */
export const CONNECTION_CLOSE = 1;
export const CONNECTION_KEEP_ALIVE = 2;

/** Past 15 digits a number could lose its last ones; no body of ours is near. */
const LENGTH_DIGITS_MAX = 15;

const CHUNKED = wordBytes("chunked");
const CLOSE = wordBytes("close");
const KEEP_ALIVE = wordBytes("keep-alive");
const CONTINUE = wordBytes("100-continue");
const IDENTITY = wordBytes("identity");
const GZIP = wordBytes("gzip");
const X_GZIP = wordBytes("x-gzip");
const DEFLATE = wordBytes("deflate");
const ZSTD = wordBytes("zstd");
const APPLICATION_JSON = wordBytes("application/json");
const ACK = wordBytes("ack");
const REPLICATED = wordBytes("replicated");
const ACCEPTED = wordBytes("accepted");
const WRITTEN = wordBytes("written");
const SYNCED = wordBytes("synced");
const Q = wordBytes("q");

/** Content-Length: digits only, no leading zero; -1 for anything else. */
export function decodeContentLength(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits === 0 || digits > LENGTH_DIGITS_MAX || (bytes[start] === ZERO && digits > 1)) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte < ZERO || byte > NINE) return -1;
    length = length * 10 + (byte - ZERO);
  }
  return length;
}

/** Transfer-Encoding: one of the TRANSFER verdicts. */
export function decodeTransferCoding(bytes: Uint8Array, start: number, end: number): number {
  if (isWordAnyCase(bytes, start, end, CHUNKED)) return TRANSFER_CHUNKED;
  return start < end && tokenEnd(bytes, start, end) === end ? TRANSFER_UNKNOWN : TRANSFER_BAD;
}

/** Content-Encoding: one of the CODING numbers. */
export function decodeContentCoding(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || isWordAnyCase(bytes, start, end, IDENTITY)) return CODING_IDENTITY;
  if (isWordAnyCase(bytes, start, end, GZIP) || isWordAnyCase(bytes, start, end, X_GZIP)) return CODING_GZIP;
  if (isWordAnyCase(bytes, start, end, ZSTD)) return CODING_ZSTD;
  if (isWordAnyCase(bytes, start, end, DEFLATE)) return CODING_DEFLATE;
  return CODING_UNKNOWN;
}

/** Connection: the CONNECTION bits that the list names. */
export function decodeConnection(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; ) {
    while (at < end && (bytes[at] === COMMA || isOptionalSpace(bytes[at]))) at++;
    const wordStart = at;
    while (at < end && bytes[at] !== COMMA) at++;
    const wordEnd = trimEnd(bytes, wordStart, at);
    if (isWordAnyCase(bytes, wordStart, wordEnd, CLOSE)) bits |= CONNECTION_CLOSE;
    else if (isWordAnyCase(bytes, wordStart, wordEnd, KEEP_ALIVE)) bits |= CONNECTION_KEEP_ALIVE;
  }
  return bits;
}

/** Expect: whether it is 100-continue, the one expectation there is. */
export function isContinue(bytes: Uint8Array, start: number, end: number): boolean {
  return isWordAnyCase(bytes, start, end, CONTINUE);
}

/** Accept: whether a media range is application/json itself, with a quality above 0. */
export function namesJson(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < APPLICATION_JSON.length) return false;
  for (let at = start; at < end; ) {
    while (at < end && (bytes[at] === COMMA || isOptionalSpace(bytes[at]))) at++;
    const memberStart = at;
    at = memberEnd(bytes, at, end);
    const rangeEnd = pieceEnd(bytes, memberStart, at);
    if (isWordAnyCase(bytes, memberStart, trimEnd(bytes, memberStart, rangeEnd), APPLICATION_JSON)) {
      if (!hasZeroQuality(bytes, rangeEnd, at)) return true;
    }
  }
  return false;
}

/** Prefer (RFC 7240): the first `ack` of the list, as an ACK number. Other preferences are not ours. */
export function decodeAck(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; ) {
    while (at < end && (bytes[at] === COMMA || isOptionalSpace(bytes[at]))) at++;
    const memberStart = at;
    at = memberEnd(bytes, at, end);
    const nameEnd = tokenEnd(bytes, memberStart, at);
    if (isWordAnyCase(bytes, memberStart, nameEnd, ACK)) {
      return decodeAckValue(bytes, nameEnd, trimEnd(bytes, nameEnd, pieceEnd(bytes, memberStart, at)));
    }
  }
  return ACK_NOT_ASKED;
}

/** `bytes[start, end)` is what follows the name `ack`: "=" and a token, quoted or not. */
function decodeAckValue(bytes: Uint8Array, start: number, end: number): number {
  let at = skipSpace(bytes, start, end);
  if (at === end || bytes[at] !== EQUALS) return ACK_UNKNOWN;
  at = skipSpace(bytes, at + 1, end);
  let wordEnd = end;
  if (wordEnd - at >= 2 && bytes[at] === QUOTE && bytes[wordEnd - 1] === QUOTE) {
    at++;
    wordEnd--;
  }
  if (isWordAnyCase(bytes, at, wordEnd, SYNCED)) return ACK_SYNCED;
  if (isWordAnyCase(bytes, at, wordEnd, WRITTEN)) return ACK_WRITTEN;
  if (isWordAnyCase(bytes, at, wordEnd, ACCEPTED)) return ACK_ACCEPTED;
  if (isWordAnyCase(bytes, at, wordEnd, REPLICATED)) return ACK_REPLICATED;
  return ACK_UNKNOWN;
}

/** Whether the parameters in bytes[start, end), each with its ";" before it, hold q=0, q=0.0, q=0.00 or q=0.000. */
function hasZeroQuality(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const nameStart = skipSpace(bytes, at + 1, end);
    at = pieceEnd(bytes, nameStart, end);
    const nameEnd = tokenEnd(bytes, nameStart, at);
    if (!isWordAnyCase(bytes, nameStart, nameEnd, Q) || nameEnd === at || bytes[nameEnd] !== EQUALS) continue;
    const valueEnd = trimEnd(bytes, nameEnd + 1, at);
    let zeros = nameEnd + 1;
    while (zeros < valueEnd && (bytes[zeros] === ZERO || bytes[zeros] === DOT)) zeros++;
    if (zeros === valueEnd && valueEnd > nameEnd + 1) return true;
  }
  return false;
}

/** The index of the comma that ends the list member at start, or end; a comma between quotes ends nothing. */
function memberEnd(bytes: Uint8Array, start: number, end: number): number {
  return delimiterIndex(bytes, start, end, COMMA);
}

/** The index of the semicolon that ends the piece of a member at start, or end. */
function pieceEnd(bytes: Uint8Array, start: number, end: number): number {
  return delimiterIndex(bytes, start, end, SEMICOLON);
}

function delimiterIndex(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  let isQuoted = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === BACKSLASH && isQuoted) at++;
    else if (byte === delimiter && !isQuoted) return at;
  }
  return end;
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (CLASS[bytes[at]] & TOKEN) !== 0) at++;
  return at;
}

function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isOptionalSpace(bytes[at])) at++;
  return at;
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isOptionalSpace(bytes[at - 1])) at--;
  return at;
}
