// The shapes that a setting can have: whole numbers, sizes, durations, words, addresses, tokens.
// Each is a valibot schema from what the operator wrote (text on a command line or in the environment; text, number
// or yes/no in YAML) to the value that the program uses. Its one message is the end of a sentence, "it must be …",
// and names the allowed range. It never repeats the value: config.ts decides whether that may be shown.
import * as v from "valibot";
import { CLIENT_NAME_BYTES_MAX, TOKEN_BYTES_MAX, TOKENS_MAX } from "./limits.ts";
import { parseServers } from "./nats/nats-settings.ts";

export type ValueSchema<T> = v.GenericSchema<unknown, T>;

const KIB = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: KIB,
  mib: KIB ** 2,
  gib: KIB ** 3,
  tib: KIB ** 4,
};
const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86_400e3,
};

/** A schema that runs `parse` and answers `must` where that finds no value. */
function valueSchema<T>(must: string, parse: (input: unknown) => T | undefined): ValueSchema<T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: must });
      return NEVER;
    }),
  );
}

function textOf(input: unknown): string | undefined {
  if (typeof input === "string") return input.trim();
  if (typeof input === "number" || typeof input === "bigint") return String(input);
  return undefined;
}

function parseWholeNumber(input: unknown, least: number, most: number): number | undefined {
  const text = textOf(input);
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= most ? value : undefined;
}

export function wholeNumber(least: number, most: number): ValueSchema<number> {
  return valueSchema(`it must be a whole number from ${least} to ${most}`, (input) =>
    parseWholeNumber(input, least, most),
  );
}

export function autoOrWholeNumber(least: number, most: number): ValueSchema<number | "auto"> {
  return valueSchema<number | "auto">(
    `it must be auto or a whole number from ${least} to ${most}`,
    (input) => (textOf(input) === "auto" ? "auto" : parseWholeNumber(input, least, most)),
  );
}

/** One of the words that are the keys of `meanings`. */
export function oneOf<T>(meanings: Readonly<Record<string, T>>): ValueSchema<T> {
  const words = Object.keys(meanings);
  return valueSchema(`it must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`, (input) => {
    const word = typeof input === "string" ? input.trim() : "";
    return Object.hasOwn(meanings, word) ? meanings[word] : undefined;
  });
}

/** on/off; YAML's own true and false mean the same. */
export const onOrOff: ValueSchema<boolean> = valueSchema("it must be on or off", (input) => {
  if (input === true || input === "on" || input === "true") return true;
  if (input === false || input === "off" || input === "false") return false;
  return undefined;
});

/** Bytes. A bare number is bytes. */
export function byteSize(least: number, most: number): ValueSchema<number> {
  return valueSchema(
    `it must be a size from ${formatBytes(least)} to ${formatBytes(most)}, such as ${formatBytes(least * 4)}`,
    (input) => parseQuantity(input, SIZE_UNITS, 1, least, most),
  );
}

/** Bytes, or 0 for off. */
export function byteSizeOrOff(least: number, most: number): ValueSchema<number> {
  return valueSchema(
    `it must be off or a size from ${formatBytes(least)} to ${formatBytes(most)}`,
    (input) => (isOff(input) ? 0 : parseQuantity(input, SIZE_UNITS, 1, least, most)),
  );
}

/** Milliseconds. A bare number is refused: nobody remembers whether it meant seconds. */
export function duration(leastMs: number, mostMs: number): ValueSchema<number> {
  return valueSchema(
    `it must be a time from ${formatDuration(leastMs)} to ${formatDuration(mostMs)} with its unit (ms, s, m, h, d)`,
    (input) => parseQuantity(input, DURATION_UNITS_MS, undefined, leastMs, mostMs),
  );
}

/** Milliseconds, or 0 for off. */
export function durationOrOff(leastMs: number, mostMs: number): ValueSchema<number> {
  return valueSchema(
    `it must be off or a time from ${formatDuration(leastMs)} to ${formatDuration(mostMs)} with its unit (ms, s, m, h, d)`,
    (input) => (isOff(input) ? 0 : parseQuantity(input, DURATION_UNITS_MS, undefined, leastMs, mostMs)),
  );
}

function isOff(input: unknown): boolean {
  return input === false || textOf(input) === "off" || textOf(input) === "0";
}

function parseQuantity(
  input: unknown,
  units: Readonly<Record<string, number>>,
  bareUnit: number | undefined,
  least: number,
  most: number,
): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?) ?([a-z]*)$/i.exec(textOf(input) ?? "");
  if (match === null) return undefined;
  const name = match[2]!.toLowerCase();
  const unit = name === "" ? bareUnit : Object.hasOwn(units, name) ? units[name] : undefined;
  if (unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}

/** Exact, in the largest binary unit that divides it: 1048576 is 1MiB, 1000 is 1000B. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ["TiB", KIB ** 4],
    ["GiB", KIB ** 3],
    ["MiB", KIB ** 2],
    ["KiB", KIB],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** Exact, in the largest unit that divides it: 75000 is 75s, 3600000 is 1h. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ["d", 86_400e3],
    ["h", 3600e3],
    ["m", 60e3],
    ["s", 1e3],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** An IPv4 or IPv6 address or a host name; which of them this machine has, listening will tell. */
export const hostName: ValueSchema<string> = valueSchema(
  "it must be an address or a host name of 1 to 253 characters, such as 127.0.0.1, :: or localhost",
  (input) =>
    typeof input === "string" && /^[A-Za-z0-9._:%-]{1,253}$/.test(input.trim()) ? input.trim() : undefined,
);

export const directoryPath: ValueSchema<string> = valueSchema("it must be the path of a folder", (input) =>
  typeof input === "string" && input.length > 0 && !input.includes("\0") ? input : undefined,
);

/** The path of a file, or "" for none. */
export const filePathOrNone: ValueSchema<string> = valueSchema("it must be the path of a file", (input) =>
  typeof input === "string" && !input.includes("\0") ? input : undefined,
);

export const textOrNone: ValueSchema<string> = valueSchema("it must be a text without NUL", (input) =>
  textOf(input)?.includes("\0") === true ? undefined : textOf(input),
);

/** Servers of a NATS cluster; none for "". */
export const natsServers: ValueSchema<string[]> = valueSchema(
  "it must be the addresses of a NATS cluster, such as nats://a,b,c or tls://a:4222",
  (input) => {
    const text = textOf(input);
    return text === "" ? [] : (parseServers(text ?? "") ?? undefined);
  },
);

/** Where the log is forwarded to, or "" for nowhere; what is behind the scheme is looked at when it is used. */
export const forwardTarget: ValueSchema<string> = valueSchema(
  "it must be the address of a store for remote write, such as prometheus=http://127.0.0.1:8428/api/v1/write",
  (input) => (/^(prometheus=https?:\/\/\S+)?$/.test(textOf(input) ?? "-") ? textOf(input) : undefined),
);

/** What JetStream takes for a stream's name, and a subject for its first word. */
export const streamName: ValueSchema<string> = valueSchema(
  "it must be 1 to 64 of A-Z a-z 0-9 _ -",
  (input) => (/^[A-Za-z0-9_-]{1,64}$/.test(textOf(input) ?? "") ? textOf(input) : undefined),
);

/** One word of a subject, or "" for the machine's own name. */
export const nodeName: ValueSchema<string> = valueSchema("it must be 1 to 64 of A-Z a-z 0-9 _ -", (input) =>
  /^[A-Za-z0-9_-]{0,64}$/.test(textOf(input) ?? ".") ? textOf(input) : undefined,
);

/** A client's name and the secret that it shows as `Authorization: Bearer …`. */
export interface Token {
  name: string;
  token: string;
}

const TOKEN_NAME = new RegExp(`^[A-Za-z0-9._-]{1,${CLIENT_NAME_BYTES_MAX}}$`);
// RFC 6750, 2.1: b64token, what a Bearer credential can carry.
const TOKEN_SECRET = /^[A-Za-z0-9._~+/-]+=*$/;

const MUST_BE_TOKENS =
  `it must be NAME=TOKEN, with a name of 1 to ${CLIENT_NAME_BYTES_MAX} of A-Z a-z 0-9 . _ - ` +
  `and a token of 1 to ${TOKEN_BYTES_MAX} of A-Z a-z 0-9 . _ ~ + / - that may end in =`;

/** From texts of NAME=TOKEN, several in one parted by commas or white space, or from YAML's `NAME: TOKEN`. */
export const tokenList: ValueSchema<Token[]> = v.pipe(
  valueSchema(MUST_BE_TOKENS, parseTokens),
  v.maxLength(TOKENS_MAX, `there must be at most ${TOKENS_MAX} tokens`),
  v.check(
    (tokens) => new Set(tokens.map((entry) => entry.name)).size === tokens.length,
    "each name must be there once",
  ),
  v.check(
    (tokens) => new Set(tokens.map((entry) => entry.token)).size === tokens.length,
    "each token must have one name",
  ),
);

function parseTokens(input: unknown): Token[] | undefined {
  const tokens: Token[] = [];
  if (typeof input === "object" && input !== null && !Array.isArray(input)) {
    for (const [name, secret] of Object.entries(input)) tokens.push({ name, token: textOf(secret) ?? "" });
  } else {
    for (const text of Array.isArray(input) ? input : [input]) {
      if (typeof text !== "string") return undefined;
      for (const part of text.split(/[\s,]+/)) {
        if (part === "") continue;
        const equals = part.indexOf("=");
        if (equals < 0) return undefined;
        tokens.push({ name: part.slice(0, equals), token: part.slice(equals + 1) });
      }
    }
  }
  return tokens.every(isToken) ? tokens : undefined;
}

function isToken(entry: Token): boolean {
  return (
    TOKEN_NAME.test(entry.name) && TOKEN_SECRET.test(entry.token) && entry.token.length <= TOKEN_BYTES_MAX
  );
}
