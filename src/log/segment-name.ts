// The names inside a lane's directory. A segment is named for the sequence of its first line: the number of lines that
// the lane had stored before it. 16 hex digits sort as text in the order of the lane.

import { join } from "node:path";

const SEGMENT_NAME = /^([0-9a-f]{16})\.jsonl$/;
const INDEX_NAME = /^([0-9a-f]{16})\.idx$/;
export const QUARANTINE = "quarantine";

export function segmentStem(firstSequence: number): string {
  return firstSequence.toString(16).padStart(16, "0");
}

export function segmentPath(directory: string, firstSequence: number): string {
  return join(directory, `${segmentStem(firstSequence)}.jsonl`);
}

export function indexPath(directory: string, firstSequence: number): string {
  return join(directory, `${segmentStem(firstSequence)}.idx`);
}

/** The first sequences of the segments among these names, ascending. */
export function segmentsAmong(names: string[]): number[] {
  return sequencesAmong(names, SEGMENT_NAME);
}

export function indexesAmong(names: string[]): number[] {
  return sequencesAmong(names, INDEX_NAME);
}

function sequencesAmong(names: string[], pattern: RegExp): number[] {
  const sequences: number[] = [];
  for (const name of names) {
    const match = pattern.exec(name);
    const sequence = match === null ? Number.NaN : Number.parseInt(match[1]!, 16);
    if (Number.isSafeInteger(sequence)) sequences.push(sequence);
  }
  return sequences.sort((a, b) => a - b);
}
