// Whether bytes are one JSON text, by RFC 8259's grammar, without making anything of them. Recovery reads lines with it at
// hundreds of MB/s where JSON.parse made 20 to 50. UTF-8 is checked apart from this, where it is cheap for a whole block.
// HOT: one pass, no objects, no strings.

import { JSON_DEPTH_MAX } from "../limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const LOWER_U = 0x75;

/** Byte classes of whitespace, of what may follow a backslash, and of hexadecimal digits. */
const isSpace = table(" \t\n\r");
const isEscape = table('"\\/bfnrt');
const isHex = table("0123456789abcdefABCDEF");
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const NULL = Buffer.from("null");

/** Whether bytes[from, to) is one JSON value and nothing else; nesting beyond JSON_DEPTH_MAX counts as none. */
export function isJson(bytes: Uint8Array, from: number, to: number): boolean {
  const end = skipValue(bytes, skipSpace(bytes, from, to), to, JSON_DEPTH_MAX);
  return end >= 0 && skipSpace(bytes, end, to) === to;
}

/** Each of these returns the index behind what it is named for, or -1 where that is not there. */
function skipValue(bytes: Uint8Array, at: number, to: number, depth: number): number {
  if (at >= to) return -1;
  const byte = bytes[at]!;
  if (byte === QUOTE) return skipString(bytes, at, to);
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return skipNumber(bytes, at, to);
  if (byte === 0x7b) return depth === 0 ? -1 : skipMembers(bytes, at, to, depth - 1);
  if (byte === 0x5b) return depth === 0 ? -1 : skipElements(bytes, at, to, depth - 1);
  if (byte === 0x74) return skipWord(bytes, at, to, TRUE);
  if (byte === 0x66) return skipWord(bytes, at, to, FALSE);
  return skipWord(bytes, at, to, NULL);
}

function skipMembers(bytes: Uint8Array, open: number, to: number, depth: number): number {
  let at = skipSpace(bytes, open + 1, to);
  if (at < to && bytes[at] === 0x7d) return at + 1;
  for (;;) {
    if (at >= to || bytes[at] !== QUOTE) return -1;
    at = skipString(bytes, at, to);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, to);
    if (at >= to || bytes[at] !== 0x3a) return -1;
    at = skipValue(bytes, skipSpace(bytes, at + 1, to), to, depth);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, to);
    if (at >= to) return -1;
    if (bytes[at] === 0x7d) return at + 1;
    if (bytes[at] !== 0x2c) return -1;
    at = skipSpace(bytes, at + 1, to);
  }
}

function skipElements(bytes: Uint8Array, open: number, to: number, depth: number): number {
  let at = skipSpace(bytes, open + 1, to);
  if (at < to && bytes[at] === 0x5d) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, to, depth);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, to);
    if (at >= to) return -1;
    if (bytes[at] === 0x5d) return at + 1;
    if (bytes[at] !== 0x2c) return -1;
    at = skipSpace(bytes, at + 1, to);
  }
}

function skipString(bytes: Uint8Array, open: number, to: number): number {
  let at = open + 1;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return -1;
    if (byte !== BACKSLASH) {
      at++;
    } else if (at + 1 < to && isEscape[bytes[at + 1]!] === 1) {
      at += 2;
    } else {
      if (at + 6 > to || bytes[at + 1] !== LOWER_U) return -1;
      for (let digit = at + 2; digit < at + 6; digit++) if (isHex[bytes[digit]!] === 0) return -1;
      at += 6;
    }
  }
  return -1;
}

function skipNumber(bytes: Uint8Array, start: number, to: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  if (at < to && bytes[at] === ZERO) at++;
  else at = skipDigits(bytes, at, to);
  if (at >= 0 && at < to && bytes[at] === 0x2e) at = skipDigits(bytes, at + 1, to);
  if (at >= 0 && at < to && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < to && (bytes[at] === MINUS || bytes[at] === 0x2b)) at++;
    at = skipDigits(bytes, at, to);
  }
  return at;
}

/** At least one. */
function skipDigits(bytes: Uint8Array, start: number, to: number): number {
  let at = start;
  while (at < to && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at > start ? at : -1;
}

function skipWord(bytes: Uint8Array, start: number, to: number, word: Uint8Array): number {
  if (start + word.length > to) return -1;
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return -1;
  return start + word.length;
}

function skipSpace(bytes: Uint8Array, start: number, to: number): number {
  let at = start;
  while (at < to && isSpace[bytes[at]!] === 1) at++;
  return at;
}

function table(members: string): Uint8Array {
  const marks = new Uint8Array(256);
  for (const member of members) marks[member.charCodeAt(0)] = 1;
  return marks;
}
