// Damage to files at rest, as disks, controllers and operators do it. Pure but for `damageFile`, and the same for the same
// random numbers, so that a failure can be had again from its seed.
//
//     flip   one bit is another            cut    the file ends earlier
//     swap   two blocks change places      zero   a block reads as zeros

import { readFileSync, writeFileSync } from "node:fs";
import { oneOf, type Random, wholeBetween } from "../crash/random.ts";

export const DAMAGE_KINDS = ["flip", "cut", "swap", "zero"] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];
/** A sector, and a page. */
const BLOCK_BYTES = [512, 4096] as const;

export interface Damage {
  readonly kind: DamageKind;
  /** The file as it is now. */
  readonly bytes: Buffer;
  /** From the first to behind the last byte that is not what it was; for a cut, to where the file ended. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** For a person: "flip of bit 3 at 1234". */
  readonly text: string;
}

/** Null where nothing would change: an empty file, a block of zeros. `bytes` stays as it is. */
export function tryDamage(bytes: Buffer, kind: DamageKind, random: Random): Damage | null {
  if (bytes.length === 0) return null;
  if (kind === "cut") {
    const end = wholeBetween(random, 0, bytes.length - 1);
    const text = `cut at ${end} of ${bytes.length}`;
    return { kind, bytes: Buffer.from(bytes.subarray(0, end)), ranges: [[end, bytes.length]], text };
  }
  const damaged = Buffer.from(bytes);
  const text = DAMAGES[kind](damaged, random);
  const ranges = differences(bytes, damaged);
  return ranges.length === 0 ? null : { kind, bytes: damaged, ranges, text };
}

/** Damages the file in place, in one way of the four; null where there was nothing to damage. */
export function damageFile(path: string, random: Random, kind?: DamageKind): Damage | null {
  const damage = tryDamage(readFileSync(path), kind ?? oneOf(random, DAMAGE_KINDS), random);
  if (damage !== null) writeFileSync(path, damage.bytes);
  return damage;
}

const DAMAGES: Record<Exclude<DamageKind, "cut">, (bytes: Buffer, random: Random) => string> = {
  flip(bytes, random) {
    const at = wholeBetween(random, 0, bytes.length - 1);
    const bit = wholeBetween(random, 0, 7);
    bytes[at] = bytes[at]! ^ (1 << bit);
    return `flip of bit ${bit} at ${at}`;
  },
  swap(bytes, random) {
    const length = blockBytes(bytes, random, 2);
    const [first, second] = [block(bytes, length, random), block(bytes, length, random)];
    const held = Buffer.from(bytes.subarray(first, first + length));
    bytes.copyWithin(first, second, second + length);
    held.copy(bytes, second);
    return `swap of the ${length} bytes at ${first} and at ${second}`;
  },
  zero(bytes, random) {
    const length = blockBytes(bytes, random, 1);
    const from = block(bytes, length, random);
    bytes.fill(0, from, from + length);
    return `${length} zeros at ${from}`;
  },
};

/** Of a size that the file holds `count` times; small files have small blocks. */
function blockBytes(bytes: Buffer, random: Random, count: number): number {
  const fitting = BLOCK_BYTES.filter((length) => length * count <= bytes.length);
  return fitting.length > 0 ? oneOf(random, fitting) : Math.max(1, Math.floor(bytes.length / (2 * count)));
}

/** Where a block begins: as on a disk, at a multiple of its size; the last, short one is left alone. */
function block(bytes: Buffer, length: number, random: Random): number {
  return length * wholeBetween(random, 0, Math.floor(bytes.length / length) - 1);
}

function differences(before: Buffer, after: Buffer): [number, number][] {
  const ranges: [number, number][] = [];
  let from = -1;
  for (let at = 0; at <= before.length; at++) {
    const differs = at < before.length && before[at] !== after[at];
    if (differs && from < 0) from = at;
    if (differs || from < 0) continue;
    ranges.push([from, at]);
    from = -1;
  }
  return ranges;
}
