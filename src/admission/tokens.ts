// HOT: which of the operator's tokens does an Authorization value show? Its index, in a time that says nothing of them.
//
// Every look-up does the same work, whatever the tokens are and whichever matches: the credential is hashed under a key
// that only this table knows, the hash is compared with that of every token without a branch, and the one that is left
// (or a blank that nothing equals) is compared in full by timingSafeEqual, padded to one length. How long it takes
// follows from the length of what was sent, which the sender knows, and from the count of tokens and the longest one's
// length in steps of 64, which are no secret. The usual way, a SHA-256 of the credential and a timingSafeEqual a token,
// costs 2 µs a request and 0.1 µs a token on Node, and an allocation; see tokens.bench.ts.
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
/** A padded secret: its length, so that padding is never mistaken for part of it, then its bytes, then zeros. */
const LENGTH_BYTES = 4;
/** Padding is to a multiple of this, so that the work shows the longest token's length only roughly. */
const PADDING_STEP_BYTES = 64;

export class TokenTable {
  readonly names: readonly string[];
  readonly #count: number;
  readonly #hash: Pick<ClientHash, "hash" | "low" | "high">;
  readonly #hashLows: Int32Array;
  readonly #hashHighs: Int32Array;
  /** One a token, and at `count` the blank: of a length that no credential has. */
  readonly #padded: readonly Uint8Array[];
  readonly #presented: Uint8Array;

  /** `hash` is the table's own from here on; its seed must be as secret as the tokens. */
  constructor(
    tokens: readonly { name: string; token: string }[],
    hash: Pick<ClientHash, "hash" | "low" | "high"> = randomlyKeyed(),
  ) {
    assert(tokens.length <= TOKENS_MAX, "there are at most TOKENS_MAX tokens");
    assert(new Set(tokens.map((entry) => entry.token)).size === tokens.length, "no token is there twice");
    const secrets = tokens.map((entry) => new TextEncoder().encode(entry.token));
    const lengths = secrets.map((secret) => secret.length);
    const isLengthRight = lengths.every((length) => length >= 1 && length <= TOKEN_BYTES_MAX);
    assert(isLengthRight, "a token has 1 to TOKEN_BYTES_MAX bytes");
    const steps = Math.ceil((LENGTH_BYTES + Math.max(0, ...lengths)) / PADDING_STEP_BYTES);
    this.names = tokens.map((entry) => entry.name);
    this.#count = tokens.length;
    this.#hash = hash;
    this.#hashLows = new Int32Array(tokens.length);
    this.#hashHighs = new Int32Array(tokens.length);
    this.#presented = new Uint8Array(steps * PADDING_STEP_BYTES);
    const rows = [...secrets, undefined].map(() => new Uint8Array(steps * PADDING_STEP_BYTES));
    for (const [index, secret] of secrets.entries()) {
      pad(rows[index]!, secret, 0, secret.length);
      hash.hash(secret, 0, secret.length);
      this.#hashLows[index] = hash.low;
      this.#hashHighs[index] = hash.high;
    }
    rows[this.#count]!.fill(0xff);
    this.#padded = rows;
  }

  /** Index in `names` of the token that bytes[start..end), an Authorization value, shows; or TOKEN_NONE. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const tokenStart = skipScheme(bytes, start, end);
    if (tokenStart === TOKEN_NONE) return TOKEN_NONE;
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

function randomlyKeyed(): ClientHash {
  const seeds = getRandomValues(new Uint32Array(2));
  return new ClientHash(seeds[0]!, seeds[1]!);
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

/** Overwrites all of `row`; what is too long for it is cut, and shows in the length. */
function pad(row: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const copied = Math.min(length, row.length - LENGTH_BYTES);
  row.fill(0);
  for (let index = 0; index < LENGTH_BYTES; index++) row[index] = length >> (8 * index);
  for (let index = 0; index < copied; index++) row[LENGTH_BYTES + index] = bytes[start + index]!;
}
