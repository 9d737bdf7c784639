// A JSON string in its canonical form: UTF-8, with only what JSON demands escaped, so that equal strings are equal bytes.
// A string without a backslash is canonical where it stands and is not copied. Any other is rewritten into `scratch`:
//
//   \/ → /    \u0061 → a    \u00e9 → é    \ud83d\ude00 → the character
//   " and \ stay \" and \\    below 0x20: \b \f \n \r \t, else \u00xx in lower case
//
// Nothing grows by it, so a scratch of the body's size is always enough; it is made at the first escape and kept.
// Scratch is forgotten metric by metric (forget()). On the ingest thread; one reader a decoder.
//
// HOT: nothing is allocated but the scratch.

import { FAULT } from "./fault.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";

/** 1 where a byte of a string is plain ASCII that stands for itself. */
const PLAIN = new Uint8Array(256);
for (let c = 0x20; c < 0x80; c++) PLAIN[c] = c === 0x22 || c === 0x5c ? 0 : 1;

const HEX = new TextEncoder().encode("0123456789abcdef");

/** copyRun() reads so far past a run. */
const OVERRUN_BYTES_MAX = 3;

export class JsonString {
  /** The last string read: in the input, or in `scratch` where inScratch. Without its quotes. */
  start = 0;
  end = 0;
  inScratch = false;
  /** Its Unicode code points. */
  characters = 0;
  /** After -1: what was wrong, and where. */
  fault = 0;
  faultAt = 0;
  scratch = new Uint8Array(0);
  scratchView = new DataView(this.scratch.buffer);

  #used = 0;
  #scratchBytesMin = 0;

  /** Forgets the scratch's strings; no body longer than this comes before the next call. */
  forget(bodyBytes: number): void {
    this.#used = 0;
    this.#scratchBytesMin = bodyBytes + OVERRUN_BYTES_MAX;
  }

  /** Reads the string whose first byte after the quote is at `start`. Returns the position after its closing quote, or -1. */
  read(view: DataView, start: number, end: number): number {
    const plain = PLAIN;
    let p = start;
    while (p < end && plain[view.getUint8(p)] === 1) p++;
    let characters = p - start;
    while (p < end) {
      const c = view.getUint8(p);
      if (c === 0x22 /* " */) {
        this.start = start;
        this.end = p;
        this.inScratch = false;
        this.characters = characters;
        return p + 1;
      }
      if (c === 0x5c /* \ */) return this.#readEscaped(view, start, p, end, characters);
      const length = plain[c] === 1 ? 1 : this.#multiByteLength(view, p, end);
      if (length === 0) return -1;
      p += length;
      characters++;
    }
    return this.#refuse(FAULT.stringUnclosed, start - 1);
  }

  /** Goes on at the first backslash, copying into the scratch. */
  #readEscaped(
    view: DataView,
    start: number,
    backslash: number,
    end: number,
    charactersBefore: number,
  ): number {
    if (this.scratch.length < this.#scratchBytesMin) {
      this.scratch = new Uint8Array(this.#scratchBytesMin);
      this.scratchView = new DataView(this.scratch.buffer);
    }
    const scratch = this.scratch;
    const plain = PLAIN;
    const first = this.#used;
    let to = first;
    for (let p = start; p < backslash; p++) scratch[to++] = view.getUint8(p);
    let characters = charactersBefore;
    let p = backslash;
    while (p < end) {
      const c = view.getUint8(p);
      if (plain[c] === 1) {
        scratch[to++] = c;
        p++;
      } else if (c === 0x22 /* " */) {
        this.start = first;
        this.end = to;
        this.inScratch = true;
        this.characters = characters;
        this.#used = to;
        return p + 1;
      } else if (c === 0x5c /* \ */) {
        const escaped = this.#codePointAt(view, p, end);
        if (escaped < 0) return -1;
        to = writeCanonical(scratch, to, escaped);
        p += view.getUint8(p + 1) !== 0x75 /* u */ ? 2 : escaped < 0x10000 ? 6 : 12;
      } else {
        const length = this.#multiByteLength(view, p, end);
        if (length === 0) return -1;
        for (let index = 0; index < length; index++) scratch[to++] = view.getUint8(p++);
      }
      characters++;
    }
    return this.#refuse(FAULT.stringUnclosed, start - 1);
  }

  /** What the escape at `at` means, or -1. A surrogate pair is one code point. */
  #codePointAt(view: DataView, at: number, end: number): number {
    if (at + 1 >= end) return this.#refuse(FAULT.stringUnclosed, at);
    const c = view.getUint8(at + 1);
    if (c === 0x22 || c === 0x5c || c === 0x2f) return c; // " \ /
    if (c === 0x62) return 0x08;
    if (c === 0x66) return 0x0c;
    if (c === 0x6e) return 0x0a;
    if (c === 0x72) return 0x0d;
    if (c === 0x74) return 0x09;
    const unit = c === 0x75 ? hexAt(view, at + 2, end) : -1;
    if (unit < 0) return this.#refuse(FAULT.escapeUnknown, at);
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit < 0xdc00 && at + 7 < end && view.getUint8(at + 6) === 0x5c && view.getUint8(at + 7) === 0x75) {
      const low = hexAt(view, at + 8, end);
      if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    return this.#refuse(FAULT.surrogateLone, at);
  }

  #multiByteLength(view: DataView, at: number, end: number): number {
    if (view.getUint8(at) < 0x20) {
      this.#refuse(FAULT.controlInString, at);
      return 0;
    }
    const length = utf8Length(view, at, end);
    if (length === 0) this.#refuse(FAULT.utf8, at);
    return length;
  }

  #refuse(fault: number, at: number): number {
    this.fault = fault;
    this.faultAt = at;
    return -1;
  }
}

function writeCanonical(scratch: Uint8Array, at: number, codePoint: number): number {
  if (codePoint >= 0x20 && codePoint !== 0x22 && codePoint !== 0x5c) return writeUtf8(scratch, at, codePoint);
  scratch[at] = 0x5c;
  const short = shortEscape(codePoint);
  if (short !== 0) {
    scratch[at + 1] = short;
    return at + 2;
  }
  scratch[at + 1] = 0x75; // u
  scratch[at + 2] = 0x30;
  scratch[at + 3] = 0x30;
  scratch[at + 4] = HEX[codePoint >> 4]!;
  scratch[at + 5] = HEX[codePoint & 15]!;
  return at + 6;
}

/** The letter of a code point's two-byte escape, or 0 where it has none. */
function shortEscape(codePoint: number): number {
  if (codePoint === 0x22 || codePoint === 0x5c) return codePoint;
  if (codePoint === 0x08) return 0x62;
  if (codePoint === 0x0c) return 0x66;
  if (codePoint === 0x0a) return 0x6e;
  if (codePoint === 0x0d) return 0x72;
  if (codePoint === 0x09) return 0x74;
  return 0;
}

/** The four hex digits at `at` as a number, or -1. */
function hexAt(view: DataView, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let unit = 0;
  for (let index = 0; index < 4; index++) {
    const c = view.getUint8(at + index);
    const letter = c | 0x20;
    if (c >= 0x30 && c <= 0x39) unit = unit * 16 + c - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
    else return -1;
  }
  return unit;
}
