// Whether bytes are lines of ours: `{"ts":` … `}` LF, each valid JSON in valid UTF-8. Knows no more of a metric than that.
// Pure; used only by recovery, where no CRC covers the bytes.

import { isUtf8 } from "node:buffer";

const LF = 0x0a;
const CLOSING_BRACE = 0x7d;
const PREFIX = Buffer.from('{"ts":');

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
  for (;;) {
    const end = bytes.indexOf(LF, checked.bytes);
    if (end < 0) return checked;
    const timestampMs = timestampOf(bytes, checked.bytes, end);
    if (timestampMs === null) {
      checked.bad = true;
      return checked;
    }
    checked.bytes = end + 1;
    checked.lines++;
    checked.timestampMsEarliest = Math.min(checked.timestampMsEarliest, timestampMs);
    checked.timestampMsLatest = Math.max(checked.timestampMsLatest, timestampMs);
  }
}

/** The timestamp of the line bytes[from, to), or null where it is none of ours. */
function timestampOf(bytes: Buffer, from: number, to: number): number | null {
  if (to - from <= PREFIX.length || bytes[to - 1] !== CLOSING_BRACE) return null;
  for (let at = 0; at < PREFIX.length; at++) if (bytes[from + at] !== PREFIX[at]) return null;
  if (!isUtf8(bytes.subarray(from, to))) return null;
  try {
    // Latin-1 is the cheap way to a string; what is JSON in UTF-8 is JSON with each byte taken for a character.
    const line = JSON.parse(bytes.toString("latin1", from, to)) as { ts: unknown };
    return Number.isSafeInteger(line.ts) ? (line.ts as number) : null;
  } catch {
    return null;
  }
}
