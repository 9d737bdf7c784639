// Halves a block at the line feed nearest to its middle. Pure.

import type { Block } from "./block-message.ts";

const LF = 0x0a;

/** Two blocks that cover the same, in order; null for a block of one line. */
export function splitBlock(block: Block): [Block, Block] | null {
  const { first, end, bytes } = block;
  if (end - first < 2) return null;
  const middle = bytes.indexOf(LF, bytes.length >> 1);
  const cut =
    middle >= 0 && middle < bytes.length - 1 ? middle + 1 : bytes.lastIndexOf(LF, bytes.length - 2) + 1;
  let lines = 0;
  for (let at = 0; at < cut; at++) if (bytes[at] === LF) lines++;
  const between = first + lines;
  return [
    { ...block, end: between, bytes: bytes.subarray(0, cut) },
    { ...block, from: between, first: between, bytes: bytes.subarray(cut) },
  ];
}
