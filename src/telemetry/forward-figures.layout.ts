// What the thread that forwards the log tells of itself: written by it four times a second, read by any ingest thread for /stats
// and /metrics. Plain 8-byte numbers: each is right by itself. All are NaN until it has written once.

/** In the order of the memory. */
export const FORWARD_FIELDS = [
  "isFlowing",
  "samples",
  "lagLines",
  "lagMs",
  "requests",
  "retries",
  "resends",
  "sentBytes",
  "deadLetters",
  "droppedLetterFiles",
] as const;
export type ForwardField = (typeof FORWARD_FIELDS)[number];
export type ForwardSnapshot = Record<ForwardField, number>;

export function allocateForwardFigures(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(FORWARD_FIELDS.length * 8);
  new Float64Array(shared).fill(Number.NaN);
  return shared;
}

export class ForwardNumbers {
  private readonly numbers: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.numbers = new Float64Array(shared);
  }

  write(figures: Readonly<Record<ForwardField, number | boolean>>): void {
    for (const [at, field] of FORWARD_FIELDS.entries()) this.numbers[at] = Number(figures[field]);
  }

  read(): ForwardSnapshot {
    return Object.fromEntries(
      FORWARD_FIELDS.map((field, at) => [field, this.numbers[at]!]),
    ) as ForwardSnapshot;
  }
}
