// Moving and passing over runs of bytes.
//
// HOT: runs here are short (a name, a few tags), where a loop beats a call of TypedArray.set, which wants a subarray made.

/** The first position from `at` on that is not JSON white space. The caller makes sure that there is one. */
export function skipWhiteSpace(bytes: Uint8Array, at: number): number {
  let p = at;
  for (;;) {
    const c = bytes[p];
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return p;
    p++;
  }
}

/** Copies source[start, end) to `target` at `at` and returns the position after it. */
export function copyRun(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  const shift = at - start;
  for (let from = start; from < end; from++) target[from + shift] = source[from]!;
  return end + shift;
}

/** Whether bytes[start, start + text.length) is `text`. A byte that is not in `text` must follow within the array. */
export function isTextAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}
