// What is kept of a buffer that belongs to somebody else must be a copy.

/** A copy of bytes[start, end). Not `slice`: a Buffer's is a view on the same memory, whatever Uint8Array's is. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}
