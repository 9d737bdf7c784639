// What a drain has done, for the operator: counted by its partitions, told in one line now and then where there is news.

export interface DrainFigures {
  blocks: number;
  lines: number;
  bytes: number;
  /** Lines that came again and were drained already. */
  linesAgain: number;
  deadLetters: number;
  commits: number;
}

export function noFigures(): DrainFigures {
  return { blocks: 0, lines: 0, bytes: 0, linesAgain: 0, deadLetters: 0, commits: 0 };
}

/** What has happened between two readings; null where nothing has. */
export function figuresSince(before: DrainFigures, now: DrainFigures): Record<string, number> | null {
  if (now.blocks === before.blocks && now.deadLetters === before.deadLetters) return null;
  return {
    blocks: now.blocks - before.blocks,
    lines: now.lines - before.lines,
    bytes: now.bytes - before.bytes,
    lines_again: now.linesAgain - before.linesAgain,
    dead_letters: now.deadLetters - before.deadLetters,
    commits: now.commits - before.commits,
  };
}
