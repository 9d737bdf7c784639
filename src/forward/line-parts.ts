// Where the parts of a line of the log are: what is the same in every line of its series, and what is not.
//
//   {"ts":1763890000000,"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"client":"web"}⏎
//         └─ ts ──────┘         └─ name ─┘         └──┘└──────────────────── tail ──────────────────────────┘
//
// Name and tail together are the key that series-cache.ts finds the series by. What the tail says is read only for a key that
// is new, by JSON.parse.
// HOT: once a line that is forwarded. One reader a forwarder.

import { decimalAt } from "./decimal.ts";

const LF = 0x0a;
/** {"ts":0,"name":"a","value":0,"type":"gauge","tags":{},"client":"a"} has 68 bytes; and some doubt. */
const LINE_BYTES_MIN = 48;
const TS_AT = '{"ts":'.length;
const NAME_BYTES = ',"name":"'.length;
const VALUE_BYTES = '","value":'.length;

export class LineParts {
  timestampMs = 0;
  value = 0;
  nameStart = 0;
  nameEnd = 0;
  tailStart = 0;
  /** Behind the tail: the line feed. */
  lineEnd = 0;

  /**
   * Reads the line that begins at `start` and ends before `to`. False where it is none of the log's; `lineEnd` is right all
   * the same.
   */
  read(bytes: Buffer, start: number, to: number): boolean {
    const found = bytes.indexOf(LF, start + LINE_BYTES_MIN);
    const lineEnd = found < 0 || found >= to ? to - 1 : found;
    this.lineEnd = lineEnd;
    if (bytes[start] !== 0x7b /* { */ || bytes[lineEnd - 1] !== 0x7d /* } */) return false;

    let p = start + TS_AT;
    let timestampMs = 0;
    for (; p < lineEnd; p++) {
      const digit = bytes[p]! - 0x30;
      if (digit < 0 || digit > 9) break;
      timestampMs = timestampMs * 10 + digit;
    }
    if (p === start + TS_AT) return false;

    p += NAME_BYTES;
    if (bytes[p - 1] !== 0x22 /* " */) return false;
    this.nameStart = p;
    while (p < lineEnd && bytes[p] !== 0x22) p += bytes[p] === 0x5c /* \ */ ? 2 : 1;
    this.nameEnd = p;

    p += VALUE_BYTES;
    if (bytes[p - 1] !== 0x3a /* : */) return false;
    const valueStart = p;
    while (p < lineEnd && bytes[p] !== 0x2c /* , */) p++;
    if (p >= lineEnd) return false;
    this.tailStart = p;
    this.timestampMs = timestampMs;
    this.value = decimalAt(bytes, valueStart, p);
    return Number.isFinite(this.value);
  }
}

/** Of the line that begins at `start`: its timestamp, milliseconds since 1970, alone. */
export function timestampMsAt(bytes: Buffer, start: number): number {
  let timestampMs = 0;
  for (let p = start + TS_AT; ; p++) {
    const digit = bytes[p]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) return timestampMs;
    timestampMs = timestampMs * 10 + digit;
  }
}
