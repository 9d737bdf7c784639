// Moving and passing over runs of bytes.
//
// HOT: runs here are short (a name, a few tags), where a loop beats TypedArray.set, which wants a subarray made for it.

/** The first position from `at` on that is not JSON white space. The caller makes sure that there is one. */
export function skipWhiteSpace(bytes: Uint8Array, at: number): number {
  let p = at;
  for (;;) {
    const c = bytes[p];
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return p;
    p++;
  }
}

/**
 * Copies view[start, end) to `output` at `to`: eight bytes at a time, the last eight overlapping, or, where there are
 * fewer, in words of four and up to three bytes past the end. Returns the position after it. Doubles may carry the bytes
 * as no eight bytes of well-formed UTF-8 are a NaN, the only double whose bits an engine may change.
 */
export function copyRun(view: DataView, start: number, end: number, output: DataView, to: number): number {
  const shift = (to - start) | 0;
  const last = end - 8;
  if (last < start) {
    for (let from = start; from < end; from = (from + 4) | 0)
      output.setInt32((from + shift) | 0, view.getInt32(from, true), true);
    return end + shift;
  }
  for (let from = start; from < last; from = (from + 8) | 0)
    output.setFloat64((from + shift) | 0, view.getFloat64(from, true), true);
  output.setFloat64((last + shift) | 0, view.getFloat64(last, true), true);
  return end + shift;
}

/** Whether bytes[start, start + text.length) is `text`. A byte that is not in `text` must follow within the array. */
export function isTextAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}
