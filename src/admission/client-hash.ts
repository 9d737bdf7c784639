// HOT: a client's name as 64 bits, for the limiter's table: HalfSipHash-1-3, keyed.
//
// The names come from whoever sends requests. With a hash that anyone can compute, they could pick names that all fall
// into one set of the table and push one another, or a neighbour, out of it; keyed with 64 random bits of this process
// they cannot. HalfSipHash is SipHash for 32-bit words, which is what JavaScript computes in without allocating;
// 1-3 rounds is what kernels use for their tables. (Aumasson and Bernstein, "SipHash: a fast short-input PRF".)
// The round is written out three times: a function that returned four words would allocate, and one loop for all with
// branches in it took 1.3 (Bun) and 1.6 (Node) times as long.
// Measured by rate-limiter.bench.ts. All threads of a process share the seed, because they share the table. One instance a thread; the result is in
// fields, valid until the next call.

/** For each half of the result. */
const FINISH_ROUNDS = 3;

export class ClientHash {
  /** 32 bits each, as signed integers, which both runtimes keep unboxed. */
  low = 0;
  high = 0;
  readonly #keyLow: number;
  readonly #keyHigh: number;

  /** The seed: 32 random bits each, the same in all threads. */
  constructor(seedLow: number, seedHigh: number) {
    this.#keyLow = seedLow | 0;
    this.#keyHigh = seedHigh | 0;
  }

  /** Hashes bytes[start..end) into `low` and `high`. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    let v0 = this.#keyLow;
    let v1 = this.#keyHigh ^ 0xee;
    let v2 = this.#keyLow ^ 0x6c796765;
    let v3 = this.#keyHigh ^ 0x74656462;
    const wordsEnd = end - ((end - start) & 3);
    let offset = start;
    for (; offset < wordsEnd; offset += 4) {
      const word =
        bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let last = (end - start) << 24;
    for (let shift = 0; offset < end; shift += 8) last |= bytes[offset++]! << shift;
    v3 ^= last;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= last;
    v2 ^= 0xee;
    for (let turn = 0; turn < 2 * FINISH_ROUNDS; turn++) {
      if (turn === FINISH_ROUNDS) {
        this.low = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.high = v1 ^ v3;
  }
}
