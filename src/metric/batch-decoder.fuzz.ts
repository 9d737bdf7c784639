// Feeds the decoder random batches, well written and then broken, and holds it to JSON.parse as an oracle:
//
//   node src/metric/batch-decoder.fuzz.ts [batches] [seed]
//
// A well-formed batch is taken, in whatever spelling, and its lines say what was sent. A broken one is taken only if
// JSON.parse takes it too, then means the same by it; and what JSON.parse takes is never called bad JSON. test/fuzz does the
// same by the million, from more bodies.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { REFUSAL } from "../errors.ts";
import { BatchDecoder, linesBytesMax } from "./batch-decoder.ts";
import { bodyOf, parsedLineOf, type Random, randomMetrics, randomOf } from "./batch-samples.ts";

/** The random batches fit; room for the default of 1,000 would have to be filled and looked through for each input. */
const METRICS_MAX = 64;
const RECEIVED_AT_MS = 1763890000123;
const CLIENT = new TextEncoder().encode("agent-1");
const encoder = new TextEncoder();
const decoder = new BatchDecoder(METRICS_MAX);

/** Runs this many random batches from a seed. Throws at the first that the decoder gets wrong. */
export function fuzz(batches: number, seed: number): { accepted: number; refused: number } {
  const outcome = { accepted: 0, refused: 0 };
  const random = randomOf(seed);
  for (let batch = 0; batch < batches; batch++) {
    const metrics = randomMetrics(random, random() < 0.05 ? 60 : 4);
    const spelling = {
      white: random() < 0.5 ? 0 : random(),
      escapes: random() < 0.5 ? 0 : random() ** 2,
      shuffle: random() < 0.5 ? 0 : 1,
    };
    const body = encoder.encode(bodyOf(metrics, spelling, random));
    const lines = decodeExactly(body, random);
    assert.notEqual(
      lines,
      undefined,
      `refused ${decoder.describeRefusal()}: ${new TextDecoder().decode(body)}`,
    );
    assert.deepEqual(
      lines!.map((line) => JSON.parse(line)),
      metrics.map((metric) => parsedLineOf(metric, RECEIVED_AT_MS, "agent-1")),
    );
    for (let mutation = 0; mutation < 8; mutation++) {
      if (checkBody(mutateBody(body, random), random) !== undefined) outcome.accepted++;
      else outcome.refused++;
    }
  }
  return outcome;
}

/** Holds the decoder to JSON.parse and to its bounds; throws where it is wrong. Returns the lines of a body that it took. */
export function checkBody(body: Uint8Array, random: Random): string[] | undefined {
  const lines = decodeExactly(body, random);
  checkAgainstParse(body, lines);
  return lines;
}

/** The lines of a body that stands somewhere in a larger array, or undefined; checks the bound of what is written. */
function decodeExactly(body: Uint8Array, random: Random): string[] | undefined {
  const before = Math.floor(random() * 4);
  const bytes = new Uint8Array(before + body.length + (random() < 0.5 ? 0 : 600)).fill(0x22);
  bytes.set(body, before);
  const outStart = Math.floor(random() * 4);
  const bound = outStart + linesBytesMax(body.length, METRICS_MAX, CLIENT.length);
  const out = new Uint8Array(bound + 64).fill(0xee);
  const count = decoder.decode(bytes, before, before + body.length, out, outStart, RECEIVED_AT_MS, CLIENT);
  assert.ok(
    out.subarray(0, outStart).every((byte) => byte === 0xee),
    "wrote before its place",
  );
  assert.ok(
    out.subarray(bound).every((byte) => byte === 0xee),
    "wrote past linesBytesMax",
  );
  if (count === 0) return undefined;
  const text = new TextDecoder("utf-8", { fatal: true }).decode(out.subarray(outStart, decoder.outEnd));
  const lines = text.split("\n");
  assert.equal(lines.pop(), "", "the last line must end");
  assert.equal(lines.length, count);
  return lines;
}

/** Holds a verdict to JSON.parse's. */
function checkAgainstParse(body: Uint8Array, lines: string[] | undefined): void {
  let parsed: unknown;
  let isJson = true;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    isJson = false;
  }
  const shown = () =>
    `${new TextDecoder().decode(body)} (${lines === undefined ? decoder.describeRefusal() : "taken"})`;
  if (lines === undefined) {
    assert.match(decoder.describeRefusal(), /^[^\p{C}]+$/u);
    if (isJson && decoder.refusal !== REFUSAL.batch) assert.fail(`JSON was called bad JSON: ${shown()}`);
    return;
  }
  if (!isJson) assert.fail(`took what is not JSON: ${shown()}`);
  const { metrics } = parsed as { metrics: Record<string, unknown>[] };
  const expected = metrics.map((metric) => ({
    ts: metric.timestamp ?? RECEIVED_AT_MS,
    name: metric.name,
    value: metric.value,
    type: metric.type ?? "gauge",
    tags: metric.tags ?? {},
    client: "agent-1",
  }));
  const stored = lines.map((line) => JSON.parse(line));
  if (!isDeepStrictEqual(stored, expected)) assert.deepEqual(stored, expected, shown());
}

const SPLICES = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  " ",
  "0",
  "-",
  ".",
  "e",
  "\\u0061",
  "\\ud800",
  "\\/",
  "é",
  "\ufeff",
  "null",
  "true",
  '"name":"a",',
  '"value":1,',
  ',"tags":{"a":"b","a":"c"}',
  "\0",
  "\n",
  "\x7f",
].map((text) => encoder.encode(text));
const BYTES = [0x80, 0xc0, 0xc1, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 0xa0, 0x00, 0x1f];

/** One or two of its bytes changed, removed, put in or cut off. */
export function mutateBody(body: Uint8Array, random: Random): Uint8Array {
  let bytes = body.slice();
  for (let times = 1 + Math.floor(random() * 2); times > 0; times--) {
    const at = Math.floor(random() * bytes.length);
    const pick = random();
    if (pick < 0.2) bytes[at] = Math.floor(random() * 256);
    else if (pick < 0.3) bytes[at] = BYTES[Math.floor(random() * BYTES.length)]!;
    else if (pick < 0.4) bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    else if (pick < 0.5) bytes = bytes.slice(0, at);
    else if (pick < 0.7)
      bytes = joined(bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(random() * 8)));
    else if (pick < 0.9)
      bytes = joined(
        bytes.subarray(0, at),
        SPLICES[Math.floor(random() * SPLICES.length)]!,
        bytes.subarray(at),
      );
    else bytes = joined(bytes.subarray(0, at), bytes.subarray(Math.floor(random() * bytes.length)));
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

if (import.meta.main) {
  const batches = Number(process.argv[2] ?? 100_000);
  const seed = Number(process.argv[3] ?? Date.now() % 1e9);
  console.error(`${batches} batches from seed ${seed}`);
  const { accepted, refused } = fuzz(batches, seed);
  console.error(`held; of the broken ones ${accepted} were still batches, ${refused} were refused`);
}
