// HOT: Which Content-Types are taken as JSON. `curl -d` says application/x-www-form-urlencoded whatever it sends, so
// that and text/plain pass: the decoder is strict enough to tell. A type that clearly means another format does not.

const TAKEN = [
  "application/json",
  "text/plain",
  "text/json",
  "application/x-www-form-urlencoded",
  "application/octet-stream",
].map((type) => Buffer.from(type));
const SUFFIX_JSON = Buffer.from("+json");
const SEMICOLON = 0x3b;

/** bytes[start, end) is the value of Content-Type; parameters are not looked at. */
export function isMediaTypeTaken(bytes: Uint8Array, start: number, end: number): boolean {
  let typeEnd = start;
  while (typeEnd < end && bytes[typeEnd] !== SEMICOLON && bytes[typeEnd]! > 0x20) typeEnd++;
  for (let i = 0; i < TAKEN.length; i++) {
    const type = TAKEN[i]!;
    if (typeEnd - start === type.length && equalsIgnoringCase(type, bytes, start)) return true;
  }
  return (
    typeEnd - start > SUFFIX_JSON.length &&
    equalsIgnoringCase(SUFFIX_JSON, bytes, typeEnd - SUFFIX_JSON.length)
  );
}

function equalsIgnoringCase(lower: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < lower.length; i++) {
    const byte = bytes[start + i]!;
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (folded !== lower[i]) return false;
  }
  return true;
}
