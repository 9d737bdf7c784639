// Numbers and texts as the report prints them, in one form for the terminal, the Markdown and the page, so that the three
// never disagree. No locale: the same report gives the same bytes everywhere.
// Always: what is not a finite number is "unknown", and nothing is rounded across a bound that matters (a success of
// 99.9996 % is not "100 %", one failure in a million is not "0 %").

export const UNKNOWN = "unknown";

/** What may stand where a figure is missing, or is one that JSON cannot hold. */
export type Figure = number | null | undefined;

export function isKnown(value: Figure): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** 1234567 → "1,234,567"; fractions are rounded away. */
export function countText(value: Figure): string {
  return isKnown(value) ? grouped(value, 0) : UNKNOWN;
}

/** Requests a second: whole from 100 on. */
export function rateText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  return grouped(value, Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 1);
}

export function rateUnitText(value: Figure): string {
  return isKnown(value) ? `${rateText(value)} req/s` : UNKNOWN;
}

/** Milliseconds without their unit: three figures that count. */
export function msText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 0.001) return "< 0.001";
  if (size < 1) return value.toFixed(3);
  if (size < 10) return value.toFixed(2);
  return grouped(value, size < 100 ? 1 : 0);
}

export function msUnitText(value: Figure): string {
  return isKnown(value) ? `${msText(value)} ms` : UNKNOWN;
}

/** A share of 1 as a percentage, "99.51 %": all and nothing are said only where they are meant. */
export function shareText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value === 1) return "100 %";
  if (value === 0) return "0 %";
  const text = (value * 100).toFixed(2);
  if (value < 1 && text === "100.00") return "> 99.99 %";
  if (value > 0 && text === "0.00") return "< 0.01 %";
  return `${Number(text)} %`;
}

/** A share of 1 for a glance: whole per cents. */
export function coarseShareText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value > 0 && value < 0.01) return "< 1 %";
  if (value < 1 && value > 0.99) return "> 99 %";
  return `${Math.round(value * 100)} %`;
}

/** A part of a whole, to a tenth of a per cent. */
export function partText(part: Figure, whole: number): string {
  if (!isKnown(part) || !(whole > 0)) return UNKNOWN;
  const share = (part / whole) * 100;
  return share > 0 && share < 0.05 ? "< 0.1 %" : `${Number(share.toFixed(1))} %`;
}

/** A factor on the rate: "×1.70". */
export function gainText(value: Figure): string {
  return isKnown(value) ? `×${grouped(value, Math.abs(value) < 100 ? 2 : 0)}` : UNKNOWN;
}

/** With the units of 1,024. */
export function bytesText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  let size = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(size) < 1024) return `${Number(size.toFixed(size < 10 && unit !== "B" ? 1 : 0))} ${unit}`;
    size /= 1024;
  }
  return `${grouped(size, 1)} TiB`;
}

/** Seconds of a run: "2 min 44 s". */
export function durationText(seconds: Figure): string {
  if (!isKnown(seconds)) return UNKNOWN;
  if (seconds < 100) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** "2025-11-23 16:02 UTC", or the text as it is where it is no such date. */
export function dateText(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(iso);
  return match === null ? plainLine(iso) : `${match[1]} ${match[2]} UTC`;
}

/** A small whole-number parameter of a fit, with as many figures as count. */
export function parameterText(value: Figure): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value !== 0 && Math.abs(value) < 1e-3) return scientificText(value);
  return Math.abs(value) >= 100 ? grouped(value, 0) : `${Number(value.toPrecision(3))}`;
}

/** Any setting's value, in words. */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (typeof value === "object") return plainLine(JSON.stringify(value));
  return plainLine(String(value));
}

/**
 * A text of the target's or the operator's on one line, without what steers a terminal or turns the direction of writing:
 * a server may send anything as its name.
 */
export function plainLine(text: string): string {
  return plainText(text).replace(/\s*\n\s*/g, " ");
}

/** As plainLine, but lines stay. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\t/g, "  ").replace(STEERING, "").toWellFormed();
}

/** Control characters but for the line's end, and what turns the direction of writing or is not seen at all. */
const STEERING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** "6.2 × 10⁻⁶" */
function scientificText(value: number): string {
  const [digits, exponent] = value.toExponential(1).split("e") as [string, string];
  const raised = [...exponent].map((letter) => SUPERSCRIPTS["-0123456789".indexOf(letter)] ?? "").join("");
  return `${digits.replace("-", "−")} × 10${raised}`;
}

const SUPERSCRIPTS = [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"];

function grouped(value: number, digits: number): string {
  const [whole, fraction] = Math.abs(value).toFixed(digits).split(".") as [string, string?];
  const head = whole.includes("e") ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${value < 0 ? "−" : ""}${head}${fraction === undefined ? "" : `.${fraction}`}`;
}
