// A JSON number as a double, exactly the one that JSON.parse gives. Where its digits fit in 15 and its power of ten in 22,
// both are doubles without loss, and one multiplication or division rounds as it should (Clinger's fast path); any other is
// left to the runtime.
// HOT: once a sample.

const DIGITS_MAX = 15;
const POWER_MAX = 22;
const POWERS = Float64Array.from({ length: POWER_MAX + 1 }, (_, power) => Number(`1e${power}`));

/** Of bytes[start, end); NaN where that is no number. */
export function decimalAt(bytes: Buffer, start: number, end: number): number {
  let p = start;
  const isNegative = bytes[p] === 0x2d; // -
  if (isNegative) p++;
  let digits = 0;
  let count = 0;
  let power = 0;
  const first = p;
  for (; p < end; p++) {
    const c = bytes[p]! - 0x30;
    if (c < 0 || c > 9) break;
    digits = digits * 10 + c;
    count++;
  }
  if (p === first) return Number.NaN;
  if (p < end && bytes[p] === 0x2e) {
    const point = ++p;
    for (; p < end; p++) {
      const c = bytes[p]! - 0x30;
      if (c < 0 || c > 9) break;
      digits = digits * 10 + c;
      count++;
    }
    power = point - p;
  }
  if (p < end || count > DIGITS_MAX || power < -POWER_MAX) return slowly(bytes, start, end);
  const size = power === 0 ? digits : digits / POWERS[-power]!;
  return isNegative ? -size : size;
}

/** An exponent, or more digits than are exact. */
function slowly(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.toString("latin1", start, end));
}
