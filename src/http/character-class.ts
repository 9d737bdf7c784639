// What each of the 256 bytes may be in HTTP/1.1, as bits in one table: a scan is a load and a mask per byte.
// Sources: RFC 9110 5.5 and 5.6.2 (field values, tokens), RFC 3986 2 and 3.2.2 (targets, hosts).
// HOT: read for every byte of every head. Never written after the module has loaded.

/** tchar: methods, header names, list members. */
export const TOKEN = 1;
/** What a header value may hold: VCHAR, SP, HTAB and obs-text. CR, LF, NUL and the other controls are not in it. */
export const FIELD = 2;
/** What a request target may hold: visible ASCII without # " < > \ ^ ` { | } */
export const TARGET = 4;
/** The two bytes of a target that ask for a closer look: ? and % */
export const TARGET_MARK = 8;
export const HEX = 16;
/** A registered name in an authority: unreserved and sub-delims, without the comma that would make it a list. */
export const HOST = 32;
/** What may stand between the quotes of a quoted-string without a backslash before it. */
export const QUOTED = 64;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const PERCENT = 0x25;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUESTION = 0x3f;
export const BACKSLASH = 0x5c;

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export const CLASS: Uint8Array = buildClasses();
/** Each byte with A to Z in lower case and all others as they are. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const visible = byte > 0x20 && byte < 0x7f;
    if (visible || byte === SP || byte === HTAB || byte >= 0x80) classes[byte] |= FIELD;
    if ((classes[byte] & FIELD) !== 0 && byte !== QUOTE && byte !== BACKSLASH) classes[byte] |= QUOTED;
    if (visible && !'#"<>\\^`{|}'.includes(String.fromCharCode(byte))) classes[byte] |= TARGET;
  }
  mark(classes, `${ALPHANUMERIC}!#$%&'*+-.^_\`|~`, TOKEN);
  mark(classes, `${ALPHANUMERIC}-._~!$&'()*+;=`, HOST);
  mark(classes, "0123456789abcdefABCDEF", HEX);
  mark(classes, "?%", TARGET_MARK);
  return classes;
}

function mark(classes: Uint8Array, characters: string, bit: number): void {
  for (const character of characters) classes[character.charCodeAt(0)] |= bit;
}

/** The bytes of an ASCII word, for comparisons without strings. */
export function wordBytes(word: string): Uint8Array {
  return Uint8Array.from(word, (character) => character.charCodeAt(0));
}

/** Four bytes as one number, the first of them highest: four are compared in the time of one. All four must be there. */
export function fourBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

/** Whether bytes[start, end) is `word`, exactly. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (bytes[start + index] !== word[index]) return false;
  }
  return true;
}

/** Whether bytes[start, end) is `word`, which is lower case, in any case. */
export function isWordAnyCase(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (LOWER[bytes[start + index]] !== word[index]) return false;
  }
  return true;
}

export function isOptionalSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

/** The value of a hex digit; only for bytes of class HEX. */
export function hexValue(byte: number): number {
  return byte <= NINE ? byte - ZERO : (byte | 0x20) - 0x57;
}
