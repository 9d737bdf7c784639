// What is known of a partition, by all drains alike: the value of the key `partition.<p>` in the stream's bucket. Every change
// of it is a compare-and-set by revision, and that is the commit: what the record says is drained is drained, nothing else.
//
//     {"version":1, "owner":"<drain>", "epoch":7, "commit":"<of the last change>",
//      "lanes":  {"<origin>.<lane>": [[0,1200],[1300,1400]]},       numbers that are drained, by lane of the nodes
//      "stores": {"<drain>": 1300}}                                 where each drain's own lane of the partition ends
//
// A store's number is a sequence of its lane (log/lane.ts): what the lane has behind it was never committed and is cut off.

import { areIntervals, type Interval } from "./intervals.ts";

export interface PartitionRecord {
  /** "" where nobody has it. */
  owner: string;
  /** Goes up by one each time that somebody takes it. */
  epoch: number;
  /** Tells the last change from any other, so that one whose answer was lost can be recognised. */
  commit: string;
  lanes: Readonly<Record<string, readonly Interval[]>>;
  stores: Readonly<Record<string, number>>;
}

export const NO_RECORD: PartitionRecord = { owner: "", epoch: 0, commit: "", lanes: {}, stores: {} };

/** Where the drains of a stream agree. */
export function bucketName(stream: string): string {
  return `${stream}_drains`;
}

export function partitionKey(partition: number): string {
  return `partition.${partition}`;
}

export function encodeRecord(record: PartitionRecord): string {
  return JSON.stringify({ version: 1, ...record });
}

/** Null where the text is no record of this version. */
export function decodeRecord(text: string): PartitionRecord | null {
  try {
    const { version, owner, epoch, commit, lanes, stores } = JSON.parse(text);
    const isGood =
      version === 1 &&
      typeof owner === "string" &&
      isCount(epoch) &&
      typeof commit === "string" &&
      Object.values(lanes).every(areIntervals) &&
      Object.values(stores).every(isCount);
    return isGood ? { owner, epoch, commit, lanes, stores } : null;
  } catch {
    return null;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
