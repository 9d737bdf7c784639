// Whether what a recovery left is what was promised. Reads the model's files past the log's own code.

import type { RecoveryReport } from "../../src/log/recovery.ts";
import type { Obligations, SentBatches } from "./sent-batches.ts";

const SEGMENT = /^([0-9a-f]{16})\.jsonl$/;
const LINE_NUMBER = /^\{"ts":\d+,"name":"s(\d+)"/;
/** Enough of a line or a file to recognise it. */
const SHOWN = 60;

/** A lane's files by name, the quarantine's as `quarantine/…`. */
export type Files = ReadonlyMap<string, Buffer>;

export interface Checked {
  readonly problems: string[];
  /** The numbers of the lines in the segments, in their order. */
  readonly lines: number[];
}

/** Everything that a directory must keep to after each recovery. */
export function checkRecovered(
  files: Files,
  report: RecoveryReport,
  sent: SentBatches,
  obligations: Obligations,
): Checked {
  const problems: string[] = [];
  const lines: number[] = [];
  let nextFree = 0;
  for (const name of segmentNames(files)) {
    const first = Number.parseInt(SEGMENT.exec(name)![1]!, 16);
    if (first < nextFree) problems.push(`${name} begins before the segment before it ends (${nextFree})`);
    const found = linesOf(name, files.get(name)!, sent, problems);
    nextFree = first + found.length;
    for (const line of found) {
      if (line <= (lines.at(-1) ?? -1)) problems.push(`line ${line} stands behind line ${lines.at(-1)}`);
      lines.push(line);
    }
  }
  if (report.nextSequence < nextFree)
    problems.push(`the next sequence is ${report.nextSequence}, and ${nextFree} is the first free one`);
  for (const name of files.keys()) if (name.endsWith(".tmp")) problems.push(`${name} was left behind`);
  checkObligations(new Set(lines), sent, obligations, problems);
  return { problems, lines };
}

/** What was there before and is not after is in quarantine; what is in quarantine was there before. */
export function checkQuarantine(before: Files, after: Files): string[] {
  const problems: string[] = [];
  for (const name of segmentNames(before)) {
    const whole = before.get(name)!;
    const stem = name.slice(0, 16);
    const cuts = [...after]
      .map(([path, bytes]) => ({
        at: new RegExp(`^quarantine/${stem}-(\\d+)(\\.\\d+)?\\.bin$`).exec(path),
        bytes,
      }))
      .filter(({ at, bytes }) => at !== null && holdsAt(whole, bytes, Number(at[1])))
      .map(({ at, bytes }) => ({ from: Number(at![1]), to: Number(at![1]) + bytes.length }))
      .sort((a, b) => a.from - b.from);
    const own = after.get(name)?.length ?? 0;
    const kept = Buffer.concat(
      segmentNames(after)
        .filter((other) => other >= name)
        .map((other) => after.get(other)!),
    );
    if (!isAccountedFor(whole, kept, own, cuts))
      problems.push(`${name} had ${whole.length} bytes, and not all of them are there or in quarantine`);
  }
  return problems;
}

/** How two states of one directory differ; `ignored` are the names that may. */
export function differences(what: string, one: Files, other: Files, ignored: RegExp): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names]
    .filter((name) => !ignored.test(name))
    .filter((name) => !(one.get(name)?.equals(other.get(name) ?? Buffer.from("none")) ?? false))
    .map((name) => `${what}: ${name} is ${show(other.get(name))} and was ${show(one.get(name))}`);
}

/** The numbers of the lines in one segment, as it may be before a recovery: only whole lines that were sent count. */
export function numbersIn(content: Buffer, sent: SentBatches): number[] {
  const numbers: number[] = [];
  for (const line of content.toString("latin1").split("\n")) {
    const number = Number(LINE_NUMBER.exec(line)?.[1] ?? -1);
    if (number >= 0 && sent.lines[number] === line) numbers.push(number);
  }
  return numbers;
}

function segmentNames(files: Files): string[] {
  return [...files.keys()].filter((name) => SEGMENT.test(name)).sort();
}

function linesOf(name: string, content: Buffer, sent: SentBatches, problems: string[]): number[] {
  const text = content.toString("latin1");
  if (!text.endsWith("\n")) problems.push(`${name} does not end with a line: ${show(content)}`);
  const numbers: number[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const number = Number(LINE_NUMBER.exec(line)?.[1] ?? -1);
    if (sent.lines[number] === line) numbers.push(number);
    else problems.push(`${name} holds a line that was not sent: ${JSON.stringify(line.slice(0, SHOWN))}`);
  }
  return numbers;
}

function checkObligations(
  there: ReadonlySet<number>,
  sent: SentBatches,
  obligations: Obligations,
  problems: string[],
): void {
  for (const batch of obligations.present) {
    for (let line = batch.first; line <= batch.last; line++) {
      if (there.has(line) || sent.isDeleted(line)) continue;
      problems.push(`line ${line} of a batch answered 200 (level ${batch.level}) is lost`);
    }
  }
  for (const line of obligations.kept)
    if (!there.has(line) && !sent.isDeleted(line))
      problems.push(`line ${line} was recovered once and is lost`);
  for (const batch of obligations.absent)
    for (let line = batch.first; line <= batch.last; line++)
      if (there.has(line)) problems.push(`line ${line} was refused because its write failed, and is there`);
}

function holdsAt(whole: Buffer, part: Buffer, at: number): boolean {
  return at + part.length <= whole.length && whole.subarray(at, at + part.length).equals(part);
}

/**
 * Whether `whole` is the beginning of `kept`, at least `own` bytes of it, with some of the cuts put in where they were. Which
 * of them has to be tried: those of earlier recoveries may hold the same bytes.
 */
function isAccountedFor(
  whole: Buffer,
  kept: Buffer,
  own: number,
  cuts: readonly { from: number; to: number }[],
  from = 0,
  keptFrom = 0,
): boolean {
  const length = whole.length - from;
  if (keptFrom + length >= own && holdsAt(kept, whole.subarray(from), keptFrom)) return true;
  return cuts.some((cut, at) => {
    if (cut.from < from || cut.to <= from || !holdsAt(kept, whole.subarray(from, cut.from), keptFrom))
      return false;
    return isAccountedFor(whole, kept, own, cuts.slice(at + 1), cut.to, keptFrom + cut.from - from);
  });
}

function show(content: Buffer | undefined): string {
  if (content === undefined) return "not there";
  return `${content.length} bytes, ${JSON.stringify(content.subarray(0, SHOWN).toString("latin1"))}`;
}
