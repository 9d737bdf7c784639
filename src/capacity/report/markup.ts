// HTML and SVG made of text, safe by construction: in markup`…` every value is escaped unless it is itself Markup, so a
// target's name or a header can never become an element. Attributes must stand between double quotes.

import { plainText } from "./figures.ts";

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | undefined | false | readonly Content[];

/** The template's own text is taken as it is, what is put into it is escaped; lists are joined, null and false are nothing. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = parts[0]!;
  for (let index = 0; index < values.length; index++) text += textOf(values[index]) + parts[index + 1]!;
  return new Markup(text);
}

export const NOTHING = new Markup("");

/** One element with its attributes; those that are null or undefined are left out. Names come from this program only. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | null | undefined>>,
  ...content: readonly Content[]
): Markup {
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(typeof value === "number" ? coordinate(value) : value!)}"`);
  return new Markup(`<${name}${pairs.join("")}>${textOf(content)}</${name}>`);
}

/** A length on the page: a tenth of a unit is finer than any screen. */
export function coordinate(value: number): string {
  return String(Number(value.toFixed(1)));
}

export function escapeText(text: string): string {
  return plainText(text).replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function textOf(value: Content): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number") return String(value);
  return value.map(textOf).join("");
}
