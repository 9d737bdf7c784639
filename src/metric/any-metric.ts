// The long way: a metric as the contract allows it, keys in any order, with white space, escapes and any Unicode. It
// decides what is wrong and says where; its line is the same, byte for byte, as plain-metric.ts writes.
//
// Outside of strings nothing here looks whether the body has ended: its last byte is a `}` (the decoder has made sure),
// which no loop passes; only behind a `}` the end is asked for.
//
// HOT: on the ingest thread, once a metric that is not plain; one reader a decoder.

import { NAME_CHARACTERS_MAX, TIMESTAMP_MS_MAX } from "../limits.ts";
import type { BatchBuffers } from "./batch-buffers.ts";
import { FAULT, startsValue } from "./fault.ts";
import { endOfNumber, isFiniteNumber, NUMBER_MALFORMED } from "./json-number.ts";
import { JsonString } from "./json-string.ts";
import { copyRun, isTextAt, skipWhiteSpace } from "./runs.ts";
import { TagsReader } from "./tags-reader.ts";

/** Fields as bits, so that one number tells which were seen. Their indexes in FIELD_NAMES are the bits' places. */
const NAME = 1;
const VALUE = 2;
const TYPE = 4;
const TAGS = 8;
const TIMESTAMP = 16;
const FIELD_UNKNOWN = 0;

export const FIELD_NAMES = ["name", "value", "type", "tags", "timestamp"] as const;

const encoder = new TextEncoder();
const KEYS = FIELD_NAMES.map((name) => encoder.encode(`${name}"`));
/** The types with their closing quotes; the first is the default. */
const TYPE_NAMES = ["gauge", "counter", "histogram", "summary"];
const TYPES = TYPE_NAMES.map((type) => encoder.encode(`${type}"`));

const TS = textOf('{"ts":');
const NAME_PART = textOf(',"name":"');
const VALUE_PART = textOf('","value":');
const TYPE_PARTS = TYPE_NAMES.map((type) => textOf(`,"type":"${type}","tags":`));
const TAGS_NONE = textOf("{}");

export class AnyMetric {
  /** After -1: what was wrong, where, in which field (an index in FIELD_NAMES, or -1), and which tag's or unknown key's quote. */
  fault = 0;
  faultAt = 0;
  faultField = -1;
  faultKeyAt = -1;

  readonly #strings = new JsonString();
  readonly #tags = new TagsReader(this.#strings);
  #nameStart = 0;
  #nameEnd = 0;
  #nameInScratch = false;
  #valueStart = 0;
  #valueEnd = 0;
  #type = 0;
  #timestampStart = 0;
  #timestampEnd = 0;
  #timestampMs = 0;

  /** Reads the metric that starts at `start` and writes its line. Returns the position after its `}`, or -1. */
  read(buffers: BatchBuffers, start: number): number {
    const bytes = buffers.input;
    const view = buffers.inputView;
    const end = buffers.inputEnd;
    this.faultField = -1;
    this.faultKeyAt = -1;
    if (bytes[start] !== 0x7b /* { */) return this.#refuseValue(bytes, start, FAULT.metricKind);
    this.#strings.forget(end);
    let seen = 0;
    let p = skipWhiteSpace(bytes, start + 1);
    if (bytes[p] !== 0x7d /* } */) {
      for (;;) {
        if (bytes[p] !== 0x22) return this.#refuse(FAULT.keyExpected, p);
        const keyAt = p;
        const field = this.#field(bytes, view, p + 1, end);
        if (field <= FIELD_UNKNOWN) return -1;
        p = this.#keyEnd;
        if ((seen & field) !== 0) {
          this.faultField = fieldIndex(field);
          return this.#refuse(FAULT.keyDuplicate, keyAt);
        }
        seen |= field;
        if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
        if (bytes[p] !== 0x3a /* : */) return this.#refuse(FAULT.colonExpected, p);
        p++;
        if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
        this.faultField = fieldIndex(field);
        p = this.#value(bytes, view, p, end, field);
        if (p < 0) return -1;
        this.faultField = -1;
        if (p >= end) return this.#refuse(FAULT.commaOrBraceExpected, p);
        if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
        const c = bytes[p];
        if (c === 0x7d /* } */) break;
        if (c !== 0x2c /* , */) return this.#refuse(FAULT.commaOrBraceExpected, p);
        p++;
        if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
      }
    }
    // The array's and the body's end must follow, if not more: copyRun() may read so far.
    if (p + 2 >= end) return this.#refuse(FAULT.commaOrBracketExpected, p + 1);
    if ((seen & NAME) === 0) return this.#refuse(FAULT.nameMissing, start);
    if ((seen & VALUE) === 0) return this.#refuse(FAULT.valueMissing, start);
    this.#write(buffers, seen);
    return p + 1;
  }

  #keyEnd = 0;

  /** The field whose key starts at `start`, behind its quote, with #keyEnd set; or FIELD_UNKNOWN or -1, refused. */
  #field(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const c = bytes[start];
    const index =
      c === 0x6e
        ? 0
        : c === 0x76
          ? 1
          : c !== 0x74
            ? -1
            : bytes[start + 1] === 0x79
              ? 2
              : bytes[start + 1] === 0x61
                ? 3
                : 4;
    if (index >= 0 && isTextAt(bytes, start, KEYS[index]!)) {
      this.#keyEnd = start + KEYS[index]!.length;
      return 1 << index;
    }
    return this.#fieldEscaped(bytes, view, start, end);
  }

  #fieldEscaped(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const strings = this.#strings;
    this.#keyEnd = strings.read(view, start, end);
    if (this.#keyEnd < 0) return this.#refuse(strings.fault, strings.faultAt);
    for (let index = 0; index < KEYS.length; index++)
      if (this.#isString(bytes, KEYS[index]!)) return 1 << index;
    this.faultKeyAt = start - 1;
    return this.#refuse(FAULT.keyUnknown, start - 1);
  }

  /** Whether the string read last is `quoted`, a text with its closing quote. */
  #isString(bytes: Uint8Array, quoted: Uint8Array): boolean {
    const strings = this.#strings;
    if (strings.end - strings.start !== quoted.length - 1) return false;
    const source = strings.inScratch ? strings.scratch : bytes;
    for (let index = 0; index < quoted.length - 1; index++)
      if (source[strings.start + index] !== quoted[index]) return false;
    return true;
  }

  #value(bytes: Uint8Array, view: DataView, at: number, end: number, field: number): number {
    if (field === VALUE) return this.#number(bytes, at);
    if (field === TIMESTAMP) return this.#timestamp(bytes, at);
    if (field === TAGS) {
      if (bytes[at] !== 0x7b /* { */) return this.#refuseValue(bytes, at, FAULT.tagsKind);
      const p = this.#tags.read(bytes, view, at, end);
      if (p >= 0) return p;
      this.faultKeyAt = this.#tags.faultKeyAt;
      return this.#refuse(this.#tags.fault, this.#tags.faultAt);
    }
    if (bytes[at] !== 0x22) return this.#refuseValue(bytes, at, FAULT.stringKind);
    return field === NAME ? this.#name(view, at + 1, end) : this.#typeOf(bytes, view, at + 1, end);
  }

  #name(view: DataView, start: number, end: number): number {
    const strings = this.#strings;
    const p = strings.read(view, start, end);
    if (p < 0) return this.#refuse(strings.fault, strings.faultAt);
    if (strings.characters === 0) return this.#refuse(FAULT.nameEmpty, start - 1);
    if (strings.characters > NAME_CHARACTERS_MAX) return this.#refuse(FAULT.nameTooLong, start - 1);
    this.#nameStart = strings.start;
    this.#nameEnd = strings.end;
    this.#nameInScratch = strings.inScratch;
    return p;
  }

  #typeOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    for (let index = 0; index < TYPES.length; index++) {
      if (!isTextAt(bytes, start, TYPES[index]!)) continue;
      this.#type = index;
      return start + TYPES[index]!.length;
    }
    const strings = this.#strings;
    const p = strings.read(view, start, end);
    if (p < 0) return this.#refuse(strings.fault, strings.faultAt);
    for (let index = 0; index < TYPES.length; index++) {
      if (!this.#isString(bytes, TYPES[index]!)) continue;
      this.#type = index;
      return p;
    }
    return this.#refuse(FAULT.typeUnknown, start - 1);
  }

  #number(bytes: Uint8Array, at: number): number {
    const c = bytes[at]!;
    if (c !== 0x2d && (c < 0x30 || c > 0x39)) return this.#refuseValue(bytes, at, FAULT.valueKind);
    const end = endOfNumber(bytes, at);
    if (end === NUMBER_MALFORMED) return this.#refuse(FAULT.numberSyntax, at);
    if (!isFiniteNumber(bytes, at, end)) return this.#refuse(FAULT.valueNotFinite, at);
    this.#valueStart = at;
    this.#valueEnd = end;
    return end;
  }

  #timestamp(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!;
    if (first === 0x2d /* - */) return this.#refuse(FAULT.timestampForm, at);
    if (first < 0x30 || first > 0x39) return this.#refuseValue(bytes, at, FAULT.timestampKind);
    let p = at;
    let c = first;
    let timestampMs = 0;
    do {
      timestampMs = timestampMs * 10 + (c - 0x30);
      c = bytes[++p]!;
    } while (c >= 0x30 && c <= 0x39);
    if (first === 0x30 && p !== at + 1) return this.#refuse(FAULT.numberSyntax, at);
    if (timestampMs > TIMESTAMP_MS_MAX || c === 0x2e || c === 0x65 || c === 0x45)
      return this.#refuse(FAULT.timestampForm, at);
    this.#timestampStart = at;
    this.#timestampEnd = p;
    this.#timestampMs = timestampMs;
    return p;
  }

  #write(buffers: BatchBuffers, seen: number): void {
    const view = buffers.inputView;
    const output = buffers.outputView;
    let to = writeText(TS, output, buffers.outputEnd);
    if ((seen & TIMESTAMP) !== 0) {
      const timestampMs = this.#timestampMs;
      if (timestampMs < buffers.timestampMsFirst) buffers.timestampMsFirst = timestampMs;
      if (timestampMs > buffers.timestampMsLast) buffers.timestampMsLast = timestampMs;
      to = copyRun(view, this.#timestampStart, this.#timestampEnd, output, to);
    } else {
      to = copyRun(buffers.receivedView, 0, buffers.receivedDigitsCount, output, to);
      buffers.isReceivedAtUsed = true;
    }
    to = writeText(NAME_PART, output, to);
    const nameSource = this.#nameInScratch ? this.#strings.scratchView : view;
    to = copyRun(nameSource, this.#nameStart, this.#nameEnd, output, to);
    to = writeText(VALUE_PART, output, to);
    to = copyRun(view, this.#valueStart, this.#valueEnd, output, to);
    to = writeText(TYPE_PARTS[(seen & TYPE) !== 0 ? this.#type : 0]!, output, to);
    if ((seen & TAGS) !== 0) to = this.#tags.write(view, output, to);
    else to = writeText(TAGS_NONE, output, to);
    buffers.outputEnd = copyRun(buffers.tailView, 0, buffers.tailBytes, output, to);
  }

  #refuse(fault: number, at: number): number {
    this.fault = fault;
    this.faultAt = at;
    return -1;
  }

  /** Refuses a value for what it is, or as no value at all. */
  #refuseValue(bytes: Uint8Array, at: number, fault: number): number {
    return this.#refuse(startsValue(bytes[at]!) ? fault : FAULT.valueExpected, at);
  }
}

function fieldIndex(field: number): number {
  return 31 - Math.clz32(field);
}

/** A constant that copyRun() can read, three bytes past its end. */
function textOf(text: string): DataView {
  return new DataView(encoder.encode(`${text}\0\0\0`).buffer);
}

function writeText(text: DataView, output: DataView, to: number): number {
  return copyRun(text, 0, text.byteLength - 3, output, to);
}
