// A JSON number, read where it stands: its grammar (RFC 8259, section 6) and whether a double can hold it. The digits are
// kept as they were written; a double is made only where one could overflow.
//
// HOT: no allocation but for a number that might overflow. The caller makes sure that the number is followed by a byte
// that no number contains before the array ends.

/** A double holds every integer of fewer digits than 309. */
const DIGITS_SURELY_FINITE_MAX = 300;

export const NUMBER_MALFORMED = -1;

/** The position after the number at `start`, or NUMBER_MALFORMED. */
export function endOfNumber(bytes: Uint8Array, start: number): number {
  let p = start;
  if (bytes[p] === 0x2d /* - */) p++;
  let c = bytes[p]!;
  if (c === 0x30) c = bytes[++p]!;
  else if (c > 0x30 && c <= 0x39) {
    do c = bytes[++p]!;
    while (c >= 0x30 && c <= 0x39);
  } else return NUMBER_MALFORMED;
  if (c === 0x2e /* . */) {
    const fraction = p + 1;
    do c = bytes[++p]!;
    while (c >= 0x30 && c <= 0x39);
    if (p === fraction) return NUMBER_MALFORMED;
  }
  if (c === 0x65 || c === 0x45 /* e E */) {
    c = bytes[++p]!;
    if (c === 0x2b || c === 0x2d /* + - */) c = bytes[++p]!;
    const exponent = p;
    while (c >= 0x30 && c <= 0x39) c = bytes[++p]!;
    if (p === exponent) return NUMBER_MALFORMED;
  }
  return p;
}

/** Whether the well-formed number in bytes[start, end) is finite as a double. */
export function isFiniteNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let mayOverflow = end - start > DIGITS_SURELY_FINITE_MAX;
  for (let at = start; at < end && !mayOverflow; at++) mayOverflow = (bytes[at]! | 0x20) === 0x65; // e E
  if (!mayOverflow) return true;
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return Number.isFinite(Number(text));
}
