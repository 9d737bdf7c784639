// The blocks that share one commit, and what is left to store of them. Pure.

import type { Msg } from "@nats-io/transport-node";
import { cutBlock, type DrainedBlock, type Piece } from "./drained-block.ts";
import { type Interval, uncovered, withCovered } from "./intervals.ts";

/** Messages whose blocks are stored together, and acknowledged then. */
export interface Group {
  messages: Msg[];
  blocks: DrainedBlock[];
  bytes: number;
}

export interface GroupPlan {
  pieces: Piece[];
  /** What is covered when the pieces are stored. */
  lanes: Record<string, readonly Interval[]>;
  lines: number;
  bytes: number;
  /** Lines of the blocks that were covered already, by the record or by another block of the group. */
  linesAgain: number;
}

export function planGroup(
  blocks: readonly DrainedBlock[],
  covered: Readonly<Record<string, readonly Interval[]>>,
): GroupPlan {
  const plan: GroupPlan = { pieces: [], lanes: { ...covered }, lines: 0, bytes: 0, linesAgain: 0 };
  for (const block of blocks) {
    const { source, first, end } = block;
    const before = plan.lanes[source] ?? [];
    const pieces = cutBlock(block, uncovered(before, first, end));
    plan.linesAgain += end - first;
    if (pieces.length === 0) continue;
    plan.lanes[source] = withCovered(before, first, end);
    for (const piece of pieces) {
      plan.pieces.push(piece);
      plan.lines += piece.lines;
      plan.linesAgain -= piece.lines;
      plan.bytes += piece.bytes.length;
    }
  }
  return plan;
}
