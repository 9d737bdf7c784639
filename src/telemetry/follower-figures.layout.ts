// What a follower of the log tells of itself: written by its thread, four times a second, read by any ingest thread for /stats
// and /metrics. Plain 8-byte numbers: each is right by itself. All are NaN until the follower has written once.

/** In the order of the memory. */
export const FOLLOWER_FIELDS = [
  "isFlowing",
  "blocks",
  "lines",
  "bytes",
  "messageBytes",
  "duplicates",
  "retries",
  "linesSetAside",
  "linesSentAgain",
  "freshLagMs",
  "linesBehind",
  "linesLate",
  "linesUnchecked",
] as const;
export type FollowerField = (typeof FOLLOWER_FIELDS)[number];
export type FollowerSnapshot = Record<FollowerField, number>;

export function allocateFollowerFigures(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(FOLLOWER_FIELDS.length * 8);
  new Float64Array(shared).fill(Number.NaN);
  return shared;
}

export class FollowerFigures {
  private readonly numbers: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.numbers = new Float64Array(shared);
  }

  write(figures: Readonly<Record<FollowerField, number | boolean>>): void {
    for (const [at, field] of FOLLOWER_FIELDS.entries()) this.numbers[at] = Number(figures[field]);
  }

  read(): FollowerSnapshot {
    return Object.fromEntries(
      FOLLOWER_FIELDS.map((field, at) => [field, this.numbers[at]!]),
    ) as FollowerSnapshot;
  }
}
