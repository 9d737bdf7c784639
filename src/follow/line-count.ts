// Counts whole lines. No line of the log is shorter than its keys, so the bytes behind a line feed need no look: with lines
// of 100 bytes that halves the work, and a plain loop is several times quicker than a search for each line feed.
// HOT: once over every byte that is followed.

const LF = 0x0a;
/** {"ts":0,"name":"a","value":0,"type":"gauge","tags":{},"client":"a"} has 68 bytes; and some doubt. */
const LINE_BYTES_MIN = 48;

export interface LineCount {
  lines: number;
  /** Behind the last whole line that counted. */
  end: number;
}

/** Of bytes[start, to), at most `most` lines. `start` is where a line begins. */
export function countLines(bytes: Uint8Array, start: number, to: number, most: number): LineCount {
  let lines = 0;
  let end = start;
  let at = start + LINE_BYTES_MIN;
  while (at < to && lines < most) {
    if (bytes[at] === LF) {
      lines++;
      end = at + 1;
      at = end + LINE_BYTES_MIN;
    } else at++;
  }
  return { lines, end };
}
