// HOT: which of the operator's tokens does an Authorization value show? Its index, in a time that says nothing of them.
//
// Every look-up does the same work, whatever the tokens are and whichever matches: the credential is hashed under a key
// that only this table knows, the hash is compared with that of every token without a branch, and the one that is left
// (or a blank that nothing equals) is compared in full by timingSafeEqual, padded to one length. How long it takes
// follows from the length of what was sent, which the sender knows, and the count of tokens.
// (A SHA-256 of the credential and a timingSafeEqual a token would serve as well, but on Node cost 2 µs a request and
// 0.1 µs a token, and an allocation; see tokens.bench.ts.)
// One a thread. Holds the secrets: nothing here may print or throw them.

import { getRandomValues, timingSafeEqual } from "node:crypto";
import { assert } from "../base/assert.ts";
import { TOKEN_BYTES_MAX, TOKENS_MAX } from "../limits.ts";
import { ClientHash } from "./client-hash.ts";

/** Neither a token nor a scheme that is ours. */
export const TOKEN_NONE = -1;

const SCHEME = new TextEncoder().encode("bearer");
const SPACE = 0x20;
const LOWER_CASE_BIT = 0x20;
/** A padded secret: two bytes of length, so that padding is never mistaken for a secret's end, then its bytes. */
const LENGTH_BYTES = 2;
const PADDED_BYTES = LENGTH_BYTES + TOKEN_BYTES_MAX;

export class TokenTable {
  readonly names: readonly string[];
  readonly #count: number;
  readonly #hash: ClientHash;
  readonly #hashLows: Int32Array;
  readonly #hashHighs: Int32Array;
  /** One a token, and at `count` the blank: a length that no credential has. */
  readonly #padded: readonly Uint8Array[];
  readonly #presented = new Uint8Array(PADDED_BYTES);

  constructor(tokens: readonly { name: string; token: string }[]) {
    assert(tokens.length <= TOKENS_MAX, "there are at most TOKENS_MAX tokens");
    assert(new Set(tokens.map((entry) => entry.token)).size === tokens.length, "no token is there twice");
    this.names = tokens.map((entry) => entry.name);
    this.#count = tokens.length;
    const [seedLow, seedHigh] = getRandomValues(new Uint32Array(2)) as unknown as [number, number];
    this.#hash = new ClientHash(seedLow, seedHigh);
    this.#hashLows = new Int32Array(tokens.length);
    this.#hashHighs = new Int32Array(tokens.length);
    const padded: Uint8Array[] = [];
    for (const [index, { token }] of tokens.entries()) {
      const secret = new TextEncoder().encode(token);
      assert(
        secret.length >= 1 && secret.length <= TOKEN_BYTES_MAX,
        "a token has 1 to TOKEN_BYTES_MAX bytes",
      );
      const row = new Uint8Array(PADDED_BYTES);
      pad(row, secret, 0, secret.length);
      padded.push(row);
      this.#hash.hash(secret, 0, secret.length);
      this.#hashLows[index] = this.#hash.low;
      this.#hashHighs[index] = this.#hash.high;
    }
    padded.push(new Uint8Array(PADDED_BYTES).fill(0xff));
    this.#padded = padded;
  }

  /** Index in `names` of the token that bytes[start..end), an Authorization value, shows; or TOKEN_NONE. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const tokenStart = skipScheme(bytes, start, end);
    if (tokenStart === TOKEN_NONE || end - tokenStart > TOKEN_BYTES_MAX) return TOKEN_NONE;
    this.#hash.hash(bytes, tokenStart, end);
    const low = this.#hash.low;
    const high = this.#hash.high;
    let candidate = this.#count;
    for (let index = 0; index < this.#count; index++) {
      const difference = (this.#hashLows[index]! ^ low) | (this.#hashHighs[index]! ^ high);
      const differs = (difference | -difference) >> 31; // all ones, or none
      candidate = (candidate & differs) | (index & ~differs);
    }
    pad(this.#presented, bytes, tokenStart, end);
    return timingSafeEqual(this.#presented, this.#padded[candidate]!) ? candidate : TOKEN_NONE;
  }
}

/** Start of the credential after `Bearer` and its spaces (RFC 9110, 11.4), or TOKEN_NONE for another scheme or none. */
function skipScheme(bytes: Uint8Array, start: number, end: number): number {
  let offset = start + SCHEME.length;
  if (offset >= end || bytes[offset] !== SPACE) return TOKEN_NONE;
  for (let index = 0; index < SCHEME.length; index++) {
    if ((bytes[start + index]! | LOWER_CASE_BIT) !== SCHEME[index]) return TOKEN_NONE;
  }
  while (offset < end && bytes[offset] === SPACE) offset++;
  return offset;
}

/** Overwrites all of `row`: nothing of what it held is left to compare. */
function pad(row: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  row.fill(0);
  row[0] = length & 0xff;
  row[1] = length >> 8;
  for (let index = 0; index < length; index++) row[LENGTH_BYTES + index] = bytes[start + index]!;
}
