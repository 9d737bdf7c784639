// The shortest way: a metric without white space, its keys in the line's own order, as most clients' serialisers write it.
// Type, tags and timestamp may be absent. All but the timestamp is copied in one run:
//
//   {"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"timestamp":1763890000000}
//    └───────────────────────────── one run ──────────────────────────────┘
//
// It never explains: whatever it does not know it leaves to plain-metric.ts, which knows more and is slower. So it may
// refuse anything, but must accept only what is right.
//
// HOT: on the ingest thread, once a metric.

import { NAME_CHARACTERS_MAX } from "../limits.ts";
import type { BatchBuffers } from "./batch-buffers.ts";
import {
  endOfPlainNumber,
  endOfPlainString,
  endOfType,
  TIMESTAMP_NONE,
  timestampMsAt,
} from "./plain-parts.ts";
import { endOfTags, tagsAreTight } from "./plain-tags.ts";
import { copyRun } from "./runs.ts";

/**
 * Reads the metric whose `{` should be at `start` and writes its line. Returns the position after its `}`, or -1 where it
 * is not for us: then nothing is known of the metric, and what was written does not count.
 */
export function tryTightMetric(buffers: BatchBuffers, start: number): number {
  const guard = buffers.inputGuard;
  const view = buffers.inputView;
  if (start > guard || view.getUint8(start) !== 0x7b /* { */) return -1;
  if (view.getInt32(start + 1, true) !== 0x6d616e22 /* "nam */) return -1;
  if (view.getInt32(start + 5, true) !== 0x223a2265 /* e":" */) return -1;
  const nameStart = start + 9;
  let p = endOfPlainString(view, nameStart, guard);
  if (p <= nameStart || p - nameStart > NAME_CHARACTERS_MAX) return -1;
  if (view.getInt32(p, true) !== 0x76222c22 /* ","v */) return -1;
  if (view.getInt32(p + 4, true) !== 0x65756c61 /* alue */) return -1;
  if (view.getInt16(p + 8, true) !== 0x3a22 /* ": */) return -1;
  p = endOfPlainNumber(view, p + 10);
  if (p < 0) return -1;
  const valueEnd = p;

  let typeEnd = 0;
  let c = view.getUint8(p);
  if (c === 0x2c && view.getInt32(p + 1, true) === 0x70797422 /* "typ */) {
    if (view.getInt32(p + 5, true) !== 0x223a2265 /* e":" */) return -1;
    p = endOfType(view, p + 8);
    if (p < 0) return -1;
    typeEnd = p;
    c = view.getUint8(p);
  }
  let tagsStart = 0;
  if (c === 0x2c && view.getInt32(p + 1, true) === 0x67617422 /* "tag */) {
    if (view.getInt32(p + 5, true) !== 0x7b3a2273 /* s":{ */) return -1;
    tagsStart = p;
    p = endOfTags(buffers, view, p + 8, guard);
    if (p < 0 || !tagsAreTight) return -1;
    c = view.getUint8(p);
  }
  const tagsEnd = p;
  let timestampStart = 0;
  if (c === 0x2c) {
    if (view.getInt32(p + 1, true) !== 0x6d697422 /* "tim */) return -1;
    if (view.getInt32(p + 5, true) !== 0x61747365 /* esta */) return -1;
    if (view.getInt32(p + 9, true) !== 0x3a22706d /* mp": */) return -1;
    timestampStart = p + 13;
    p += 26;
    c = view.getUint8(p);
  }
  if (c !== 0x7d /* } */ || p >= buffers.inputEnd) return -1;

  const output = buffers.outputView;
  let to = buffers.outputEnd;
  output.setInt32(to, 0x7374227b /* {"ts */, true);
  output.setInt16(to + 4, 0x3a22 /* ": */, true);
  to += 6;
  if (timestampStart !== 0) {
    const timestampMs = timestampMsAt(view, timestampStart, output, to);
    if (timestampMs === TIMESTAMP_NONE) return -1;
    to += 13;
    if (timestampMs < buffers.timestampMsFirst) buffers.timestampMsFirst = timestampMs;
    if (timestampMs > buffers.timestampMsLast) buffers.timestampMsLast = timestampMs;
  } else {
    to = copyRun(buffers.receivedView, 0, buffers.receivedDigitsCount, output, to);
    buffers.isReceivedAtUsed = true;
  }
  output.setUint8(to++, 0x2c /* , */);
  if (typeEnd !== 0) {
    to = copyRun(view, start + 1, tagsEnd, output, to);
  } else {
    to = copyRun(view, start + 1, valueEnd, output, to);
    output.setInt32(to, 0x7974222c /* ,"ty */, true);
    output.setInt32(to + 4, 0x3a226570 /* pe": */, true);
    output.setInt32(to + 8, 0x75616722 /* "gau */, true);
    output.setInt32(to + 12, 0x226567 /* ge" */, true);
    to = copyRun(view, valueEnd, tagsEnd, output, to + 15);
  }
  if (tagsStart === 0) {
    output.setInt32(to, 0x6174222c /* ,"ta */, true);
    output.setInt32(to + 4, 0x3a227367 /* gs": */, true);
    output.setInt16(to + 8, 0x7d7b /* {} */, true);
    to += 10;
  }
  buffers.outputEnd = copyRun(buffers.tailView, 0, buffers.tailBytes, output, to);
  return p + 1;
}
