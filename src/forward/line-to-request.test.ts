// From lines of the log to the body of a request, read back by the libraries' own readers.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { labelsOf } from "./label-rules.ts";
import { LineParts } from "./line-parts.ts";
import { LogBlock } from "./log-block.ts";
import { RequestBatch } from "./request-batch.ts";
import { SeriesCache } from "./series-cache.ts";
import { SnappyBuffer } from "./snappy.ts";
import { decodeRequest, lineOf } from "./store-bed.ts";

interface Metric {
  ts: number;
  name: string;
  value: number;
  type: string;
  tags: Record<string, string>;
  client: string;
}

/** What the store should get for a line. */
function wantedOf({ ts, name, value, tags, client }: Metric) {
  const labels = labelsOf(name, tags, client);
  const byName = Object.fromEntries(labels.map((label) => [label.name, label.value]));
  return { ts, value, labels: byName, names: labels.map((label) => label.name) };
}

/** The lines' samples, through one cache and one batch; the series' hashes beside them. */
function encode(lines: readonly string[], cache = new SeriesCache()) {
  const block = new LogBlock();
  block.fill({
    from: 0,
    first: 0,
    end: lines.length,
    bytes: Buffer.from(lines.map((line) => `${line}\n`).join("")),
  });
  const batch = new RequestBatch(lines.length);
  const parts = new LineParts();
  const series: number[] = [];
  for (let at = 0; at < block.bytes.length; at = parts.lineEnd + 1) {
    assert.ok(parts.read(block.bytes, at, block.bytes.length));
    assert.ok(cache.find(block.bytes, block.view, parts));
    series.push(cache.series);
    batch.add(block, at, cache.arena, cache.labelsStart, cache.labelsEnd, parts.value, parts.timestampMs);
  }
  return { batch, block, series };
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const metric: fc.Arbitrary<Metric> = fc.record({
  ts: fc.nat(8_640_000_000_000_000),
  name: text,
  value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  type: fc.constantFrom("gauge", "counter"),
  tags: fc.dictionary(text, fc.string({ unit: "grapheme", maxLength: 30 }), { maxKeys: 5 }),
  client: fc.constantFrom("web", "agent-1"),
});

test("every line becomes one sample of its series, whatever its texts and numbers are", () => {
  fc.assert(
    fc.property(fc.array(metric, { minLength: 1, maxLength: 40 }), (metrics) => {
      const small = new SeriesCache(8, 1_000);
      const { batch } = encode(
        [...metrics, ...metrics].map((each) => JSON.stringify(each)),
        small,
      );
      const body = new SnappyBuffer().compress(batch.request(0, batch.samples));
      const wanted = JSON.parse(JSON.stringify([...metrics, ...metrics])).map(wantedOf);
      assert.deepEqual(decodeRequest(body), wanted);
    }),
  );
});

test("a stretch of a batch is a request by itself, and every sample finds its line again", () => {
  const lines = Array.from({ length: 50 }, (_, at) => lineOf(at, { host: `h${at % 7}` }));
  const { batch } = encode(lines);
  for (const [from, to] of [
    [0, 50],
    [0, 0],
    [17, 18],
    [20, 43],
  ] as const) {
    const samples = decodeRequest(new SnappyBuffer().compress(batch.request(from, to)));
    assert.deepEqual(
      samples.map(({ value }) => value),
      Array.from({ length: to - from }, (_, at) => from + at),
    );
  }
  for (const [at, line] of lines.entries()) assert.equal(batch.line(at), line);
});

test("a block waits for its samples until they are settled", () => {
  const { batch, block } = encode([lineOf(1), lineOf(2)]);
  block.at = block.bytes.length;
  assert.equal(block.isDone, false);
  batch.settle();
  assert.equal(block.isDone, true);
});

test("lines of one series have one hash, whatever their type and their tags' order", () => {
  const { series } = encode([
    '{"ts":1763890000000,"name":"m","value":1,"type":"gauge","tags":{"a":"1","b":"2"},"client":"c"}',
    '{"ts":1763890000001,"name":"m","value":2,"type":"counter","tags":{"b":"2","a":"1"},"client":"c"}',
    '{"ts":1763890000001,"name":"m","value":2,"type":"counter","tags":{"b":"3","a":"1"},"client":"c"}',
  ]);
  assert.equal(series[0], series[1]);
  assert.notEqual(series[0], series[2]);
});

test("a cache that is full forgets, and a line longer than all of it still goes through", () => {
  const cache = new SeriesCache(16, 2_000);
  const lines = Array.from({ length: 200 }, (_, at) =>
    lineOf(at, { host: "x".repeat(at === 77 ? 5_000 : at % 50) }),
  );
  const { batch } = encode([...lines, ...lines], cache);
  const samples = decodeRequest(new SnappyBuffer().compress(batch.request(0, 400)));
  assert.deepEqual(
    samples,
    [...lines, ...lines].map((line) => wantedOf(JSON.parse(line))),
  );
});

test("what is no line of the log is none, and does not stop the next", () => {
  const parts = new LineParts();
  const cache = new SeriesCache();
  const good = lineOf(1);
  for (const bad of [
    "x".repeat(80),
    good.replace('"value":1', '"value":x'),
    good.replace('{"ts":', '{"xx":"'),
    good.replace('"tags"', '"sags"'),
    good.slice(0, -1),
    good.replace('"client":"c"', '"client":5'),
    "\0".repeat(100),
  ]) {
    const block = new LogBlock();
    block.fill({ from: 0, first: 0, end: 2, bytes: Buffer.from(`${bad}\n${good}\n`) });
    const { bytes, view } = block;
    const isGood = parts.read(bytes, 0, bytes.length) && cache.find(bytes, view, parts);
    assert.equal(isGood, false, bad);
    assert.equal(parts.lineEnd, bad.length);
    assert.ok(parts.read(bytes, parts.lineEnd + 1, bytes.length) && cache.find(bytes, view, parts));
  }
});
