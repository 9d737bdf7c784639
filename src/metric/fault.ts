// What can be wrong with a batch: each fault's kind (not JSON, or JSON that is no batch) and its text for a person.
// Codes are numbers, as the readers hand them up; the texts are built only when asked. Cold.

import { NAME_CHARACTERS_MAX, TAGS_MAX, TIMESTAMP_MS_MAX } from "../limits.ts";

/** Faults below FAULT_JSON_END mean that the bytes are not JSON; the others, that they are no batch. */
export const FAULT = {
  byteOrderMark: 0,
  endMissing: 1,
  trailing: 2,
  keyExpected: 3,
  colonExpected: 4,
  commaOrBraceExpected: 5,
  commaOrBracketExpected: 6,
  valueExpected: 7,
  stringUnclosed: 8,
  controlInString: 9,
  escapeUnknown: 10,
  utf8: 11,
  numberSyntax: 12,
  bodyKind: 20,
  bodyKeyUnknown: 21,
  metricsMissing: 22,
  metricsDuplicate: 23,
  metricsKind: 24,
  metricsNone: 25,
  metricsTooMany: 26,
  metricKind: 27,
  keyUnknown: 28,
  keyDuplicate: 29,
  nameMissing: 30,
  valueMissing: 31,
  stringKind: 32,
  nameEmpty: 33,
  nameTooLong: 34,
  valueKind: 35,
  valueNotFinite: 36,
  typeUnknown: 37,
  tagsKind: 38,
  tagKind: 39,
  tagDuplicate: 40,
  tagsTooMany: 41,
  timestampKind: 42,
  timestampForm: 43,
  surrogateLone: 44,
} as const;
export const FAULT_JSON_END = 20;

/** How much of a key a refusal repeats. */
const PRINTABLE_BYTES_MAX = 64;

const TEXTS: Record<number, string> = {
  [FAULT.byteOrderMark]: "a byte order mark is not allowed",
  [FAULT.endMissing]: "the body must end with '}'; it was cut short or has bytes after its end",
  [FAULT.trailing]: "unexpected bytes after the end",
  [FAULT.keyExpected]: "expected a key in double quotes",
  [FAULT.colonExpected]: "expected ':' after a key",
  [FAULT.commaOrBraceExpected]: "expected ',' or '}'",
  [FAULT.commaOrBracketExpected]: "expected ',' or ']'",
  [FAULT.valueExpected]: "expected a value",
  [FAULT.stringUnclosed]: "a string is not closed",
  [FAULT.controlInString]: "a control character in a string must be escaped",
  [FAULT.escapeUnknown]:
    'an escape must be one of \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits',
  [FAULT.utf8]: "the bytes are not UTF-8",
  [FAULT.numberSyntax]: "a number is not written as JSON asks",
  [FAULT.bodyKind]: 'must be an object {"metrics":[…]}, not',
  [FAULT.bodyKeyUnknown]: 'unknown key; the only one is "metrics"',
  [FAULT.metricsMissing]: 'must have the key "metrics"',
  [FAULT.metricsDuplicate]: 'the key "metrics" comes twice',
  [FAULT.metricsKind]: "must be an array of metrics, not",
  [FAULT.metricsNone]: "must hold at least one metric",
  [FAULT.metricsTooMany]: "holds more metrics than one batch may; see --batch-max, or send smaller batches",
  [FAULT.metricKind]: "must be an object, not",
  [FAULT.keyUnknown]: "unknown key; known are name, value, type, tags and timestamp",
  [FAULT.keyDuplicate]: "the key comes twice",
  [FAULT.nameMissing]: "must have a name",
  [FAULT.valueMissing]: "must have a value",
  [FAULT.stringKind]: "must be a string, not",
  [FAULT.nameEmpty]: "must not be empty",
  [FAULT.nameTooLong]: `must have at most ${NAME_CHARACTERS_MAX} characters`,
  [FAULT.valueKind]: "must be a finite number, not",
  [FAULT.valueNotFinite]: "must be a finite number; this one is too large for a double",
  [FAULT.typeUnknown]: "must be one of counter, gauge, histogram and summary",
  [FAULT.tagsKind]: "must be an object of strings, not",
  [FAULT.tagKind]: "must be a string, not",
  [FAULT.tagDuplicate]: "the tag comes twice",
  [FAULT.tagsTooMany]: `must hold at most ${TAGS_MAX} tags`,
  [FAULT.timestampKind]: "must be an integer of milliseconds since 1970, not",
  [FAULT.timestampForm]: `must be an integer of milliseconds since 1970, 0 to ${TIMESTAMP_MS_MAX}, without sign, fraction or exponent`,
  [FAULT.surrogateLone]: "has an escape \\ud800 to \\udfff without its other half",
};

/** The text of a fault found at `at` (an offset in `bytes`, whose body starts at `start`); `where` names the place in the batch. */
export function describeFault(
  fault: number,
  bytes: Uint8Array,
  start: number,
  at: number,
  where: string,
): string {
  const text = TEXTS[fault]!;
  if (fault < FAULT_JSON_END) return `not JSON at byte ${at - start}: ${text}`;
  return `${where}: ${text}${text.endsWith("not") ? ` ${kindOfValueAt(bytes, at)}` : ""}`;
}

/** A key or tag of the body for a person: as it was written, but a dot for what cannot be printed, and cut where it is long. */
export function printableStringAt(bytes: Uint8Array, quoteAt: number, end: number): string {
  const start = quoteAt + 1;
  const limit = Math.min(end, start + PRINTABLE_BYTES_MAX);
  let at = start;
  while (at < limit && bytes[at] !== 0x22 /* " */) at += bytes[at] === 0x5c /* \ */ ? 2 : 1;
  const text = new TextDecoder().decode(bytes.subarray(start, Math.min(at, limit)));
  return `"${text.replace(/[\p{C}\u2028\u2029]/gu, ".")}${at < limit ? "" : "…"}"`;
}

/** Whether a JSON value can start with this byte. */
export function startsValue(c: number): boolean {
  return kindOfFirstByte(c) !== undefined;
}

function kindOfValueAt(bytes: Uint8Array, at: number): string {
  return kindOfFirstByte(bytes[at]!) ?? "this";
}

function kindOfFirstByte(c: number): string | undefined {
  if (c === 0x22 /* " */) return "a string";
  if (c === 0x7b /* { */) return "an object";
  if (c === 0x5b /* [ */) return "an array";
  if (c === 0x74 /* t */ || c === 0x66 /* f */) return "a boolean";
  if (c === 0x6e /* n */) return "null";
  if (c === 0x2d /* - */ || (c >= 0x30 && c <= 0x39)) return "a number";
  return undefined;
}
