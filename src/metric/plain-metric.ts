// The short way: a metric as serialisers write nearly all of them: no escapes, a number of ordinary size, a timestamp of
// thirteen digits. Keys may stand in any order, with white space before them and their values. What stands in the body as it should stand
// in the line is copied in one run; from the common order without white space that is all but the timestamp:
//
//   {"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"timestamp":1763890000000}
//            └────────────────────────── one run ─────────────────────────┘
//
// It looks at four bytes at a time, and never explains: whatever it does not know it leaves to any-metric.ts. So it may
// refuse anything, but must accept only what is right.
//
// HOT: on the ingest thread, once a metric. It is one function because its halves share fifteen numbers.

import { NAME_CHARACTERS_MAX } from "../limits.ts";
import type { BatchBuffers } from "./batch-buffers.ts";
import {
  afterWhite,
  endOfPlainNumber,
  endOfPlainString,
  endOfType,
  TIMESTAMP_NONE,
  timestampMsAt,
} from "./plain-parts.ts";
import { endOfTags, tagsAreTight, writeTags } from "./plain-tags.ts";
import { copyRun } from "./runs.ts";

/**
 * Reads the metric whose `{` should be at `start` and writes its line. Returns the position after its `}`, or -1 where it
 * is not for us: then nothing is known of the metric, and what was written does not count.
 */
export function tryPlainMetric(buffers: BatchBuffers, start: number): number {
  const guard = buffers.inputGuard;
  const view = buffers.inputView;
  if (start > guard || view.getUint8(start) !== 0x7b /* { */) return -1;
  let nameStart = 0;
  let nameEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let typeStart = 0;
  let typeEnd = 0;
  let tagsStart = 0;
  let tagsEnd = 0;
  let timestampStart = 0;

  let p = start;
  let c = 0;
  for (;;) {
    p++;
    if (view.getUint8(p) <= 0x20) p = afterWhite(view, p);
    const key = view.getInt32(p, true);
    const next = view.getInt32(p + 4, true);
    if (key === 0x6d616e22 /* "nam */) {
      if ((next & 0xffffff) !== 0x3a2265 /* e": */ || nameStart !== 0) return -1;
      p += 7;
      c = next >>> 24;
      if (c !== 0x22) {
        p = afterWhite(view, p);
        if (view.getUint8(p) !== 0x22) return -1;
      }
      nameStart = p + 1;
      p = nameEnd = endOfPlainString(view, nameStart, guard);
      if (nameEnd <= nameStart || nameEnd - nameStart > NAME_CHARACTERS_MAX) return -1;
      p++;
    } else if (key === 0x6c617622 /* "val */) {
      if (next !== 0x3a226575 /* ue": */ || valueStart !== 0) return -1;
      p += 8;
      if (view.getUint8(p) <= 0x20) p = afterWhite(view, p);
      valueStart = p;
      p = valueEnd = endOfPlainNumber(view, p);
      if (p < 0) return -1;
    } else if (key === 0x70797422 /* "typ */) {
      if ((next & 0xffffff) !== 0x3a2265 /* e": */ || typeStart !== 0) return -1;
      p += 7;
      if (view.getUint8(p) <= 0x20) p = afterWhite(view, p);
      typeStart = p;
      p = typeEnd = endOfType(view, p);
      if (p < 0) return -1;
    } else if (key === 0x67617422 /* "tag */) {
      if ((next & 0xffffff) !== 0x3a2273 /* s": */ || tagsStart !== 0) return -1;
      p += 7;
      if (view.getUint8(p) <= 0x20) p = afterWhite(view, p);
      tagsStart = p;
      p = tagsEnd = endOfTags(buffers, view, p, guard);
      if (p < 0) return -1;
    } else if (key === 0x6d697422 /* "tim */) {
      if (next !== 0x61747365 /* esta */ || timestampStart !== 0) return -1;
      if (view.getInt32(p + 8, true) !== 0x3a22706d /* mp": */) return -1;
      p += 12;
      if (view.getUint8(p) <= 0x20) p = afterWhite(view, p);
      timestampStart = p;
      p += 13;
    } else return -1;
    c = view.getUint8(p);
    if (c <= 0x20) {
      p = afterWhite(view, p);
      c = view.getUint8(p);
    }
    if (c !== 0x2c /* , */) break;
    if (p > guard) return -1;
  }
  if (c !== 0x7d /* } */ || p >= buffers.inputEnd || nameStart === 0 || valueStart === 0) return -1;

  const output = buffers.outputView;
  let to = buffers.outputEnd;
  output.setInt32(to, 0x7374227b /* {"ts */, true);
  output.setInt16(to + 4, 0x3a22 /* ": */, true);
  to += 6;
  if (timestampStart !== 0) {
    const timestampMs = timestampMsAt(view, timestampStart, output, to);
    if (timestampMs === TIMESTAMP_NONE) return -1;
    if (timestampMs < buffers.timestampMsFirst) buffers.timestampMsFirst = timestampMs;
    if (timestampMs > buffers.timestampMsLast) buffers.timestampMsLast = timestampMs;
    to += 13;
  } else {
    to = copyRun(buffers.receivedView, 0, buffers.receivedDigitsCount, output, to);
    buffers.isReceivedAtUsed = true;
  }
  output.setInt32(to, 0x616e222c /* ,"na */, true);
  output.setInt32(to + 4, 0x3a22656d /* me": */, true);
  output.setUint8(to + 8, 0x22);
  to += 9;

  // A run grows as long as the next part follows as it should in the line.
  let runStart = nameStart;
  let runEnd = valueEnd;
  if (valueStart !== nameEnd + 10) {
    to = copyRun(view, runStart, nameEnd, output, to);
    output.setInt32(to, 0x76222c22 /* ","v */, true);
    output.setInt32(to + 4, 0x65756c61 /* alue */, true);
    output.setInt16(to + 8, 0x3a22 /* ": */, true);
    to += 10;
    runStart = valueStart;
  }
  if (typeStart === valueEnd + 8) runEnd = typeEnd;
  else {
    to = copyRun(view, runStart, runEnd, output, to);
    output.setInt32(to, 0x7974222c /* ,"ty */, true);
    output.setInt32(to + 4, 0x3a226570 /* pe": */, true);
    to += 8;
    if (typeStart === 0) {
      output.setInt32(to, 0x75616722 /* "gau */, true);
      output.setInt32(to + 4, 0x226567 /* ge" */, true);
      to += 7;
    }
    runStart = typeStart;
    runEnd = typeEnd;
  }
  if (tagsAreTight && typeStart !== 0 && tagsStart === typeEnd + 8) runEnd = tagsEnd;
  else {
    to = copyRun(view, runStart, runEnd, output, to);
    output.setInt32(to, 0x6174222c /* ,"ta */, true);
    output.setInt32(to + 4, 0x3a227367 /* gs": */, true);
    to += 8;
    runStart = tagsStart;
    runEnd = tagsEnd;
    if (tagsStart === 0) {
      output.setInt16(to, 0x7d7b /* {} */, true);
      to += 2;
    } else if (!tagsAreTight) {
      to = writeTags(view, output, to);
      runStart = runEnd;
    }
  }
  to = copyRun(view, runStart, runEnd, output, to);
  buffers.outputEnd = copyRun(buffers.tailView, 0, buffers.tailBytes, output, to);
  return p + 1;
}
