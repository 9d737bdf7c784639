// Throws mutated requests at the head parser and the chunked decoder: `bun src/http/request-head.fuzz.ts 1000000 [seed]`.
// What must hold for every input: nothing throws; what lies past the end changes nothing, nor does how the bytes were cut;
// a head that is complete ends in CRLF CRLF with no bare CR or LF before; a body never passes its bound. Prints the seed
// and the input that failed. test/fuzz does the same by the million, from more seeds.

import assert from "node:assert/strict";
import { TRAILER_BYTES_MAX } from "../limits.ts";
import { CHUNKED_DONE, ChunkedBody } from "./chunked-body.ts";
import { HEAD_COMPLETE, HEAD_FAULT, HEAD_PARTIAL, RequestHead } from "./request-head.ts";

/** Whole numbers below a bound. */
export type Below = (below: number) => number;

export const SEEDS: readonly Buffer[] = [
  "POST /metrics HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello",
  "GET http://[::1]:80/a%20b?c=d HTTP/1.0\r\nHost: [1:2::3]\r\nConnection: keep-alive, close\r\nAccept: text/x;q=0\r\n\r\n",
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nPrefer: a="b,c", ack="synced"\r\nExpect: 100-continue\r\nAuthorization: x\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-Client-Id: b\r\n\r\n5;a="b\\c"\r\nhello\r\n0\r\nX: y\r\n\r\n',
].map((text) => Buffer.from(text, "latin1"));
const SPECIAL = Buffer.from('\r\n\r\n \t:;,="\\%?#*/[]@0159aAzZ\0\x7f\x80\xff\r\n', "latin1");
const BODY_BYTES_MAX = 64;
const POISON = [0x0a, 0x0d, 0x3a, 0x35, 0x61];

export function run(inputs: number, seed: number): void {
  const random = randomFrom(seed);
  const counts = [0, 0, 0];
  for (let index = 0; index < inputs; index++) {
    const input = mutateRequest(SEEDS, random);
    try {
      counts[checkRequest(input, random)]++;
    } catch (error) {
      console.error(
        `failed with seed ${seed} at input ${index}: ${JSON.stringify(input.toString("latin1"))}`,
      );
      throw error;
    }
  }
  console.error(
    `request-head fuzz: seed ${seed}, ${counts[HEAD_COMPLETE]} complete, ${counts[HEAD_PARTIAL]} partial, ${counts[HEAD_FAULT]} faults`,
  );
}

const head = new RequestHead();
const again = new RequestHead();

/** Throws where a head, and whatever follows it as a chunked body, breaks a rule; returns what the head is. */
export function checkRequest(input: Buffer, random: Below): number {
  const poisoned = Buffer.alloc(input.length + 40, POISON[random(POISON.length)]);
  input.copy(poisoned);
  const outcome = head.parse(input, 0, input.length);
  assert.equal(again.parse(poisoned, 0, input.length), outcome);
  if (outcome === HEAD_FAULT) {
    assert.equal(again.faultDetail, head.faultDetail);
    assert.equal(again.fault, head.fault);
  }
  checkCut(input, outcome, random);
  if (outcome !== HEAD_COMPLETE) return outcome;
  assert.deepEqual({ ...again, fault: 0, faultDetail: "" }, { ...head, fault: 0, faultDetail: "" });
  const text = input.toString("latin1", 0, head.headEnd);
  assert.ok(text.endsWith("\r\n\r\n"));
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/);
  assert.equal(text.trimStart().indexOf("\r\n\r\n") + 4, text.trimStart().length);
  assert.ok(head.targetStart < head.targetEnd && head.targetEnd <= head.headEnd);
  assert.ok(head.queryStart === -1 || (head.queryStart <= head.queryEnd && head.queryEnd <= head.headEnd));
  assert.ok(!head.isChunked || head.contentLength === -1);
  checkChunked(input, poisoned, head.headEnd, random);
  return outcome;
}

/** Of a head that was cut the verdict is that of the whole, or none yet. */
function checkCut(input: Buffer, outcome: number, random: Below): void {
  const early = again.parse(input, 0, random(input.length + 1));
  if (early !== HEAD_PARTIAL) {
    assert.equal(early, outcome);
    if (early === HEAD_COMPLETE) assert.equal(again.headEnd, head.headEnd);
    else assert.deepEqual([again.fault, again.faultDetail], [head.fault, head.faultDetail]);
  }
  again.parse(input, 0, input.length);
}

/** Whatever follows the head is a chunked body to this: whole, against poison, and in two cuts. */
function checkChunked(input: Buffer, poisoned: Buffer, start: number, random: Below): void {
  const out = Buffer.alloc(BODY_BYTES_MAX);
  const whole = new ChunkedBody();
  const outcome = whole.decode(input, start, input.length, out, 0, BODY_BYTES_MAX);
  assert.ok(whole.outEnd <= BODY_BYTES_MAX && whole.consumedEnd <= input.length);
  if (outcome === CHUNKED_DONE) {
    assert.ok(input.toString("latin1", start, whole.consumedEnd).endsWith("\r\n\r\n"));
    assert.ok(whole.consumedEnd - start < BODY_BYTES_MAX * 300 + TRAILER_BYTES_MAX);
  }
  const cut = start + random(input.length - start + 1);
  const other = Buffer.alloc(BODY_BYTES_MAX);
  const parts = new ChunkedBody();
  let again = parts.decode(poisoned, start, cut, other, 0, BODY_BYTES_MAX);
  if (again === 0) again = parts.decode(poisoned, cut, input.length, other, parts.outEnd, BODY_BYTES_MAX);
  assert.equal(again, outcome);
  assert.equal(parts.consumedEnd, whole.consumedEnd);
  assert.equal(parts.outEnd, whole.outEnd);
  assert.ok(out.equals(other));
}

/** A seed with a few bytes flipped, replaced, removed, doubled or cut off. */
export function mutateRequest(seeds: readonly Buffer[], random: Below): Buffer {
  let input = Buffer.from(seeds[random(seeds.length)]);
  for (let count = random(4); count > 0; count--) {
    const at = random(input.length);
    const length = 1 + random(8);
    switch (random(6)) {
      case 0:
        input[at] = random(256);
        break;
      case 1:
        input[at] = SPECIAL[random(SPECIAL.length)];
        break;
      case 2:
        input = Buffer.concat([input.subarray(0, at), input.subarray(at + length)]);
        break;
      case 3:
        input = Buffer.concat([input.subarray(0, at + length), input.subarray(at)]);
        break;
      case 4:
        input = Buffer.concat([
          input.subarray(0, at),
          SPECIAL.subarray(0, 1 + random(4)),
          input.subarray(at),
        ]);
        break;
      default:
        if (random(4) === 0) input = input.subarray(0, at + 1);
    }
    if (input.length === 0) return Buffer.from("\r");
  }
  return input;
}

/** Whole numbers below a bound, the same for the same seed (mulberry32). */
function randomFrom(seed: number): Below {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

if (import.meta.main)
  run(Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? Date.now() % 1_000_000));
