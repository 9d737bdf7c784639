// A batch as it was sent becomes the lines that are stored: bytes in, bytes out, in one pass and without objects.
//
//   {"metrics":[{…},{…}]}   ─▶   {"ts":…,"name":…,"value":…,"type":…,"tags":{…},"client":…}\n   one a metric
//
// The envelope is read here; each metric by the first that can of
// tight-metric.ts, plain-metric.ts and any-metric.ts, which write the same bytes. All or nothing: a refused
// batch leaves garbage in `out` that counts for nothing. What is accepted is JSON (RFC 8259) in well-formed UTF-8, and its
// lines say the same. Time is linear in the body, whatever it holds: nothing nests deeper here than the contract does.
//
// HOT: on the ingest thread, once a batch; one decoder a thread. Nothing throws but for an `out` that is too small.

import { REFUSAL, type Refusal } from "../errors.ts";
import { AnyMetric, FIELD_NAMES } from "./any-metric.ts";
import { BatchBuffers } from "./batch-buffers.ts";
import { describeFault, FAULT, FAULT_JSON_END, printableStringAt, startsValue } from "./fault.ts";
import { JsonString } from "./json-string.ts";
import { tryPlainMetric } from "./plain-metric.ts";
import { isTextAt, skipWhiteSpace } from "./runs.ts";
import { tryTightMetric } from "./tight-metric.ts";

const encoder = new TextEncoder();
const METRICS = encoder.encode("metrics");
const METRICS_QUOTED = encoder.encode('metrics"');

/** The shortest metric with a comma: `{"name":"a","value":1},`. */
const METRIC_BYTES_MIN = 23;
/** What a line adds to a metric at most: its other parts, default type and tags, a timestamp of 16 digits. */
const LINE_BYTES_ADDED_MAX =
  `{"ts":,"name":,"value":,"type":"gauge","tags":{},"client":""}\n`.length + 16 - `{"name":,"value":}`.length;
/** Words are written whole, past what counts; and a metric that is given up has been begun. */
const OVERRUN_BYTES_MAX = 64;

/** Upper bound of the bytes that decode() writes for a body of this length. */
export function linesBytesMax(bodyBytes: number, metricsMax: number, clientBytes: number): number {
  const metrics = Math.min(metricsMax, Math.ceil(bodyBytes / METRIC_BYTES_MIN));
  return bodyBytes + metrics * (LINE_BYTES_ADDED_MAX + clientBytes) + OVERRUN_BYTES_MAX;
}

/** After so many metrics that are not tight a batch's others are not tried: one serialiser wrote them all. */
const TIGHT_MISSES_MAX = 4;

/** What the fault was found in: the body as a whole, its "metrics", or a metric. */
const IN_BODY = -2;
const IN_METRICS = -1;

export class BatchDecoder {
  /** After success: just past the last line in `out`. */
  outEnd = 0;
  /** After success: the batch's least and greatest timestamp, milliseconds since 1970. */
  timestampMsFirst = 0;
  timestampMsLast = 0;
  /** After 0: REFUSAL.json (the body is not JSON) or REFUSAL.batch (it is no batch). */
  refusal: Refusal = 0;

  readonly #metricsMax: number;
  readonly #buffers = new BatchBuffers();
  readonly #metric = new AnyMetric();
  readonly #strings = new JsonString();

  #fault = 0;
  #faultAt = 0;
  /** The index of the metric it was found in, or IN_BODY or IN_METRICS. */
  #faultIn = IN_BODY;
  #start = 0;

  constructor(metricsMax: number) {
    this.#metricsMax = metricsMax;
  }

  /**
   * Validates bytes[start, end) as one batch and writes one canonical line a metric into `out` from `outStart`, where
   * there must be room for linesBytesMax(). `receivedAtMs` (0 to TIMESTAMP_MS_MAX) is the timestamp of metrics that name
   * none; `clientJson` the JSON-escaped bytes of the client's name without quotes. Returns the number of metrics, or 0
   * when the batch is refused. Keeps no hold of `clientJson`; of `bytes` only for describeRefusal().
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outStart: number,
    receivedAtMs: number,
    clientJson: Uint8Array,
  ): number {
    const buffers = this.#buffers;
    this.#start = buffers.begin(bytes, start, end, out, outStart);
    buffers.setShared(receivedAtMs, clientJson);
    const count = this.#body(buffers, this.#start);
    if (count <= 0) return 0;
    this.outEnd = buffers.outputEnd;
    this.timestampMsFirst = buffers.timestampMsFirst;
    this.timestampMsLast = buffers.timestampMsLast;
    if (buffers.isReceivedAtUsed) {
      this.timestampMsFirst = Math.min(this.timestampMsFirst, receivedAtMs);
      this.timestampMsLast = Math.max(this.timestampMsLast, receivedAtMs);
    }
    return count;
  }

  /**
   * What was wrong with the batch refused last, for a person. Built when asked, from the body's bytes: ask before they
   * change. Control characters of the body are not repeated.
   */
  describeRefusal(): string {
    const bytes = this.#buffers.input;
    const end = this.#buffers.inputEnd;
    let where = "the body";
    if (this.#faultIn === IN_METRICS) where = "metrics";
    if (this.#faultIn >= 0) {
      where = `metrics[${this.#faultIn}]`;
      if (this.#metric.faultField >= 0) where += `.${FIELD_NAMES[this.#metric.faultField]}`;
      if (this.#metric.faultKeyAt >= 0)
        where += `[${printableStringAt(bytes, this.#metric.faultKeyAt, end)}]`;
    }
    return describeFault(this.#fault, bytes, this.#start, this.#faultAt, where);
  }

  /** Reads the whole body. Returns the number of metrics, or -1. */
  #body(buffers: BatchBuffers, start: number): number {
    const bytes = buffers.input;
    // Every loop outside of strings stops at the body's last `}`: see any-metric.ts.
    let end = buffers.inputEnd;
    while (end > start && isWhiteSpace(bytes[end - 1]!)) end--;
    let p = start;
    while (p < end && isWhiteSpace(bytes[p]!)) p++;
    if (p === end) return this.#refuse(FAULT.valueExpected, p, IN_BODY);
    if (bytes[p] !== 0x7b /* { */) return this.#refuseStart(bytes, p);
    if (bytes[end - 1] !== 0x7d /* } */) return this.#refuse(FAULT.endMissing, end, IN_BODY);
    buffers.inputEnd = end;

    p = skipWhiteSpace(bytes, p + 1);
    if (bytes[p] === 0x7d /* } */)
      return this.#refuse(p + 1 === end ? FAULT.metricsMissing : FAULT.trailing, p, IN_BODY);
    p = this.#key(bytes, p, end);
    if (p < 0) return -1;
    if (bytes[p] !== 0x5b /* [ */)
      return this.#refuse(startsValue(bytes[p]!) ? FAULT.metricsKind : FAULT.valueExpected, p, IN_METRICS);
    p = skipWhiteSpace(bytes, p + 1);
    if (bytes[p] === 0x5d /* ] */) return this.#refuse(FAULT.metricsNone, p, IN_METRICS);

    const metricsMax = this.#metricsMax;
    let count = 0;
    let tightMissesLeft = TIGHT_MISSES_MAX;
    for (;;) {
      if (count === metricsMax) return this.#refuse(FAULT.metricsTooMany, p, IN_METRICS);
      let after = -1;
      if (tightMissesLeft > 0) {
        after = tryTightMetric(buffers, p);
        if (after < 0) tightMissesLeft--;
      }
      if (after < 0) after = tryPlainMetric(buffers, p);
      if (after < 0) {
        after = this.#metric.read(buffers, p);
        if (after < 0) return this.#refuse(this.#metric.fault, this.#metric.faultAt, count);
      }
      count++;
      if (after >= end) return this.#refuse(FAULT.commaOrBracketExpected, after, IN_METRICS);
      p = after;
      if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
      if (bytes[p] === 0x5d /* ] */) break;
      if (bytes[p] !== 0x2c /* , */) return this.#refuse(FAULT.commaOrBracketExpected, p, IN_METRICS);
      p++;
      if (bytes[p]! <= 0x20) p = skipWhiteSpace(bytes, p);
    }
    return this.#end(bytes, skipWhiteSpace(bytes, p + 1), end) < 0 ? -1 : count;
  }

  /** Reads a key of the body, which must be "metrics", and the colon. Returns its value's position, or -1. */
  #key(bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== 0x22) return this.#refuse(FAULT.keyExpected, at, IN_BODY);
    let p = at + 1 + METRICS_QUOTED.length;
    if (!isTextAt(bytes, at + 1, METRICS_QUOTED)) {
      const strings = this.#strings;
      strings.forget(end);
      p = strings.read(this.#buffers.inputView, at + 1, end);
      if (p < 0) return this.#refuse(strings.fault, strings.faultAt, IN_BODY);
      const source = strings.inScratch ? strings.scratch : bytes;
      if (strings.end - strings.start !== METRICS.length || !isTextAt(source, strings.start, METRICS))
        return this.#refuse(FAULT.bodyKeyUnknown, at, IN_BODY);
    }
    p = skipWhiteSpace(bytes, p);
    if (bytes[p] !== 0x3a /* : */) return this.#refuse(FAULT.colonExpected, p, IN_BODY);
    return skipWhiteSpace(bytes, p + 1);
  }

  /** What follows the array: the body's `}` and nothing else. */
  #end(bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] === 0x7d /* } */)
      return at + 1 === end ? at : this.#refuse(FAULT.trailing, at + 1, IN_BODY);
    if (bytes[at] !== 0x2c /* , */) return this.#refuse(FAULT.commaOrBraceExpected, at, IN_BODY);
    const p = this.#key(bytes, skipWhiteSpace(bytes, at + 1), end);
    return p < 0 ? -1 : this.#refuse(FAULT.metricsDuplicate, p, IN_BODY);
  }

  #refuseStart(bytes: Uint8Array, at: number): number {
    if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf)
      return this.#refuse(FAULT.byteOrderMark, at, IN_BODY);
    return this.#refuse(startsValue(bytes[at]!) ? FAULT.bodyKind : FAULT.valueExpected, at, IN_BODY);
  }

  #refuse(fault: number, at: number, faultIn: number): number {
    this.#fault = fault;
    this.#faultAt = at;
    this.#faultIn = faultIn;
    this.refusal = fault < FAULT_JSON_END ? REFUSAL.json : REFUSAL.batch;
    return -1;
  }
}

function isWhiteSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}
