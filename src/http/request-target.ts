// A request target taken apart (RFC 9112 3.2): which of the four forms it has, and where its path and query lie.
// The caller has already seen that every byte is of class TARGET. Percent-escapes are checked, never decoded:
// our routes hold none, and %00, %0D and %0A have no honest use.
// HOT: runs once a request, in one comparison for an origin-form target without marks.

import { AUTHORITY_BAD, AUTHORITY_HOST_PORT, checkAuthority } from "./authority.ts";
import {
  CLASS,
  HEX,
  hexValue,
  isWordAnyCase,
  PERCENT,
  QUESTION,
  SLASH,
  TARGET_MARK,
  wordBytes,
} from "./character-class.ts";
import { METHOD_CONNECT, METHOD_OPTIONS } from "./request-method.ts";

const ASTERISK = 0x2a;
const HTTP_SCHEME = wordBytes("http://");
const HTTPS_SCHEME = wordBytes("https://");

export const TARGET_FINE = "";
const ASTERISK_MISUSED = "an asterisk target with a method other than OPTIONS";
const CONNECT_MISUSED = "a CONNECT target that is not host:port";
const FORM_UNKNOWN = "a target that is neither a path nor an http URL";
const AUTHORITY_BROKEN = "a target whose authority is not host[:port]";
const QUERY_TWICE = "a raw '?' inside the query; send %3F";
const ESCAPE_BROKEN = "a '%' in the target that two hex digits do not follow";
const ESCAPE_REFUSED = "an escaped NUL, CR or LF in the target";

/** Where the parts of a target lie; indexes into the bytes that were parsed. */
export interface TargetSpans {
  /** The path. For an absolute URL without one this is a "/" of the "//" before its authority. */
  targetStart: number;
  targetEnd: number;
  /** The byte after the "?", or -1. */
  queryStart: number;
  queryEnd: number;
  isAsterisk: boolean;
}

/**
 * Takes bytes[start, end) apart into `spans`; `classes` is the OR of the classes of its bytes.
 * Returns TARGET_FINE, or what is wrong with it.
 */
export function splitTarget(
  bytes: Uint8Array,
  start: number,
  end: number,
  method: number,
  classes: number,
  spans: TargetSpans,
): string {
  spans.targetStart = start;
  spans.targetEnd = end;
  spans.queryStart = -1;
  spans.queryEnd = -1;
  spans.isAsterisk = false;
  if (method === METHOD_CONNECT) {
    return checkAuthority(bytes, start, end) === AUTHORITY_HOST_PORT ? TARGET_FINE : CONNECT_MISUSED;
  }
  if (bytes[start] === SLASH) {
    return (classes & TARGET_MARK) === 0 ? TARGET_FINE : splitPath(bytes, start, end, spans);
  }
  if (bytes[start] === ASTERISK && end - start === 1) {
    spans.isAsterisk = true;
    return method === METHOD_OPTIONS ? TARGET_FINE : ASTERISK_MISUSED;
  }
  return splitAbsolute(bytes, start, end, spans);
}

function splitAbsolute(bytes: Uint8Array, start: number, end: number, spans: TargetSpans): string {
  const httpEnd = start + HTTP_SCHEME.length;
  const httpsEnd = start + HTTPS_SCHEME.length;
  let authorityStart = -1;
  if (httpEnd < end && isWordAnyCase(bytes, start, httpEnd, HTTP_SCHEME)) authorityStart = httpEnd;
  else if (httpsEnd < end && isWordAnyCase(bytes, start, httpsEnd, HTTPS_SCHEME)) authorityStart = httpsEnd;
  if (authorityStart < 0) return FORM_UNKNOWN;
  let authorityEnd = authorityStart;
  while (authorityEnd < end && bytes[authorityEnd] !== SLASH && bytes[authorityEnd] !== QUESTION)
    authorityEnd++;
  if (checkAuthority(bytes, authorityStart, authorityEnd) === AUTHORITY_BAD) return AUTHORITY_BROKEN;
  const verdict = splitPath(bytes, authorityEnd, end, spans);
  if (spans.targetStart === spans.targetEnd) {
    spans.targetStart = authorityStart - 1;
    spans.targetEnd = authorityStart;
  }
  return verdict;
}

function splitPath(bytes: Uint8Array, start: number, end: number, spans: TargetSpans): string {
  spans.targetStart = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUESTION) {
      if (spans.queryStart >= 0) return QUERY_TWICE;
      spans.targetEnd = at;
      spans.queryStart = at + 1;
      spans.queryEnd = end;
    } else if (byte === PERCENT) {
      if (at + 2 >= end || (CLASS[bytes[at + 1]] & CLASS[bytes[at + 2]] & HEX) === 0) return ESCAPE_BROKEN;
      const value = hexValue(bytes[at + 1]) * 16 + hexValue(bytes[at + 2]);
      if (value === 0x00 || value === 0x0d || value === 0x0a) return ESCAPE_REFUSED;
      at += 2;
    }
  }
  return TARGET_FINE;
}
