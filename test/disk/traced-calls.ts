// Reads a tracer's log: which calls the server made on the files of its log, when, and which of them were made to fail.
//
//     9100  1795472392.886556 fdatasync(32</data/lane-0/0000000000000000.jsonl>) = 0 <0.013416>
//     9100  1795472392.886556 pwrite64(32</data/lane-0/0000000000000000.jsonl>, ""..., 88, 176 <unfinished ...>
//     9100  1795472392.887556 <... pwrite64 resumed>) = 88 <0.001000>

import { readFileSync } from "node:fs";

export interface TracedCall {
  readonly name: string;
  readonly path: string;
  /** Of a write: bytes asked for, and where; of a truncation: the length. */
  readonly numbers: readonly number[];
  /** Wall clock, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** -1 where it failed; null where the process died in it. */
  readonly result: number | null;
  readonly isInjected: boolean;
  readonly isDelayed: boolean;
}

interface Begun {
  name: string;
  path: string;
  numbers: number[];
  startMs: number;
}

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/;
const CALL = /^(\w+)\(\d+<([^>]*)>(?:\(deleted\))?((?:[^"=]|"")*?)(?: <unfinished \.\.\.>|\) += (.*))?$/;
const RESUMED = /^<\.\.\. (\w+) resumed>.*?\) += (.*)$/;

/** In the order in which they began. */
export function readTracedCalls(log: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const begun = new Map<string, Begun>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const [, thread, seconds, rest] = LINE.exec(line) ?? [];
    if (thread === undefined) continue;
    const resumed = RESUMED.exec(rest!);
    const call = CALL.exec(rest!);
    if (resumed !== null) {
      const start = begun.get(thread);
      begun.delete(thread);
      if (start !== undefined) calls.push(ended(start, resumed[2]!));
    } else if (call !== null) {
      const [, name, path, words, outcome] = call;
      const numbers = [...words!.matchAll(/, (\d+)/g)].map(([, digits]) => Number(digits));
      const start = { name: name!, path: path!, numbers, startMs: Number(seconds) * 1000 };
      if (outcome === undefined) begun.set(thread, start);
      else calls.push(ended(start, outcome));
    }
  }
  for (const start of begun.values()) calls.push(ended(start, "?"));
  return calls.sort((a, b) => a.startMs - b.startMs);
}

/** Those that were made to fail. Throws where one of them was on a file that is not the log's. */
export function injectedCalls(calls: readonly TracedCall[], data: string): TracedCall[] {
  const injected = calls.filter((call) => call.isInjected || call.isDelayed);
  const astray = injected.find((call) => call.path !== data && !call.path.startsWith(`${data}/`));
  if (astray !== undefined) throw new Error(`the fault hit ${astray.path}, which is not the log's`);
  return injected;
}

function ended(start: Begun, outcome: string): TracedCall {
  const result = /^-?\d+/.exec(outcome);
  const seconds = /<(\d+\.\d+)>$/.exec(outcome);
  return {
    ...start,
    endMs: seconds === null ? Number.POSITIVE_INFINITY : start.startMs + Number(seconds[1]) * 1000,
    result: result === null ? null : Number(result[0]),
    isInjected: outcome.includes("(INJECTED)"),
    isDelayed: outcome.includes("(DELAYED)"),
  };
}
