// The parts of a metric as the two short ways read them (tight-metric.ts, plain-metric.ts): four bytes at a time, and with
// no explanation: -1 is "not known here". Neither escapes nor numbers that might overflow are known here.
//
// No part looks for the body's end. A reader checks a position against the guard, behind which LOOKAHEAD_BYTES may be read;
// strings check it again as they go; white space, numbers and fixed texts are bounded so that they stay within it.
//
// HOT: on the ingest thread, several times a metric.

import { utf8Length } from "./utf8.ts";

/** Longer numbers are left to the other reader: what is read past a checked position stays within LOOKAHEAD_BYTES. */
const VALUE_BYTES_MAX = 200;
/** White space likewise. */
const WHITE_BYTES_MAX = 64;

/** The first position from `start` on that is not white space; or, after much of it, one that is. */
export function afterWhite(view: DataView, start: number): number {
  let p = start;
  let c = view.getUint8(p);
  while ((c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) && p < start + WHITE_BYTES_MAX)
    c = view.getUint8(++p);
  return p;
}

/** The position of the quote that ends a string without escapes, or -1. */
export function endOfPlainString(view: DataView, start: number, guard: number): number {
  let p = start;
  while (p <= guard) {
    const word = view.getInt32(p, true);
    // A byte's top bit is set in `found` where it is a quote, a backslash, a control or (each of the first two terms misses
    // one such byte, and not the same) not ASCII. A borrow may also set it above such a byte, never below: the lowest is right.
    const found =
      (((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101) | (word - 0x20202020)) &
      0x80808080;
    if (found !== 0) {
      p += (31 - Math.clz32(found & -found)) >> 3;
      const c = view.getUint8(p);
      return c === 0x22 ? p : c < 0x80 ? -1 : endOfUtf8String(view, p, guard);
    }
    p += 4;
  }
  return -1;
}

/** The same for the rest of a string from its first byte that is not ASCII, which costs a check of each byte. */
function endOfUtf8String(view: DataView, start: number, guard: number): number {
  let p = start;
  while (p <= guard) {
    const c = view.getUint8(p);
    if (c === 0x22) return p;
    if (c < 0x20 || c === 0x5c) return -1;
    const length = utf8Length(view, p, guard);
    if (length === 0) return -1;
    p += length;
  }
  return -1;
}

/**
 * The position after a number that a double surely holds, or -1. After too many digits, the position of another digit,
 * where nothing goes on.
 */
export function endOfPlainNumber(view: DataView, start: number): number {
  const limit = start + VALUE_BYTES_MAX;
  let p = start;
  let c = view.getUint8(p);
  if (c === 0x2d /* - */) c = view.getUint8(++p);
  if (c === 0x30) c = view.getUint8(++p);
  else if (c > 0x30 && c <= 0x39) {
    do c = view.getUint8(++p);
    while (c >= 0x30 && c <= 0x39 && p < limit);
  } else return -1;
  if (c === 0x2e /* . */) {
    const fraction = p + 1;
    do c = view.getUint8(++p);
    while (c >= 0x30 && c <= 0x39 && p < limit);
    if (p === fraction) return -1;
  }
  return c === 0x65 || c === 0x45 /* e E */ ? endOfExponent(view, p + 1) : p;
}

/** The position after an exponent of at most two digits, behind its e, or -1: 10^99 times VALUE_BYTES_MAX digits is finite. */
function endOfExponent(view: DataView, start: number): number {
  let p = start;
  let c = view.getUint8(p);
  if (c === 0x2b || c === 0x2d /* + - */) c = view.getUint8(++p);
  const digits = p;
  while (c >= 0x30 && c <= 0x39 && p < digits + 3) c = view.getUint8(++p);
  return p > digits && p < digits + 3 ? p : -1;
}

/** The position after a type in its quotes, or -1. */
export function endOfType(view: DataView, start: number): number {
  const word = view.getInt32(start, true);
  const next = view.getInt32(start + 4, true);
  if (word === 0x75616722 /* "gau */ && (next & 0xffffff) === 0x226567 /* ge" */) return start + 7;
  if (word === 0x756f6322 /* "cou */ && next === 0x7265746e /* nter */)
    return view.getUint8(start + 8) === 0x22 ? start + 9 : -1;
  if (word === 0x6d757322 /* "sum */ && next === 0x7972616d /* mary */)
    return view.getUint8(start + 8) === 0x22 ? start + 9 : -1;
  if (word === 0x73696822 /* "his */ && next === 0x72676f74 /* togr */)
    return (view.getInt32(start + 8, true) & 0xffffff) === 0x226d61 /* am" */ ? start + 11 : -1;
  return -1;
}

export const TIMESTAMP_NONE = -1;

/**
 * The time that the thirteen digits at `start` spell (from 2001 to 2286), with the digits copied to `output`; or, where
 * they are no such digits, TIMESTAMP_NONE. What goes on behind them is for the caller to see.
 */
export function timestampMsAt(view: DataView, start: number, output: DataView, to: number): number {
  const a = view.getInt32(start, true);
  const b = view.getInt32(start + 4, true);
  const c = view.getInt32(start + 8, true);
  const last = view.getUint8(start + 12) - 0x30;
  // A byte is a digit where its high half is 3, and still is with 6 added.
  const high = a | (a + 0x06060606) | b | (b + 0x06060606) | c | (c + 0x06060606);
  if ((high & 0xf0f0f0f0) !== 0x30303030 || (a & b & c & 0x30303030) !== 0x30303030) return TIMESTAMP_NONE;
  if (last >>> 0 > 9 || (a & 0xff) === 0x30) return TIMESTAMP_NONE;
  output.setInt32(to, a, true);
  output.setInt32(to + 4, b, true);
  output.setInt32(to + 8, c, true);
  output.setUint8(to + 12, last + 0x30);
  return fourDigits(a) * 1e9 + (fourDigits(b) * 10000 + fourDigits(c)) * 10 + last;
}

/** The number that four ASCII digits in one little-endian word spell. */
function fourDigits(word: number): number {
  const digits = word - 0x30303030;
  const pairs = (digits * 10 + (digits >>> 8)) & 0x00ff00ff;
  return ((pairs & 0xff) * 100 + (pairs >>> 16)) | 0;
}
