// CRC-32 (IEEE, zlib's) of a part of a buffer. zlib's own is the faster one, but wants a view of the part, which costs more
// than a record of an index is long: those go by a table. Commits do not, however small: by the table a start took twice
// the time for segments of 345-byte commits.

import { crc32 } from "node:zlib";

/** From here on a view costs less than the table. */
const VIEW_BYTES_MIN = 64;
const TABLE = makeTable();

/** Of bytes[from, to), going on from `seed`. */
export function crcOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  if (to - from >= VIEW_BYTES_MIN) return crc32(bytes.subarray(from, to), seed);
  let crc = ~seed;
  for (let at = from; at < to; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
}
