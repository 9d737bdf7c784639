import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { REFUSAL, REFUSALS } from "../errors.ts";
import { TIMESTAMP_MS_MAX } from "../limits.ts";
import { fuzz } from "./batch-decoder.fuzz.ts";
import { linesBytesMax } from "./batch-decoder.ts";
import { bodyOf, parsedLineOf, randomOf, type SampleMetric, TYPES } from "./batch-samples.ts";
import { decode, decoder, encoder, METRICS_MAX, NAMED, one, RECEIVED_AT_MS } from "./decode-bed.ts";

const CORPUS = "../shared/corpora/json-test-suite";

describe("the JSON test suite gets the right verdict", {
  skip: existsSync(CORPUS) ? false : `no ${CORPUS} here`,
}, () => {
  const names = existsSync(CORPUS) ? readdirSync(CORPUS).filter((name) => /^[yn]_/.test(name)) : [];
  const slots: [string, string][] = [
    ["", ""],
    ['{"metrics":', "}"],
    ['{"metrics":[', "]}"],
    [`{"metrics":[{${NAMED}},`, "]}"],
    ['{"metrics":[{"name":', ',"value":1}]}'],
    ['{"metrics":[{"name":"a","value":', "}]}"],
    [`{"metrics":[{${NAMED},"type":`, "}]}"],
    [`{"metrics":[{${NAMED},"tags":`, "}]}"],
    [`{"metrics":[{${NAMED},"tags":{"k":`, "}}]}"],
    [`{"metrics":[{${NAMED},"timestamp":`, "}]}"],
  ];
  for (const [before, after] of slots)
    test(`as ${before}…${after}`, () => {
      for (const name of names) {
        const text = readFileSync(`${CORPUS}/${name}`);
        const body = Buffer.concat([Buffer.from(before), text, Buffer.from(after)]);
        const verdict = decode(body);
        if (name.startsWith("n_") && !isJson(body)) assert.equal(typeof verdict, "string", name);
        else if (typeof verdict === "string") assert.match(verdict, /^batch: /, name);
      }
    });

  test("what it accepts and our schema takes is stored", () => {
    for (const name of names.filter((name) => name.startsWith("y_"))) {
      const value: unknown = JSON.parse(readFileSync(`${CORPUS}/${name}`, "utf8"));
      const body = (field: string) => one(`"name":"a","value":1,${field}`);
      const text = readFileSync(`${CORPUS}/${name}`, "utf8");
      if (typeof value === "number") assert.equal(decode(one(`"name":"a","value":${text}`)).length, 1, name);
      if (typeof value === "string") assert.equal(decode(body(`"tags":{"k":${text}}`)).length, 1, name);
      const [element] = Array.isArray(value) && value.length === 1 ? value : [];
      const inside = text.trim().slice(1, -1);
      if (typeof element === "number")
        assert.equal(decode(one(`"name":"a","value":${inside}`)).length, 1, name);
      if (typeof element === "string")
        assert.equal(decode(body(`"tags":{${inside}:${inside}}`)).length, 1, name);
    }
  });
});

function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
    return true;
  } catch {
    return false;
  }
}

describe("whatever is sent", () => {
  const text = (minLength: number, maxLength: number) => fc.string({ unit: "binary", minLength, maxLength });
  const metric: fc.Arbitrary<SampleMetric> = fc.record(
    {
      name: text(1, 40),
      value: fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
        fc
          .tuple(fc.integer(), fc.constantFrom("e", "E"), fc.integer({ min: -300, max: 290 }))
          .map((parts) => parts.join("")),
        fc.tuple(fc.bigInt(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
      ),
      type: fc.constantFrom(...TYPES),
      tags: fc.uniqueArray(fc.tuple(text(0, 8), text(0, 20)), { selector: ([key]) => key, maxLength: 32 }),
      timestamp: fc.integer({ min: 0, max: TIMESTAMP_MS_MAX }),
    },
    { requiredKeys: ["name", "value"] },
  );
  const share = fc.constantFrom(0, 0, 0.3, 1);
  const spelling = fc.record({ white: share, escapes: share, shuffle: fc.constantFrom(0, 1) });

  test("is what the lines parse back to", () => {
    fc.assert(
      fc.property(
        fc.array(metric, { minLength: 1, maxLength: 8 }),
        spelling,
        fc.integer(),
        (metrics, how, seed) => {
          const lines = decode(bodyOf(metrics, how, randomOf(seed)));
          assert.ok(Array.isArray(lines), lines as string);
          assert.deepEqual(
            lines.map((line) => JSON.parse(line)),
            metrics.map((sent) => parsedLineOf(sent, RECEIVED_AT_MS, "agent-1")),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("the line does not depend on how it was spelled", () => {
    fc.assert(
      fc.property(metric, share, fc.integer(), (sent, amount, seed) => {
        const plain = { white: 0, escapes: 0, shuffle: 0 };
        const other = { white: amount, escapes: amount, shuffle: 1 };
        assert.deepEqual(
          decode(bodyOf([sent], other, randomOf(seed))),
          decode(bodyOf([sent], plain, randomOf(seed))),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("no more is written than linesBytesMax says, also for the least metrics and the longest client", () => {
    const least = fc.constantFrom(
      '{"name":"a","value":1}',
      '{"value":1,"name":"a"}',
      '{"name":"a","value":1,"type":"counter"}',
      '{"name":"a","value":1,"tags":{}}',
      '{"name":"a","value":1,"timestamp":0}',
    );
    fc.assert(
      fc.property(
        fc.array(least, { minLength: 1, maxLength: 300 }),
        fc.nat(300),
        fc.boolean(),
        (metrics, clientBytes, cut) => {
          const body = encoder.encode(`{"metrics":[${metrics.join(",")}]${cut ? "" : "}"}`);
          const name = new Uint8Array(clientBytes).fill(0x63);
          const bound = linesBytesMax(body.length, METRICS_MAX, clientBytes);
          const out = new Uint8Array(bound + 256).fill(0xee);
          const count = decoder.decode(body, 0, body.length, out, 0, TIMESTAMP_MS_MAX, name);
          assert.equal(count, cut ? 0 : metrics.length);
          assert.ok(out.subarray(bound).every((byte) => byte === 0xee));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("broken or not, the verdict agrees with JSON.parse", () => {
    fuzz(1500, 20_251_123);
  });
});

test("the catalogue has both refusals", () => {
  assert.equal(REFUSALS[REFUSAL.json]!.reason, "json");
  assert.equal(REFUSALS[REFUSAL.batch]!.reason, "batch");
});
