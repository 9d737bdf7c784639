// A thread's tally as a value of JSON, and back, exactly: what is merged on the coordinator's machine is what was counted on
// the agent's. Pure.
//
//   histogram   [word, value, word, value, …]    those that are not 0 of the array it lives in, its sum and largest too
//   statuses    [[status, count], …]             silences  [[from, waiting from or null for never, to], …]
//   slots       [[sent, succeeded, failed, sum of latencies, largest], …]
//
// JSON gives every number back bit for bit (the shortest text that reads as the same double), but knows no Infinity
// and forgets the sign of zero, which no figure has.

import { HISTOGRAM_WORDS_FINE } from "../../base/histogram.ts";
import { ERROR_CLASSES, type GeneratorThread, SLOT_MS } from "../load/load-result.ts";
import type { Silence } from "../load/stalls.ts";
import type { ThreadTally } from "../load/thread-tally.ts";
import type { SlotTally } from "../load/timeline.ts";
import { Fields, readNumber, readRow, unreadable } from "./fields.ts";

const HISTOGRAMS = ["latency", "latencyUncorrected", "latencyRefused", "connect", "sendLag"] as const;
const COUNTS = [
  "succeeded",
  "planned",
  "waitedForConnection",
  "opened",
  "connectsFailed",
  "clientsAnswered",
  "openMax",
  "bytesSent",
  "bytesReceived",
] as const;
const TIMES = ["seconds", "inFlightMs", "startLagMs"] as const;

const STATUSES_MAX = 1000;
/** A day of them, and one. */
const SLOTS_MAX = (24 * 3_600_000) / SLOT_MS + 1;
const SILENCES_MAX = 50_000;

/** What encodeTally makes; JSON.stringify takes it. */
export type TallyJson = Readonly<Record<string, unknown>>;

export function encodeTally(tally: ThreadTally): TallyJson {
  const json: Record<string, unknown> = {};
  for (const name of HISTOGRAMS) json[name] = encodeHistogram(tally[name]);
  for (const name of [...COUNTS, ...TIMES]) json[name] = tally[name];
  json.errors = tally.errors;
  json.statuses = tally.statuses;
  json.slots = tally.slots.map(({ sent, succeeded, failed, latencyMsSum, latencyMsMax }) => [
    sent,
    succeeded,
    failed,
    latencyMsSum,
    latencyMsMax,
  ]);
  json.silences = tally.silences.map(({ fromMs, waitingFromMs, toMs }) => [
    fromMs,
    waitingFromMs === Number.POSITIVE_INFINITY ? null : waitingFromMs,
    toMs,
  ]);
  json.health = tally.health;
  return json;
}

/** Throws TidemarkError where it is none. */
export function decodeTally(value: unknown): ThreadTally {
  const fields = new Fields(value, "tally");
  const histograms = Object.fromEntries(
    HISTOGRAMS.map((name) => [name, decodeHistogram(fields.value(name), name)]),
  ) as Record<(typeof HISTOGRAMS)[number], Float64Array>;
  const counts = Object.fromEntries(COUNTS.map((name) => [name, fields.count(name)])) as Record<
    (typeof COUNTS)[number],
    number
  >;
  const errors = fields.list("errors", ERROR_CLASSES.length, (count, where) =>
    readNumber(count, where, Number.MAX_SAFE_INTEGER, 0),
  );
  if (errors.length !== ERROR_CLASSES.length) throw fields.wrong("errors");
  return {
    ...histograms,
    ...counts,
    errors,
    // None is held to be above 0: a timer that fires a little early makes them a little less.
    seconds: fields.number("seconds"),
    inFlightMs: fields.number("inFlightMs"),
    startLagMs: fields.number("startLagMs"),
    statuses: fields.list("statuses", STATUSES_MAX, (row, where) => {
      const [status, count] = readRow(row, where, 2);
      return [status!, count!] as const;
    }),
    slots: fields.list("slots", SLOTS_MAX, decodeSlot),
    silences: fields.list("silences", SILENCES_MAX, decodeSilence),
    health: decodeHealth(fields.fields("health")),
  };
}

function encodeHistogram(words: Float64Array): number[] {
  const pairs: number[] = [];
  words.forEach((value, word) => {
    if (value !== 0) pairs.push(word, value);
  });
  return pairs;
}

function decodeHistogram(value: unknown, where: string): Float64Array {
  const words = new Float64Array(HISTOGRAM_WORDS_FINE);
  if (!Array.isArray(value) || value.length > 2 * words.length || value.length % 2 !== 0)
    throw unreadable(where);
  for (let index = 0; index < value.length; index += 2) {
    const word = readNumber(value[index], where, words.length - 1, 0);
    if (!Number.isInteger(word)) throw unreadable(where);
    words[word] = readNumber(value[index + 1], where, Number.MAX_VALUE, 0);
  }
  return words;
}

function decodeSlot(value: unknown, where: string): SlotTally {
  const [sent, succeeded, failed, latencyMsSum, latencyMsMax] = readRow(value, where, 5);
  return {
    sent: sent!,
    succeeded: succeeded!,
    failed: failed!,
    latencyMsSum: latencyMsSum!,
    latencyMsMax: latencyMsMax!,
  };
}

function decodeSilence(value: unknown, where: string): Silence {
  if (!Array.isArray(value)) throw unreadable(where);
  const [fromMs, waitingFromMs, toMs] = readRow([value[0], value[1] ?? 0, value[2]], where, 3);
  const isWaiting = value[1] !== null;
  return {
    fromMs: fromMs!,
    waitingFromMs: isWaiting ? waitingFromMs! : Number.POSITIVE_INFINITY,
    toMs: toMs!,
  };
}

function decodeHealth(fields: Fields): GeneratorThread {
  return {
    cpuRatio: fields.numberOrNull("cpuRatio"),
    spinRatio: fields.number("spinRatio"),
    waitRatio: fields.numberOrNull("waitRatio"),
    loopLagMsMax: fields.number("loopLagMsMax"),
  };
}
