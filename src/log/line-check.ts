// Whether bytes are lines of ours: `{"ts":` integer … `}` LF, each valid JSON in valid UTF-8. Knows no more of a metric
// than that. Pure; used only by recovery, where no CRC covers the bytes.
// HOT: runs over whole segments at start, so that it makes nothing for a line. A line as the lane writes it has no NUL,
// no line feed inside, and no space before its brace.

import { isUtf8 } from "node:buffer";
import { isJson } from "./json-check.ts";

const LF = 0x0a;
const CLOSING_BRACE = 0x7d;
const PREFIX = Buffer.from('{"ts":');
/** Longer integers are beyond what a number holds exactly. */
const TIMESTAMP_DIGITS_MAX = 16;

export interface CheckedLines {
  /** Bytes of whole good lines from the start on. */
  bytes: number;
  lines: number;
  timestampMsEarliest: number;
  timestampMsLatest: number;
  /** What follows is a whole line and not a good one; otherwise it is the beginning of a line, or nothing. */
  bad: boolean;
}

/** Checks block[0, length) line by line, up to the first that is not whole or not good. */
export function checkLines(block: Buffer, length: number): CheckedLines {
  const checked: CheckedLines = {
    bytes: 0,
    lines: 0,
    timestampMsEarliest: Number.POSITIVE_INFINITY,
    timestampMsLatest: Number.NEGATIVE_INFINITY,
    bad: false,
  };
  const bytes = block.subarray(0, length);
  const allUtf8 = isUtf8(bytes.subarray(0, bytes.lastIndexOf(LF) + 1));
  for (;;) {
    const end = bytes.indexOf(LF, checked.bytes);
    if (end < 0) return checked;
    const timestampMs = timestampOf(bytes, checked.bytes, end);
    checked.bad =
      !Number.isSafeInteger(timestampMs) ||
      !isJson(bytes, checked.bytes, end) ||
      !(allUtf8 || isUtf8(bytes.subarray(checked.bytes, end)));
    if (checked.bad) return checked;
    checked.bytes = end + 1;
    checked.lines++;
    if (timestampMs < checked.timestampMsEarliest) checked.timestampMsEarliest = timestampMs;
    if (timestampMs > checked.timestampMsLatest) checked.timestampMsLatest = timestampMs;
  }
}

/** The timestamp of the line bytes[from, to), or NaN where the line does not begin and end as ours do. */
function timestampOf(bytes: Buffer, from: number, to: number): number {
  if (to - from <= PREFIX.length || bytes[to - 1] !== CLOSING_BRACE) return Number.NaN;
  for (let at = 0; at < PREFIX.length; at++) if (bytes[from + at] !== PREFIX[at]) return Number.NaN;
  let at = from + PREFIX.length;
  const sign = bytes[at] === 0x2d ? -1 : 1;
  if (sign < 0) at++;
  const first = at;
  let value = 0;
  for (; at < to && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++) value = value * 10 + (bytes[at]! - 0x30);
  const digits = at - first;
  const follows = bytes[at] === 0x2c || bytes[at] === CLOSING_BRACE;
  return digits > 0 && digits <= TIMESTAMP_DIGITS_MAX && follows ? sign * value : Number.NaN;
}
