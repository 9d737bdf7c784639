// Reads what another machine sent: unknown comes in, a checked value goes on. Every reader refuses with the name of the
// field, and none trusts a length. Pure.

import { TidemarkError } from "../../errors.ts";

const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

export class Fields {
  private readonly record: Readonly<Record<string, unknown>>;
  private readonly where: string;

  /** `where` names the value for a refusal: "tally". */
  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(where);
    this.record = value as Record<string, unknown>;
    this.where = where;
  }

  /** A whole number from `least` to `most`. */
  count(name: string, most = NUMBER_MAX, least = 0): number {
    const value = this.number(name, most, least);
    if (!Number.isInteger(value)) throw this.wrong(name);
    return value;
  }

  number(name: string, most = Number.MAX_VALUE, least = -Number.MAX_VALUE): number {
    return readNumber(this.record[name], this.nameOf(name), most, least);
  }

  numberOrNull(name: string): number | null {
    return this.record[name] === null ? null : this.number(name);
  }

  flag(name: string): boolean {
    const value = this.record[name];
    if (typeof value !== "boolean") throw this.wrong(name);
    return value;
  }

  text(name: string, lengthMax: number): string {
    const value = this.record[name];
    if (typeof value !== "string" || value.length > lengthMax) throw this.wrong(name);
    return value;
  }

  list<T>(name: string, countMax: number, read: (value: unknown, where: string) => T): T[] {
    return readList(this.record[name], this.nameOf(name), countMax, read);
  }

  fields(name: string): Fields {
    return new Fields(this.record[name], this.nameOf(name));
  }

  value(name: string): unknown {
    return this.record[name];
  }

  wrong(name: string): TidemarkError {
    return unreadable(this.nameOf(name));
  }

  private nameOf(name: string): string {
    return `${this.where}.${name}`;
  }
}

export function readNumber(
  value: unknown,
  where: string,
  most = Number.MAX_VALUE,
  least = -Number.MAX_VALUE,
): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) throw unreadable(where);
  return value;
}

export function readList<T>(
  value: unknown,
  where: string,
  countMax: number,
  read: (value: unknown, where: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length > countMax) throw unreadable(where);
  return value.map((each) => read(each, where));
}

/** A list of numbers of a known length. */
export function readRow(value: unknown, where: string, length: number): number[] {
  const row = readList(value, where, length, readNumber1);
  if (row.length !== length) throw unreadable(where);
  return row;
}

function readNumber1(value: unknown, where: string): number {
  return readNumber(value, where);
}

export function unreadable(where: string): TidemarkError {
  return new TidemarkError(
    `cannot read an agents' message because its ${where} is not what it should be; run the same tidemark on all machines`,
  );
}
