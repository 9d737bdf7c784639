import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ClientHash } from "./client-hash.ts";

/** HalfSipHash as its paper has it, with any count of rounds: slow, obvious, and checked against published vectors. */
function halfSipHash(
  compress: number,
  finish: number,
  key: [number, number],
  bytes: Uint8Array,
): [number, number] {
  const v = [key[0], key[1] ^ 0xee, key[0] ^ 0x6c796765, key[1] ^ 0x74656462];
  const rotate = (word: number, bits: number) => (word << bits) | (word >>> (32 - bits));
  const mix = (a: number, b: number, bits: number) => {
    v[a] = (v[a]! + v[b]!) | 0;
    v[b] = rotate(v[b]!, bits) ^ v[a]!;
  };
  const rounds = (count: number) => {
    for (let round = 0; round < count; round++) {
      mix(0, 1, 5);
      v[0] = rotate(v[0]!, 16);
      mix(2, 3, 8);
      mix(0, 3, 7);
      mix(2, 1, 13);
      v[2] = rotate(v[2]!, 16);
    }
  };
  const padded = new Uint8Array((Math.floor(bytes.length / 4) + 1) * 4);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const view = new DataView(padded.buffer);
  for (let offset = 0; offset < padded.length; offset += 4) {
    const word = view.getInt32(offset, true);
    v[3]! ^= word;
    rounds(compress);
    v[0]! ^= word;
  }
  v[2]! ^= 0xee;
  rounds(finish);
  const low = v[1]! ^ v[3]!;
  v[1]! ^= 0xdd;
  rounds(finish);
  return [low, v[1]! ^ v[3]!];
}

test("the slow form gives the published vectors of HalfSipHash-2-4", () => {
  // vectors_hsip64 of the reference implementation: key 00 01 … 07, input 00 01 … of 0 to 6 bytes.
  const vectors = [
    "218d1f59b9b83cc8",
    "be552412f8387315",
    "064f39ef7c50eb57",
    "ce0f1a45f7060679",
    "d5e78a175be52ea1",
    "cb9d7c3f2f3db580",
    "ce3e91358aa2bc25",
  ];
  for (const [length, expected] of vectors.entries()) {
    const bytes = Uint8Array.from({ length }, (_, index) => index);
    const out = Buffer.alloc(8);
    const [low, high] = halfSipHash(2, 4, [0x03020100, 0x07060504], bytes);
    out.writeInt32LE(low, 0);
    out.writeInt32LE(high, 4);
    assert.equal(out.toString("hex"), expected);
  }
});

test("the fast form is the slow one with 1 and 3 rounds, for any key, bytes and place in a buffer", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer(),
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(9),
      (seedLow, seedHigh, bytes, start) => {
        const buffer = new Uint8Array(bytes.length + start + 5).fill(0xa5);
        buffer.set(bytes, start);
        const hash = new ClientHash(seedLow, seedHigh);
        hash.hash(buffer, start, start + bytes.length);
        assert.deepEqual([hash.low, hash.high], halfSipHash(1, 3, [seedLow, seedHigh], bytes));
      },
    ),
  );
});

test("names spread over the sets of a table as evenly as chance has it, and differently for another seed", () => {
  const sets = 256;
  const names = 64 * sets;
  const counts = [new Uint32Array(sets), new Uint32Array(sets)];
  const hashes = [new ClientHash(1, 2), new ClientHash(3, 2)];
  let same = 0;
  for (let index = 0; index < names; index++) {
    const name = Buffer.from(`agent-${index}`);
    for (const [seed, hash] of hashes.entries()) {
      hash.hash(name, 0, name.length);
      counts[seed]![hash.low & (sets - 1)]!++;
    }
    if (hashes[0]!.low === hashes[1]!.low) same++;
  }
  assert.ok(same <= 1);
  for (const count of counts) {
    let chiSquare = 0;
    for (const inSet of count) chiSquare += (inSet - 64) ** 2 / 64;
    // 255 degrees of freedom: mean 255, deviation 23. The seeds are fixed, so this holds always or never.
    assert.ok(chiSquare > 255 - 4 * 23 && chiSquare < 255 + 4 * 23, `chi square ${chiSquare}`);
  }
});
