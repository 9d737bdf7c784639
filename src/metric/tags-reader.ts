// The tags of one metric: read, checked (strings only, few enough, none twice), and written in canonical form. Where the
// object stands in the body as it should stand in the line, without white space and escapes, it is copied in one run.
//
// HOT: on the ingest thread, once a metric that has tags; one reader a decoder.

import { TAGS_MAX } from "../limits.ts";
import { FAULT, startsValue } from "./fault.ts";
import type { JsonString } from "./json-string.ts";
import { copyRun, skipWhiteSpace } from "./runs.ts";

/** Each tag's key start, key end, value start, value end; those that lie in the scratch are moved by this. */
const SCRATCH = 0x4000_0000;

export class TagsReader {
  count = 0;
  /** After -1: what was wrong, where, and the quote of the tag's key (-1 where there is none to name). */
  fault = 0;
  faultAt = 0;
  faultKeyAt = -1;

  readonly #strings: JsonString;
  readonly #spans = new Int32Array(4 * TAGS_MAX);
  #start = 0;
  #end = 0;
  #canonical = true;

  constructor(strings: JsonString) {
    this.#strings = strings;
  }

  /** Reads the object whose `{` is at `start`. Returns the position after its `}`, or -1. */
  read(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    this.#start = start;
    this.#canonical = true;
    this.faultKeyAt = -1;
    let count = 0;
    let p = this.#skip(bytes, start + 1);
    if (bytes[p] === 0x7d /* } */) return this.#finish(0, p + 1);
    for (;;) {
      const keyAt = p;
      if (bytes[p] !== 0x22) return this.#refuse(FAULT.keyExpected, p, -1);
      if (count === TAGS_MAX) return this.#refuse(FAULT.tagsTooMany, p, -1);
      p = this.#string(view, p + 1, end, 4 * count);
      if (p < 0) return this.#refuse(this.#strings.fault, this.#strings.faultAt, -1);
      if (this.#isDuplicate(bytes, count)) return this.#refuse(FAULT.tagDuplicate, keyAt, keyAt);
      p = this.#skip(bytes, p);
      if (bytes[p] !== 0x3a /* : */) return this.#refuse(FAULT.colonExpected, p, -1);
      p = this.#skip(bytes, p + 1);
      if (bytes[p] !== 0x22)
        return this.#refuse(startsValue(bytes[p]!) ? FAULT.tagKind : FAULT.valueExpected, p, keyAt);
      p = this.#string(view, p + 1, end, 4 * count + 2);
      if (p < 0) return this.#refuse(this.#strings.fault, this.#strings.faultAt, keyAt);
      count++;
      p = this.#skip(bytes, p);
      if (bytes[p] === 0x7d /* } */) return this.#finish(count, p + 1);
      if (bytes[p] !== 0x2c /* , */) return this.#refuse(FAULT.commaOrBraceExpected, p, -1);
      p = this.#skip(bytes, p + 1);
    }
  }

  /** Writes the object read last at `at` and returns the position after it. */
  write(view: DataView, output: DataView, at: number): number {
    if (this.#canonical) return copyRun(view, this.#start, this.#end, output, at);
    const spans = this.#spans;
    let to = at;
    output.setUint8(to++, 0x7b); // {
    for (let index = 0; index < 4 * this.count; index += 2) {
      if (index !== 0) output.setUint8(to++, (index & 2) === 0 ? 0x2c : 0x3a); // , :
      output.setUint8(to++, 0x22);
      const start = spans[index]!;
      const end = spans[index + 1]!;
      if (start < SCRATCH) to = copyRun(view, start, end, output, to);
      else to = copyRun(this.#strings.scratchView, start - SCRATCH, end - SCRATCH, output, to);
      output.setUint8(to++, 0x22);
    }
    output.setUint8(to++, 0x7d); // }
    return to;
  }

  #string(view: DataView, start: number, end: number, index: number): number {
    const strings = this.#strings;
    const p = strings.read(view, start, end);
    const moved = strings.inScratch ? SCRATCH : 0;
    if (moved !== 0) this.#canonical = false;
    this.#spans[index] = strings.start + moved;
    this.#spans[index + 1] = strings.end + moved;
    return p;
  }

  /** Whether the key of the tag `count` is also that of an earlier one. */
  #isDuplicate(bytes: Uint8Array, count: number): boolean {
    const spans = this.#spans;
    const key = spans[4 * count]!;
    const keyLength = spans[4 * count + 1]! - key;
    for (let other = 0; other < count; other++) {
      const start = spans[4 * other]!;
      if (spans[4 * other + 1]! - start !== keyLength) continue;
      let same = 0;
      while (same < keyLength && this.#byteAt(bytes, start + same) === this.#byteAt(bytes, key + same))
        same++;
      if (same === keyLength) return true;
    }
    return false;
  }

  #byteAt(bytes: Uint8Array, at: number): number {
    return at < SCRATCH ? bytes[at]! : this.#strings.scratch[at - SCRATCH]!;
  }

  #skip(bytes: Uint8Array, at: number): number {
    if (bytes[at]! > 0x20) return at;
    const p = skipWhiteSpace(bytes, at);
    if (p !== at) this.#canonical = false;
    return p;
  }

  #finish(count: number, end: number): number {
    this.count = count;
    this.#end = end;
    return end;
  }

  #refuse(fault: number, at: number, keyAt: number): number {
    this.fault = fault;
    this.faultAt = at;
    this.faultKeyAt = keyAt;
    return -1;
  }
}
