// The tags of a metric as the two short ways read them: strings without escapes, with or without white space between.
//
// HOT: on the ingest thread, once a metric that has tags. What was read last is kept in this module for the thread; only
// the metric that read it, or one after it in the same body whose tags are the same bytes, makes use of it.

import { TAGS_MAX } from "../limits.ts";
import type { BatchBuffers } from "./batch-buffers.ts";
import { afterWhite, endOfPlainString } from "./plain-parts.ts";
import { copyRun } from "./runs.ts";

/** A miss costs so many hits; at none left the batch's tags are no longer compared with the ones before. */
const TAGS_MISS_COST = 3;
const TAGS_PATIENCE_MAX = 16;

/** Where each tag's key and value start and end, in the metric read last. */
const tagSpans = new Int32Array(4 * TAGS_MAX);
let tagCount = 0;
export let tagsAreTight = true;

/**
 * The position after the tags object at `start`, or -1. A batch comes mostly from one host, its metrics' tags often alike:
 * where they are the same bytes as the ones before, these are known to be good.
 */
export function endOfTags(buffers: BatchBuffers, view: DataView, start: number, guard: number): number {
  const known = buffers.tagsBytes;
  if (known > 0 && buffers.tagsPatience > 0 && start + known <= guard) {
    const shift = buffers.tagsStart - start;
    const last = start + known - 4; // of {}, the two bytes before it are compared too
    let p = start;
    while (p < last && view.getInt32(p, true) === view.getInt32(p + shift, true)) p += 4;
    if (p >= last && view.getInt32(last, true) === view.getInt32(last + shift, true)) {
      if (buffers.tagsPatience < TAGS_PATIENCE_MAX) buffers.tagsPatience++;
      return start + known;
    }
    buffers.tagsPatience -= TAGS_MISS_COST;
  }
  if (view.getUint8(start) !== 0x7b /* { */) return -1;
  const end = endOfPlainTags(view, start + 1, guard);
  buffers.tagsStart = start;
  buffers.tagsBytes = end - start;
  return end;
}

/** The position after the `}` of a tags object whose inside starts at `start`, or -1. Sets what writeTags() wants. */
function endOfPlainTags(view: DataView, start: number, guard: number): number {
  const spans = tagSpans;
  let p = start;
  let isTight = true;
  let count = 0;
  if (view.getUint8(p) === 0x7d /* } */) {
    tagsAreTight = true;
    return p + 1;
  }
  for (;;) {
    if (view.getUint8(p) <= 0x20) {
      p = afterWhite(view, p);
      isTight = false;
    }
    if (count === TAGS_MAX || view.getUint8(p) !== 0x22) return -1;
    const keyStart = p + 1;
    const keyEnd = endOfPlainString(view, keyStart, guard);
    if (keyEnd < 0) return -1;
    for (let other = 0; other < count; other++) {
      const otherStart = spans[4 * other]!;
      if (
        spans[4 * other + 1]! - otherStart === keyEnd - keyStart &&
        isSameRun(view, otherStart, keyStart, keyEnd)
      )
        return -1;
    }
    p = keyEnd + 2;
    if (view.getInt16(keyEnd + 1, true) !== 0x223a /* :" */) {
      if (view.getUint8(keyEnd + 1) !== 0x3a) return -1;
      p = afterWhite(view, p);
      if (view.getUint8(p) !== 0x22) return -1;
      isTight = false;
    }
    const valueStart = p + 1;
    const valueEnd = endOfPlainString(view, valueStart, guard);
    if (valueEnd < 0) return -1;
    spans[4 * count] = keyStart;
    spans[4 * count + 1] = keyEnd;
    spans[4 * count + 2] = valueStart;
    spans[4 * count + 3] = valueEnd;
    count++;
    p = valueEnd + 1;
    let c = view.getUint8(p);
    if (c <= 0x20) {
      p = afterWhite(view, p);
      c = view.getUint8(p);
      isTight = false;
    }
    p++;
    if (c === 0x7d /* } */) break;
    if (c !== 0x2c /* , */) return -1;
  }
  tagCount = count;
  tagsAreTight = isTight;
  return p;
}

function isSameRun(view: DataView, a: number, b: number, bEnd: number): boolean {
  let other = a;
  for (let at = b; at < bEnd; at++) if (view.getUint8(at) !== view.getUint8(other++)) return false;
  return true;
}

/** Writes the tags read last without their white space. Returns the position after their `}`. */
export function writeTags(view: DataView, output: DataView, at: number): number {
  const spans = tagSpans;
  let to = at;
  for (let index = 0; index < 4 * tagCount; index += 4) {
    output.setInt16(to, index === 0 ? 0x227b /* {" */ : 0x222c /* ," */, true);
    to = copyRun(view, spans[index]!, spans[index + 1]!, output, to + 2);
    output.setInt32(to, 0x223a22 /* ":" */, true);
    to = copyRun(view, spans[index + 2]!, spans[index + 3]!, output, to + 3);
    output.setUint8(to++, 0x22);
  }
  output.setUint8(to, 0x7d /* } */);
  return to + 1;
}
