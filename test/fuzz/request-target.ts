// Requests: the head parser and the chunked decoder, by the rules of request-head.fuzz.ts, from its seeds, the good
// requests of the framing attack and the published cases of Http11Probe where they are here.

import { checkRequest, mutateRequest, SEEDS } from "../../src/http/request-head.fuzz.ts";
import { HEAD_COMPLETE } from "../../src/http/request-head.ts";
import { readProbeCases } from "../conformance/probe-run.ts";
import type { Random } from "../crash/random.ts";
import { GOOD_REQUESTS } from "../framing/good-requests.ts";
import type { FuzzTarget } from "./fuzz-target.ts";

const CASES = readProbeCases();
export const REQUEST_SEEDS: readonly Buffer[] = [
  ...SEEDS,
  ...GOOD_REQUESTS.map(({ text }) => Buffer.from(text, "latin1")),
  ...CASES.map(({ rawRequest }) => Buffer.from(rawRequest, "latin1")),
].filter(({ length }) => length > 0);

export const requestTarget: FuzzTarget<Buffer> = {
  name: "requests",
  make(random) {
    const below = belowFrom(random);
    const input = mutateRequest(REQUEST_SEEDS, below);
    return below(8) === 0 ? spliced(input, REQUEST_SEEDS[below(REQUEST_SEEDS.length)]!, below) : input;
  },
  check: (input, random) => checkRequest(input, belowFrom(random)) === HEAD_COMPLETE,
  show: (input) => JSON.stringify(input.toString("latin1")),
};

/** The beginning of the one and the end of the other. */
function spliced(one: Buffer, other: Buffer, below: (bound: number) => number): Buffer {
  return Buffer.concat([one.subarray(0, below(one.length) + 1), other.subarray(below(other.length))]);
}

function belowFrom(random: Random): (bound: number) => number {
  return (bound) => Math.floor(random() * bound);
}
