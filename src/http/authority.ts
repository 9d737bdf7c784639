// Whether a span is a valid uri-host [ ":" port ] (RFC 3986 3.2): what a Host field, an absolute target and CONNECT name.
// Nothing here routes by host; it is checked because a proxy before us may, and a value read two ways is how
// requests are smuggled. No userinfo, no comma, no empty host, no port past 65535. IPvFuture is refused: nobody has it.
// HOT: runs once a request. Pure; reads nothing outside the span.

import { CLASS, COLON, DOT, HEX, HOST, NINE, PERCENT, ZERO } from "./character-class.ts";

const PORT_MAX = 65_535;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

export const AUTHORITY_BAD = 0;
/** A host alone, or one with an empty port ("host:"), which RFC 3986 allows. */
export const AUTHORITY_HOST = 1;
export const AUTHORITY_HOST_PORT = 2;

/** Judges bytes[start, end). */
export function checkAuthority(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return AUTHORITY_BAD;
  const hostEnd =
    bytes[start] === BRACKET_OPEN ? ipLiteralEnd(bytes, start, end) : registeredNameEnd(bytes, start, end);
  if (hostEnd <= start) return AUTHORITY_BAD;
  if (hostEnd === end) return AUTHORITY_HOST;
  if (bytes[hostEnd] !== COLON) return AUTHORITY_BAD;
  if (hostEnd + 1 === end) return AUTHORITY_HOST;
  let port = 0;
  for (let at = hostEnd + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte < ZERO || byte > NINE) return AUTHORITY_BAD;
    port = port * 10 + (byte - ZERO);
    if (port > PORT_MAX) return AUTHORITY_BAD;
  }
  return AUTHORITY_HOST_PORT;
}

/** Where the registered name or IPv4 address that begins at start ends; -1 for a broken percent-escape. */
function registeredNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if ((CLASS[byte] & HOST) !== 0) {
      at++;
    } else if (byte === PERCENT) {
      if (at + 2 >= end || (CLASS[bytes[at + 1]] & CLASS[bytes[at + 2]] & HEX) === 0) return -1;
      at += 3;
    } else {
      break;
    }
  }
  return at;
}

/** The index after the "]" of an IPv6 literal that begins at start; -1 if it is none (RFC 3986's IPv6address). */
function ipLiteralEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  let groups = 0;
  let elided = false;
  if (at + 1 < end && bytes[at] === COLON && bytes[at + 1] === COLON) {
    elided = true;
    at += 2;
  }
  while (at < end && bytes[at] !== BRACKET_CLOSE) {
    const groupStart = at;
    while (at < end && (CLASS[bytes[at]] & HEX) !== 0) at++;
    if (at < end && bytes[at] === DOT) {
      at = ipv4End(bytes, groupStart, end);
      groups += 2;
      break;
    }
    if (at === groupStart || at - groupStart > 4) return -1;
    groups++;
    if (at === end || bytes[at] !== COLON) break;
    at++;
    if (at < end && bytes[at] === COLON) {
      if (elided) return -1;
      elided = true;
      at++;
    } else if (at < end && bytes[at] === BRACKET_CLOSE) {
      return -1;
    }
  }
  if (at < 0 || at >= end || bytes[at] !== BRACKET_CLOSE) return -1;
  return (elided ? groups <= 7 : groups === 8) ? at + 1 : -1;
}

/** The index after a dotted quad that begins at start; -1 if it is none. */
function ipv4End(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0) {
      if (at === end || bytes[at] !== DOT) return -1;
      at++;
    }
    const partStart = at;
    let value = 0;
    while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE && at - partStart < 3) {
      value = value * 10 + (bytes[at] - ZERO);
      at++;
    }
    if (at === partStart || value > 255) return -1;
    if (at - partStart > 1 && bytes[partStart] === ZERO) return -1;
  }
  return at;
}
