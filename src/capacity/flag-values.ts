// The shapes that values of the analyser's flags have, each read or refused in one line that names the flag, the value and
// how it is written. Pure. (Settings of `serve` have a table of their own: they also come from files and the environment.)

import { TidemarkError } from "../errors.ts";

/** A whole number within bounds. */
export function readCount(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw refuse(flag, text, `a whole number from ${least} to ${most}`);
  return value;
}

/** A number above 0, fractions allowed. */
export function readRate(flag: string, text: string, most: number): number {
  const value = /^\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= most)) throw refuse(flag, text, `a number above 0 and at most ${most}`);
  return value;
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** "100ms", "1.5s", "2m"; in milliseconds. */
export function readDurationMs(flag: string, text: string, leastMs: number, mostMs: number): number {
  const parts = /^(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text.trim());
  const value = parts === null ? Number.NaN : Number(parts[1]) * MS_OF_UNIT[parts[2]!]!;
  if (!(value >= leastMs && value <= mostMs))
    throw refuse(flag, text, `a time such as 100ms, 10s or 2m, from ${leastMs} ms to ${mostMs} ms`);
  return value;
}

export function readOnOff(flag: string, text: string): boolean {
  if (text === "on") return true;
  if (text === "off") return false;
  throw refuse(flag, text, "on or off");
}

/** A token of RFC 9110, 5.6.2, in the case it was written: methods are case-sensitive. */
export function readMethod(flag: string, text: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(text) || text === "CONNECT")
    throw refuse(
      flag,
      text,
      "a method of HTTP such as GET, POST or PUT (CONNECT makes tunnels, not requests)",
    );
  return text;
}

/** "Name: value". No control characters: what is written here goes to the wire as it is. */
export function readHeader(flag: string, text: string): readonly [name: string, value: string] {
  const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(text);
  if (parts === null) throw refuse(flag, text, "'Name: value', in one line of Latin letters");
  return [parts[1]!, parts[2]!];
}

/** An absolute http URL, without a user and a fragment; normalised. */
export function readHttpUrl(flag: string, text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse(flag, text, "a URL such as http://127.0.0.1:8080/metrics");
  }
  if (url.protocol === "https:")
    throw new TidemarkError(
      `cannot use ${flag} ${text} because the generator does not speak TLS; measure behind the proxy that ends it, with http://`,
      2,
    );
  if (url.protocol !== "http:" || url.username !== "" || url.password !== "" || url.hash !== "")
    throw refuse(flag, text, "a URL such as http://127.0.0.1:8080/metrics (a secret goes into --header)");
  return url.href;
}

function refuse(flag: string, text: string, wanted: string): TidemarkError {
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  return new TidemarkError(`cannot use ${flag} ${shown} because it must be ${wanted}`, 2);
}
