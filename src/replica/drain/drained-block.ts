// A block as a drain stores it: taken out of its message, checked, and cut to the lines that are not drained yet. Pure.
// Its lines are checked as recovery checks lines that no index covers: what recovery would take for damage may not get into a
// lane. The check also gives the times that the lane's index wants.

import { isUtf8 } from "node:buffer";
import { LANE_BUFFER_BYTES } from "../../limits.ts";
import { checkLines } from "../../log/line-check.ts";
import { decodeBlock } from "../block-message.ts";
import type { Interval } from "./intervals.ts";

const LF = 0x0a;

export interface DrainedBlock {
  /** <origin>.<lane>: whose numbers they are. */
  source: string;
  /** The lines' numbers are [first, end). Numbers before `first` that the block covers have no lines, and need none. */
  first: number;
  end: number;
  bytes: Buffer;
  timestampMsEarliest: number;
  timestampMsLatest: number;
}

/** Whole lines in a row, and bounds of their times. */
export interface Piece {
  bytes: Buffer;
  lines: number;
  timestampMsEarliest: number;
  timestampMsLatest: number;
}

/** The block, or why there is none: the end of a sentence "… because it". */
export function readBlock(header: string, payload: Uint8Array): DrainedBlock | string {
  const block = decodeBlock(header, payload);
  if (typeof block === "string") return block;
  const bytes = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length);
  if (bytes.length > LANE_BUFFER_BYTES) return `is longer than ${LANE_BUFFER_BYTES} bytes`;
  const checked = checkLines(bytes, 0, bytes.length, isUtf8(bytes));
  if (checked.end < bytes.length) return "holds a line that is none of a log";
  const { timestampMsEarliest, timestampMsLatest } = checked;
  const source = `${block.origin}.${block.lane}`;
  return { source, first: block.first, end: block.end, bytes, timestampMsEarliest, timestampMsLatest };
}

/** The lines whose numbers are in `left`, which is in order and within [first, end). The bytes are the block's. */
export function cutBlock(block: DrainedBlock, left: readonly Interval[]): Piece[] {
  const { first, end, bytes, timestampMsEarliest, timestampMsLatest } = block;
  let line = first;
  let offset = 0;
  const skipTo = (number: number): number => {
    if (number === end) return bytes.length;
    for (; line < number; line++) offset = bytes.indexOf(LF, offset) + 1;
    return offset;
  };
  return left.map(([from, to]) => ({
    bytes: bytes.subarray(skipTo(from), skipTo(to)),
    lines: to - from,
    timestampMsEarliest,
    timestampMsLatest,
  }));
}
