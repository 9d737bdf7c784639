// Which acknowledgements were false, by the server's own calls as a tracer saw them. A batch may be answered 200 once
// every write that its lines lie in has returned well (`written`); or once, besides, a sync of that file has returned well
// that began after those writes, and one of the folder that began after the file was there (`synced`).
//
//     write ──▶│          │◀── write returned
//              sync ────────▶ too early: it covers nothing of that write
//                         sync ──────▶│ from here on a 200 is true
//
// A file that a sync has failed on must see no other: `resyncs` counts those.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Level } from "../crash/ledger.ts";
import { segmentFiles } from "../support/log-files.ts";
import type { Acknowledgement } from "./timed-load.ts";
import type { TracedCall } from "./traced-calls.ts";

const LF = 0x0a;
const PROBLEMS_MAX = 5;
const SYNCS = ["fdatasync", "fsync"];
const VALUE = /"value":(\d+),/;

export interface FalseAnswers {
  /** Batches whose 200 came before what it promises. */
  early: number;
  /** Syncs of a file after one that failed. */
  resyncs: number;
  problems: string[];
}

type CallsByPath = ReadonlyMap<string, readonly TracedCall[]>;

/** Bytes [from, to) as the last write to them left them. */
interface WrittenBytes {
  from: number;
  to: number;
  endMs: number;
}

/** `calls` are those of one server's life; the segments are read as they are now. */
export function findFalseAnswers(
  calls: readonly TracedCall[],
  acknowledgements: readonly Acknowledgement[],
  level: Level,
  data: string,
): FalseAnswers {
  const found: FalseAnswers = { early: 0, resyncs: countResyncs(calls), problems: [] };
  const byPath: CallsByPath = Map.groupBy(calls, ({ path }) => path);
  const trueFrom = level === "synced" ? timesSynced(byPath, data) : timesWritten(byPath, data);
  for (const { first, count, atMs } of acknowledgements) {
    let fromMs = 0;
    for (let number = first; number < first + count; number++)
      fromMs = Math.max(fromMs, trueFrom.get(number) ?? Number.POSITIVE_INFINITY);
    if (fromMs <= atMs) continue;
    found.early++;
    if (found.problems.length < PROBLEMS_MAX)
      found.problems.push(`metrics ${first}+${count} got 200 at ${atMs}, true from ${fromMs}`);
  }
  return found;
}

function countResyncs(calls: readonly TracedCall[]): number {
  const failed = new Set<string>();
  let resyncs = 0;
  for (const { name, path, result } of calls) {
    if (!SYNCS.includes(name) || !path.endsWith(".jsonl")) continue;
    if (failed.has(path)) resyncs++;
    if (result === -1) failed.add(path);
  }
  return resyncs;
}

/** For each metric in the log: when the write of its line had returned. */
function timesWritten(byPath: CallsByPath, data: string): Map<number, number> {
  return timesOfLines(data, (file) => {
    const writes = writtenBytes(byPath.get(file) ?? []);
    return (end) => writes.find(({ from, to }) => from < end && end <= to)?.endMs;
  });
}

/** For each metric in the log: when the first sync that covers its line, and the folder's, had returned. */
function timesSynced(byPath: CallsByPath, data: string): Map<number, number> {
  return timesOfLines(data, (file) => {
    const calls = byPath.get(file) ?? [];
    const writes = writtenBytes(calls);
    // a write that failed and was cut off may have come before the first that stayed
    const bornMs = calls[0]?.startMs ?? Number.POSITIVE_INFINITY;
    const entryMs = firstGoodSync(byPath.get(dirname(file)) ?? [], bornMs);
    const times = writes.map(({ endMs }) => Math.max(entryMs, firstGoodSync(calls, endMs)));
    return (end) => times[writes.findIndex(({ from, to }) => from < end && end <= to)];
  });
}

function firstGoodSync(calls: readonly TracedCall[], fromMs: number): number {
  const isGood = (call: TracedCall) =>
    call.startMs >= fromMs && call.result === 0 && SYNCS.includes(call.name);
  return calls.find(isGood)?.endMs ?? Number.POSITIVE_INFINITY;
}

/** In the order of the file. */
function writtenBytes(calls: readonly TracedCall[]): WrittenBytes[] {
  let writes: WrittenBytes[] = [];
  const good = calls.filter(({ result }) => result !== null && result >= 0);
  for (const { name, numbers, endMs, result } of good.sort((a, b) => a.endMs - b.endMs)) {
    if (name === "ftruncate") {
      writes = writes.filter(({ from }) => from < numbers[0]!);
    } else if (name.startsWith("pwrite")) {
      const from = numbers.at(-1)!;
      writes.push({ from, to: from + result!, endMs });
    }
  }
  return writes;
}

function timesOfLines(
  data: string,
  timesOf: (file: string) => (end: number) => number | undefined,
): Map<number, number> {
  const times = new Map<number, number>();
  for (const { file } of segmentFiles(data)) {
    const timeAt = timesOf(file);
    const bytes = readFileSync(file);
    for (let from = 0, end = 0; from < bytes.length; from = end) {
      end = bytes.indexOf(LF, from) + 1;
      if (end === 0) throw new Error(`${file} ends in the middle of a line`);
      const number = Number(VALUE.exec(bytes.toString("latin1", from, end))?.[1] ?? Number.NaN);
      const timeMs = timeAt(end);
      if (timeMs !== undefined) times.set(number, timeMs);
    }
  }
  return times;
}
