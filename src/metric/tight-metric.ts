// The short way: a metric as most clients' serialisers write it, with no white space and no escapes, ASCII only, its
// keys in the line's own order:
//
//   {"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"timestamp":1763890000000}
//    └───────────────────────── copied in one run ──────────────────────┘
//
// type, tags and timestamp may be absent. It looks at four bytes at a time, and never explains: whatever it does not
// know it leaves to any-metric.ts, so it may refuse anything but must accept only what is right.
//
// HOT: on the ingest thread, once a metric.

import { TAGS_MAX } from "../limits.ts";
import type { BatchBuffers } from "./batch-buffers.ts";

/** Longer numbers are left to the other reader: it keeps what is read past a checked position within LOOKAHEAD_BYTES. */
const VALUE_BYTES_MAX = 256;

const tagKeyStarts = new Int32Array(TAGS_MAX);
const tagKeyLengths = new Int32Array(TAGS_MAX);

/**
 * Reads the metric whose `{` is at `start` and writes its line. Returns the position after its `}`, or -1 where it is not
 * for us: then no line is written, and nothing is known of the metric.
 */
export function tryTightMetric(buffers: BatchBuffers, start: number): number {
  const guard = buffers.inputGuard;
  const view = buffers.inputView;
  let p = start;
  if (p > guard || view.getUint8(p) !== 0x7b /* { */) return -1;
  if (view.getInt32(p + 1, true) !== 0x6d616e22 /* "nam */) return -1;
  if (view.getInt32(p + 5, true) !== 0x223a2265 /* e":" */) return -1;
  p = endOfPlainString(view, p + 9, guard);
  const nameBytes = p - start - 9;
  if (nameBytes < 1 || nameBytes > 255) return -1;
  if (view.getInt32(p, true) !== 0x76222c22 /* ","v */) return -1;
  if (view.getInt32(p + 4, true) !== 0x65756c61 /* alue */) return -1;
  if (view.getInt16(p + 8, true) !== 0x3a22 /* ": */) return -1;
  p += 10;

  const valueLimit = p + VALUE_BYTES_MAX;
  let c = view.getUint8(p);
  if (c === 0x2d /* - */) c = view.getUint8(++p);
  if (c === 0x30) c = view.getUint8(++p);
  else if (c > 0x30 && c <= 0x39) {
    do c = view.getUint8(++p);
    while (c >= 0x30 && c <= 0x39 && p < valueLimit);
  } else return -1;
  if (c === 0x2e /* . */) {
    const fraction = p + 1;
    do c = view.getUint8(++p);
    while (c >= 0x30 && c <= 0x39 && p < valueLimit);
    if (p === fraction) return -1;
  }
  const valueEnd = p;

  let typeEnd = 0;
  if (c === 0x2c && view.getInt32(p + 1, true) === 0x70797422 /* "typ */) {
    if (view.getInt32(p + 5, true) !== 0x223a2265 /* e":" */) return -1;
    const word = view.getInt32(p + 9, true);
    const next = view.getInt32(p + 13, true);
    if (word === 0x67756167 /* gaug */ && (next & 0xffff) === 0x2265 /* e" */) p += 15;
    else if (word === 0x6e756f63 /* coun */ && next === 0x22726574 /* ter" */) p += 17;
    else if (word === 0x6d6d7573 /* summ */ && next === 0x22797261 /* ary" */) p += 17;
    else if (
      word === 0x74736968 /* hist */ &&
      next === 0x6172676f /* ogra */ &&
      view.getInt16(p + 17, true) === 0x226d /* m" */
    )
      p += 19;
    else return -1;
    typeEnd = p;
    c = view.getUint8(p);
  }

  let tagsStart = 0;
  if (c === 0x2c && view.getInt32(p + 1, true) === 0x67617422 /* "tag */) {
    if (view.getInt32(p + 5, true) !== 0x7b3a2273 /* s":{ */) return -1;
    tagsStart = p;
    p = endOfPlainTags(view, p + 9, guard);
    if (p < 0) return -1;
    c = view.getUint8(p);
  }
  const tagsEnd = p;

  const output = buffers.outputView;
  let to = buffers.outputEnd;
  output.setInt32(to, 0x7374227b /* {"ts */, true);
  output.setInt16(to + 4, 0x3a22 /* ": */, true);
  to += 6;

  let timestampMs = buffers.receivedAtMs;
  if (c === 0x2c) {
    if (view.getInt32(p + 1, true) !== 0x6d697422 /* "tim */) return -1;
    if (view.getInt32(p + 5, true) !== 0x61747365 /* esta */) return -1;
    if (view.getInt32(p + 9, true) !== 0x3a22706d /* mp": */) return -1;
    // Thirteen digits, the first not 0: a time from 2001 to 2286. Any other is rare enough for the long way.
    const a = view.getInt32(p + 13, true);
    const b = view.getInt32(p + 17, true);
    const d = view.getInt32(p + 21, true);
    const last = view.getUint8(p + 25) - 0x30;
    if (
      (((a | (a + 0x06060606) | b | (b + 0x06060606) | d | (d + 0x06060606)) & 0xf0f0f0f0) | 0) !==
      0x30303030
    )
      return -1;
    if ((a & b & d & 0x30303030) !== 0x30303030 || last >>> 0 > 9 || (a & 0xff) === 0x30) return -1;
    c = view.getUint8(p + 26);
    output.setInt32(to, a, true);
    output.setInt32(to + 4, b, true);
    output.setInt32(to + 8, d, true);
    output.setUint8(to + 12, last + 0x30);
    to += 13;
    p += 26;
    timestampMs = fourDigits(a) * 1e9 + (fourDigits(b) * 10000 + fourDigits(d)) * 10 + last;
  } else {
    const digits = buffers.receivedDigits;
    const count = buffers.receivedDigitsCount;
    for (let index = 0; index < count; index++) output.setUint8(to++, digits[index]!);
  }
  if (c !== 0x7d /* } */ || p >= buffers.inputEnd) return -1;
  output.setUint8(to++, 0x2c /* , */);

  let from = start + 1;
  const runEnd = typeEnd !== 0 ? (tagsStart !== 0 ? tagsEnd : typeEnd) : valueEnd;
  const shift = to - from;
  for (; from < runEnd; from += 4) output.setInt32(from + shift, view.getInt32(from, true), true);
  to = runEnd + shift;
  if (typeEnd === 0) {
    output.setInt32(to, 0x7974222c /* ,"ty */, true);
    output.setInt32(to + 4, 0x3a226570 /* pe": */, true);
    output.setInt32(to + 8, 0x75616722 /* "gau */, true);
    output.setInt32(to + 12, 0x226567 /* ge" */, true);
    to += 15;
    if (tagsStart !== 0) {
      const tagsShift = to - tagsStart;
      for (from = tagsStart; from < tagsEnd; from += 4)
        output.setInt32(from + tagsShift, view.getInt32(from, true), true);
      to = tagsEnd + tagsShift;
    }
  }
  if (tagsStart === 0) {
    output.setInt32(to, 0x6174222c /* ,"ta */, true);
    output.setInt32(to + 4, 0x3a227367 /* gs": */, true);
    output.setInt16(to + 8, 0x7d7b /* {} */, true);
    to += 10;
  }

  const tail = buffers.tailView;
  const tailBytes = buffers.tailBytes;
  for (let index = 0; index < tailBytes; index += 4)
    output.setInt32(to + index, tail.getInt32(index, true), true);
  buffers.outputEnd = to + tailBytes;
  if (timestampMs < buffers.timestampMsFirst) buffers.timestampMsFirst = timestampMs;
  if (timestampMs > buffers.timestampMsLast) buffers.timestampMsLast = timestampMs;
  return p + 1;
}

/** The position of the quote that ends a string of plain ASCII without escapes, or -1. */
function endOfPlainString(view: DataView, start: number, guard: number): number {
  let p = start;
  while (p <= guard) {
    const word = view.getInt32(p, true);
    // A byte's top bit is set in `found` where it is a quote, a backslash, a control or not ASCII. A borrow may also set
    // it above such a byte, never below: the lowest is right.
    const found =
      (((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101) | (word - 0x20202020) | word) &
      0x80808080;
    if (found !== 0) {
      p += (31 - Math.clz32(found & -found)) >> 3;
      return view.getUint8(p) === 0x22 ? p : -1;
    }
    p += 4;
  }
  return -1;
}

/** The position after the `}` of a tags object whose inside starts at `start`, or -1. */
function endOfPlainTags(view: DataView, start: number, guard: number): number {
  let p = start;
  if (view.getUint8(p) === 0x7d /* } */) return p + 1;
  for (let count = 0; count < TAGS_MAX; count++) {
    if (view.getUint8(p) !== 0x22) return -1;
    const keyStart = p + 1;
    p = endOfPlainString(view, keyStart, guard);
    if (p < 0 || view.getInt16(p + 1, true) !== 0x223a /* :" */) return -1;
    const keyLength = p - keyStart;
    for (let other = 0; other < count; other++)
      if (tagKeyLengths[other] === keyLength && isSameRun(view, tagKeyStarts[other]!, keyStart, keyLength))
        return -1;
    tagKeyStarts[count] = keyStart;
    tagKeyLengths[count] = keyLength;
    p = endOfPlainString(view, p + 3, guard);
    if (p < 0) return -1;
    const c = view.getUint8(p + 1);
    p += 2;
    if (c === 0x7d /* } */) return p;
    if (c !== 0x2c /* , */) return -1;
  }
  return -1;
}

function isSameRun(view: DataView, a: number, b: number, length: number): boolean {
  for (let index = 0; index < length; index++)
    if (view.getUint8(a + index) !== view.getUint8(b + index)) return false;
  return true;
}

/** The number that four ASCII digits in one little-endian word spell. */
function fourDigits(word: number): number {
  const digits = word - 0x30303030;
  const pairs = (digits * 10 + (digits >>> 8)) & 0x00ff00ff;
  return ((pairs & 0xff) * 100 + (pairs >>> 16)) | 0;
}
