// Whether bytes are lines of ours: `{"ts":` integer … `}` LF, each valid JSON in valid UTF-8. Knows no more of a metric
// than that. Pure; used where no CRC covers the bytes.
// HOT: runs over whole segments at start, so that it makes nothing for a line. A line as the lane writes it has no NUL,
// no line feed inside, and no space before its brace.

import { isUtf8 } from "node:buffer";
import { isJson } from "./json-check.ts";

const LF = 0x0a;
const CLOSING_BRACE = 0x7d;
/** Longer integers are beyond what a number holds exactly. */
const TIMESTAMP_DIGITS_MAX = 16;

/** What our lines begin with. In a line it can stand further in only where a tag is named so, and then a text follows. */
export const LINE_PREFIX = Buffer.from('{"ts":');

export interface CheckedLines {
  /** Index behind the last of the whole good lines from the start on. */
  end: number;
  lines: number;
  timestampMsEarliest: number;
  timestampMsLatest: number;
  /** Index behind the bad line that follows at `end`; -1 where what follows is the beginning of a line, or nothing. */
  badEnd: number;
}

/**
 * Checks block[from, to) line by line, up to the first that is not whole or not good. `allUtf8`: all of it is known to be
 * valid UTF-8, which is found out faster for a block than line by line.
 */
export function checkLines(block: Buffer, from: number, to: number, allUtf8: boolean): CheckedLines {
  const checked: CheckedLines = {
    end: from,
    lines: 0,
    timestampMsEarliest: Number.POSITIVE_INFINITY,
    timestampMsLatest: Number.NEGATIVE_INFINITY,
    badEnd: -1,
  };
  for (;;) {
    const lineEnd = block.indexOf(LF, checked.end);
    if (lineEnd < 0 || lineEnd >= to) return checked;
    const timestampMs = timestampOf(block, checked.end, lineEnd);
    const isGood =
      Number.isSafeInteger(timestampMs) &&
      isJson(block, checked.end, lineEnd) &&
      (allUtf8 || isUtf8(block.subarray(checked.end, lineEnd)));
    if (!isGood) {
      checked.badEnd = lineEnd + 1;
      return checked;
    }
    checked.end = lineEnd + 1;
    checked.lines++;
    if (timestampMs < checked.timestampMsEarliest) checked.timestampMsEarliest = timestampMs;
    if (timestampMs > checked.timestampMsLatest) checked.timestampMsLatest = timestampMs;
  }
}

/** The timestamp of the line bytes[from, to), or NaN where the line does not begin and end as ours do. */
function timestampOf(bytes: Buffer, from: number, to: number): number {
  if (to - from <= LINE_PREFIX.length || bytes[to - 1] !== CLOSING_BRACE) return Number.NaN;
  for (let at = 0; at < LINE_PREFIX.length; at++) if (bytes[from + at] !== LINE_PREFIX[at]) return Number.NaN;
  let at = from + LINE_PREFIX.length;
  const sign = bytes[at] === 0x2d ? -1 : 1;
  if (sign < 0) at++;
  const first = at;
  let value = 0;
  for (; at < to && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++) value = value * 10 + (bytes[at]! - 0x30);
  const digits = at - first;
  const follows = bytes[at] === 0x2c || bytes[at] === CLOSING_BRACE;
  return digits > 0 && digits <= TIMESTAMP_DIGITS_MAX && follows ? sign * value : Number.NaN;
}
