// The header fields that the server acts on, by number. A name is told by its first letter (its ninth for those in C)
// and then compared once, four bytes at a time; a name that we know is not scanned as a token first.
// HOT: runs once a field.
//
//   content-length, 14 bytes:  cont  ent-  leng  ngth     the last four overlap, so that there is no rest
//   FOLDS of the same:         ....  ...|  ....  ....     sets bit 5 of every letter, leaves the "-" exact

import { COLON, fourBytes, LOWER, wordBytes } from "./character-class.ts";

const HYPHEN = 0x2d;

/** Some other field, or not all of its name is there. */
export const FIELD_OTHER = 0;
export const FIELD_HOST = 1;
export const FIELD_ACCEPT = 2;
export const FIELD_EXPECT = 3;
export const FIELD_PREFER = 4;
export const FIELD_CONNECTION = 5;
export const FIELD_CLIENT_ID = 6;
export const FIELD_CONTENT_TYPE = 7;
export const FIELD_AUTHORIZATION = 8;
export const FIELD_CONTENT_LENGTH = 9;
export const FIELD_CONTENT_ENCODING = 10;
export const FIELD_TRANSFER_ENCODING = 11;

/** The names, each at its number, in lower case; none is shorter than four bytes. */
const NAMES: readonly Uint8Array[] = [
  "",
  "host",
  "accept",
  "expect",
  "prefer",
  "connection",
  "x-client-id",
  "content-type",
  "authorization",
  "content-length",
  "content-encoding",
  "transfer-encoding",
].map(wordBytes);

export const FIELD_NAME_BYTES = Uint8Array.from(NAMES, (name) => name.length);

/** Fours of the longest name. */
const FOURS_MAX = 5;
const FOURS = new Int32Array(NAMES.length * FOURS_MAX);
const FOLDS = new Int32Array(NAMES.length * FOURS_MAX);
NAMES.forEach((name, field) => {
  let four = field * FOURS_MAX;
  for (let at = 0; at < name.length; at += 4, four++) {
    const last = name.subarray(Math.min(at, name.length - 4));
    FOURS[four] = fourBytes(last, 0);
    FOLDS[four] = fourBytes(
      last.map((byte) => (byte === HYPHEN ? 0 : 0x20)),
      0,
    );
  }
});

/** The ninth letter of connection, content-type, content-length, content-encoding. */
const NINTH = 8;

/** The number of the field whose name and colon begin at bytes[start] and end before limit. */
export function decodeFieldName(bytes: Uint8Array, start: number, limit: number): number {
  if (start + NINTH >= limit) return nameIs(bytes, start, limit, FIELD_HOST);
  switch (LOWER[bytes[start]]) {
    case 0x61: // a
      if (nameIs(bytes, start, limit, FIELD_ACCEPT) !== FIELD_OTHER) return FIELD_ACCEPT;
      return nameIs(bytes, start, limit, FIELD_AUTHORIZATION);
    case 0x63: // c
      switch (LOWER[bytes[start + NINTH]]) {
        case 0x65: // e
          return nameIs(bytes, start, limit, FIELD_CONTENT_ENCODING);
        case 0x6c: // l
          return nameIs(bytes, start, limit, FIELD_CONTENT_LENGTH);
        case 0x6f: // o
          return nameIs(bytes, start, limit, FIELD_CONNECTION);
        case 0x74: // t
          return nameIs(bytes, start, limit, FIELD_CONTENT_TYPE);
        default:
          return FIELD_OTHER;
      }
    case 0x65: // e
      return nameIs(bytes, start, limit, FIELD_EXPECT);
    case 0x68: // h
      return nameIs(bytes, start, limit, FIELD_HOST);
    case 0x70: // p
      return nameIs(bytes, start, limit, FIELD_PREFER);
    case 0x74: // t
      return nameIs(bytes, start, limit, FIELD_TRANSFER_ENCODING);
    case 0x78: // x
      return nameIs(bytes, start, limit, FIELD_CLIENT_ID);
    default:
      return FIELD_OTHER;
  }
}

/** `field` if its name and a colon are at bytes[start], FIELD_OTHER if not. */
function nameIs(bytes: Uint8Array, start: number, limit: number, field: number): number {
  const nameEnd = start + FIELD_NAME_BYTES[field];
  if (nameEnd >= limit || bytes[nameEnd] !== COLON) return FIELD_OTHER;
  const lastAt = nameEnd - 4;
  let four = field * FOURS_MAX;
  for (let at = start; at < lastAt; at += 4, four++) {
    if ((fourBytes(bytes, at) | FOLDS[four]) !== FOURS[four]) return FIELD_OTHER;
  }
  return (fourBytes(bytes, lastAt) | FOLDS[four]) === FOURS[four] ? field : FIELD_OTHER;
}
