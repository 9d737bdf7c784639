// Breaks good requests, one to three times each, the same way for the same seed: at framing fields, chunks and request
// lines in every disguise known (disguises.ts), and at any byte.

import { oneOf, type Random, randomFrom, wholeBetween } from "../crash/random.ts";
import {
  CHUNK_ENDS,
  CHUNK_SIZES,
  CODINGS,
  HOSTS,
  LENGTHS,
  LINES,
  METHODS,
  NAMES,
  TARGETS,
  TRAILERS,
  VERSIONS,
} from "./disguises.ts";
import { CANARY, GOOD_REQUESTS } from "./good-requests.ts";

export interface Attack {
  /** With the run's seed it makes the same attack again. */
  readonly index: number;
  /** What was broken, and how: for a person. */
  readonly what: string;
  /** The mutated bytes, and the canary behind them. */
  readonly bytes: Buffer;
}

interface Mutation {
  readonly name: string;
  readonly weight: number;
  apply(text: string, random: Random): string;
}

const SPECIALS =
  '\r|\n|\0|\t| |:|\r\n|\r\n |\r\n\t|\n\n|\r\r|\x0b|\x0c|\x7f|\x80|\xff|\x85|\xa0|,|;|0|\\|"|/'.split("|");
const SPAN_BYTES_MAX = 8;

const MUTATIONS: readonly Mutation[] = [
  { name: "a bit flipped", weight: 3, apply: flipBit },
  {
    name: "a byte replaced",
    weight: 3,
    apply: (text, random) => spliced(text, at(text, random), 1, oneOf(random, SPECIALS)),
  },
  {
    name: "bytes inserted",
    weight: 6,
    apply: (text, random) => spliced(text, at(text, random), 0, oneOf(random, SPECIALS)),
  },
  {
    name: "bytes removed",
    weight: 3,
    apply: (text, random) => spliced(text, at(text, random), wholeBetween(random, 1, SPAN_BYTES_MAX), ""),
  },
  { name: "bytes doubled", weight: 2, apply: doubleSpan },
  { name: "cut short", weight: 1, apply: (text, random) => text.slice(0, at(text, random)) },
  { name: "a bare LF", weight: 3, apply: (text, random) => replaceOne(text, random, /\r\n/g, () => "\n") },
  { name: "a bare CR", weight: 2, apply: (text, random) => replaceOne(text, random, /\r\n/g, () => "\r") },
  {
    name: "a line folded",
    weight: 2,
    apply: (text, random) => replaceOne(text, random, /[:,;] ?/g, (found) => `${found}\r\n `),
  },
  {
    name: "a line doubled",
    weight: 2,
    apply: (text, random) => replaceOne(text, random, /[^\r\n]+\r\n/g, (line) => line + line),
  },
  {
    name: "a line removed",
    weight: 2,
    apply: (text, random) => replaceOne(text, random, /[^\r\n]+\r\n/g, () => ""),
  },
  {
    name: "a length added",
    weight: 6,
    apply: (text, random) => addLine(text, random, lengthLine(text, random)),
  },
  { name: "a coding added", weight: 6, apply: (text, random) => addLine(text, random, codingLine(random)) },
  {
    name: "the length disguised",
    weight: 6,
    apply: (text, random) =>
      replaceOne(text, random, /Content-Length: ?\d+/g, () => lengthLine(text, random)),
  },
  {
    name: "the coding disguised",
    weight: 6,
    apply: (text, random) =>
      replaceOne(text, random, /Transfer-Encoding: chunked/g, () => codingLine(random)),
  },
  { name: "a chunk size disguised", weight: 6, apply: disguiseChunkSize },
  {
    name: "the last chunk disguised",
    weight: 3,
    apply: (text, random) => replaceOne(text, random, /0\r\n\r\n/g, () => oneOf(random, CHUNK_ENDS)),
  },
  {
    name: "a trailer added",
    weight: 3,
    apply: (text, random) =>
      replaceOne(text, random, /0\r\n(?=\r\n)/g, (end) => `${end}${oneOf(random, TRAILERS)}\r\n`),
  },
  {
    name: "Host disguised",
    weight: 3,
    apply: (text, random) =>
      replaceOne(text, random, /Host:[ \t]*\w+/g, () => `Host: ${oneOf(random, HOSTS)}`),
  },
  {
    name: "a Host added",
    weight: 2,
    apply: (text, random) => addLine(text, random, `Host: ${oneOf(random, HOSTS)}`),
  },
  {
    name: "a method",
    weight: 3,
    apply: (text, random) => replaceOne(text, random, /[A-Z]+(?= \S+ HTTP\/)/g, () => oneOf(random, METHODS)),
  },
  {
    name: "a target",
    weight: 3,
    apply: (text, random) => replaceOne(text, random, /\S+(?= HTTP\/1)/g, () => oneOf(random, TARGETS)),
  },
  {
    name: "a version",
    weight: 3,
    apply: (text, random) => replaceOne(text, random, /HTTP\/1\.[01]/g, () => oneOf(random, VERSIONS)),
  },
  {
    name: "white space in a request line",
    weight: 2,
    apply: (text, random) =>
      replaceOne(text, random, / (?=\S+ HTTP|HTTP)/g, () =>
        oneOf(random, ["  ", "\t", "\x0b", " \t", "\r", "\xa0", ""]),
      ),
  },
  { name: "a field added", weight: 6, apply: (text, random) => addLine(text, random, oneOf(random, LINES)) },
];
const MUTATIONS_BY_WEIGHT = MUTATIONS.flatMap((mutation) => Array<Mutation>(mutation.weight).fill(mutation));

/** The attack of that number in the run of that seed. */
export function attackOf(seed: number, index: number): Attack {
  const random = randomFrom(seed * 1_000_003 + index);
  const good = oneOf(random, GOOD_REQUESTS);
  let text = good.text;
  const applied: string[] = [];
  for (let times = random() < 0.6 ? 1 : wholeBetween(random, 2, 3); times > 0; times--) {
    const mutation = oneOf(random, MUTATIONS_BY_WEIGHT);
    const mutated = mutation.apply(text, random);
    if (mutated === text) continue;
    applied.push(mutation.name);
    text = mutated;
  }
  const what = `${good.name}: ${applied.length === 0 ? "as it is" : applied.join(", ")}`;
  return { index, what, bytes: Buffer.from(text + CANARY, "latin1") };
}

function lengthLine(text: string, random: Random): string {
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  return disguisedName(
    random,
    "Content-Length",
    oneOf(random, LENGTHS).replaceAll("$N", String(body.length)),
  );
}

function codingLine(random: Random): string {
  return disguisedName(random, "Transfer-Encoding", oneOf(random, CODINGS));
}

/** One disguise at a time is likelier to get through: mostly the name is as it should be. */
function disguisedName(random: Random, name: string, value: string): string {
  const written = random() < 0.7 ? "$F" : oneOf(random, NAMES);
  const cased = random() < 0.2 ? oneOf(random, [name.toLowerCase(), name.toUpperCase()]) : name;
  return `${written.replace("$F", cased)}:${oneOf(random, [" ", " ", "", "\t"])}${value}`;
}

function addLine(text: string, random: Random, line: string): string {
  return replaceOne(text, random, /\r\n(?=[\w-]+:)/g, (end) => `${end}${line}\r\n`);
}

function disguiseChunkSize(text: string, random: Random): string {
  return replaceOne(text, random, /(?<=\r\n)[0-9a-f]+(?=[;\r])/g, (size) =>
    oneOf(random, CHUNK_SIZES).replaceAll("$S", size),
  );
}

/** One of the places where the pattern fits, replaced; the text itself where it fits nowhere. */
function replaceOne(text: string, random: Random, pattern: RegExp, by: (found: string) => string): string {
  const places = [...text.matchAll(pattern)];
  if (places.length === 0) return text;
  const { index, 0: found } = oneOf(random, places);
  return spliced(text, index, found.length, by(found));
}

function flipBit(text: string, random: Random): string {
  const index = at(text, random);
  const flipped = String.fromCharCode(text.charCodeAt(index) ^ (1 << wholeBetween(random, 0, 7)));
  return spliced(text, index, 1, flipped);
}

function doubleSpan(text: string, random: Random): string {
  const index = at(text, random);
  return spliced(text, index, 0, text.slice(index, index + wholeBetween(random, 1, SPAN_BYTES_MAX)));
}

function at(text: string, random: Random): number {
  return text.length === 0 ? 0 : wholeBetween(random, 0, text.length - 1);
}

function spliced(text: string, index: number, removed: number, added: string): string {
  return text.slice(0, index) + added + text.slice(index + removed);
}
