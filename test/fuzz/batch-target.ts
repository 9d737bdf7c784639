// Batches: the decoder, held to JSON.parse by the rules of batch-decoder.fuzz.ts, from random batches and the texts of the
// JSON test suite, where it is here, put into every place of a batch. What is taken must also be lines to the recovery of
// the log, to the last byte.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkLines } from "../../src/log/line-check.ts";
import { checkBody, mutateBody } from "../../src/metric/batch-decoder.fuzz.ts";
import { bodyOf, randomMetrics } from "../../src/metric/batch-samples.ts";
import { oneOf } from "../crash/random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

const JSON_CORPUS = fileURLToPath(new URL("../../../shared/corpora/json-test-suite/", import.meta.url));
const TEXTS: readonly Buffer[] = existsSync(JSON_CORPUS)
  ? readdirSync(JSON_CORPUS).map((name) => readFileSync(`${JSON_CORPUS}${name}`))
  : [];
/** Longer ones, nests of a hundred thousand brackets, are for the decoder's own tests: here each input is read often. */
const TEXT_BYTES_MAX = 2_000;
const SHORT_TEXTS = TEXTS.filter(({ length }) => length <= TEXT_BYTES_MAX);

const SLOTS: readonly (readonly [string, string])[] = [
  ["", ""],
  ['{"metrics":', "}"],
  ['{"metrics":[', "]}"],
  ['{"metrics":[{"name":"a","value":1},', "]}"],
  ['{"metrics":[{"name":', ',"value":1}]}'],
  ['{"metrics":[{"name":"a","value":', "}]}"],
  ['{"metrics":[{"name":"a","value":1,"type":', "}]}"],
  ['{"metrics":[{"name":"a","value":1,"tags":', "}]}"],
  ['{"metrics":[{"name":"a","value":1,"tags":{"k":', "}}]}"],
  ['{"metrics":[{"name":"a","value":1,"timestamp":', "}]}"],
];

export const batchTarget: FuzzTarget<Uint8Array> = {
  name: "batches",
  make(random) {
    if (SHORT_TEXTS.length > 0 && random() < 0.3) {
      const [before, after] = oneOf(random, SLOTS);
      const text = oneOf(random, SHORT_TEXTS);
      const body = Buffer.concat([Buffer.from(before), text, Buffer.from(after)]);
      return random() < 0.3 ? body : mutateBody(new Uint8Array(body), random);
    }
    const share = () => (random() < 0.6 ? 0 : random());
    const spelling = { white: share(), escapes: share() ** 2, shuffle: random() < 0.5 ? 0 : 1 };
    const body = Buffer.from(bodyOf(randomMetrics(random, random() < 0.02 ? 40 : 2), spelling, random));
    return random() < 0.2 ? body : mutateBody(new Uint8Array(body), random);
  },
  check(input, random) {
    const lines = checkBody(input, random);
    if (lines === undefined) return false;
    const stored = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    const checked = checkLines(stored, 0, stored.length, false);
    assert.equal(checked.end, stored.length, "recovery would not take the lines");
    assert.equal(checked.lines, lines.length);
    return true;
  },
  show: (input) => JSON.stringify(Buffer.from(input).toString("latin1")),
};

/** How many texts of the suite are used; 0 where it is not here. */
export function batchCorpusTexts(): number {
  return SHORT_TEXTS.length;
}
