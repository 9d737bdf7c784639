// The shared memory between ingest threads and the follower thread: how far each lane is on the disk, and how far it has been
// followed. One region a lane, and one for the follower as a whole.
//
//   words     [0] rung by the lane: there is more to follow   [1] rung by the follower: more is done   [2] 1: it can follow now
//   numbers   end │ doneBefore │ freshFrom │ freshDone          (Float64, each written by one thread)
//
// A line is done where it is before `doneBefore`, or in [freshFrom, freshDone). Whoever moves these keeps an order in which
// a reader that sees only some of the moves never takes for done what is not: freshFrom first, freshDone last.
// Numbers are plain 8-byte stores, ordered by the ring (an Atomics operation) behind them.

const LANE_BYTES = 128;

export interface LanePosition {
  /** Lines of the lane that a sync has covered: the number behind the last. */
  end: number;
  doneBefore: number;
  freshFrom: number;
  freshDone: number;
}

export function allocatePositions(lanes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(lanes * LANE_BYTES);
}

/** One lane's region, from either side. */
export class LanePositions {
  /** Of one lane's region. */
  static readonly bytes = LANE_BYTES;
  private readonly words: Int32Array;
  private readonly numbers: Float64Array;

  constructor(shared: SharedArrayBuffer, lane: number) {
    this.words = new Int32Array(shared, lane * LANE_BYTES, 3);
    this.numbers = new Float64Array(shared, lane * LANE_BYTES + 64, 4);
  }

  /** The lane's thread: so much has been synced. */
  setEnd(end: number): void {
    this.numbers[0] = end;
  }

  /** The lane's thread: somebody waits for it to be followed. */
  ringFollower(): void {
    ring(this.words, 0);
  }

  get end(): number {
    return this.numbers[0]!;
  }

  /** The follower: what is done, by its cursor. An heir's may be behind what was told before it. */
  setDone(doneBefore: number, freshFrom: number, freshDone: number): void {
    // Never lower: beside the old freshDone it would say that everything between the two is done.
    this.numbers[2] = Math.max(this.numbers[2]!, freshFrom);
    this.numbers[1] = doneBefore;
    this.numbers[3] = freshDone;
    ring(this.words, 1);
  }

  /** The follower: whether what is synced now can be expected to be done soon. */
  setFlowing(isFlowing: boolean): void {
    Atomics.store(this.words, 2, isFlowing ? 1 : 0);
  }

  get isFlowing(): boolean {
    return Atomics.load(this.words, 2) === 1;
  }

  /** Whether all lines before `end`, of a commit that ends there, are done. */
  isDone(end: number): boolean {
    const freshDone = this.numbers[3]!;
    return end <= this.numbers[1]! || (end > this.numbers[2]! && end <= freshDone);
  }

  /** Resolves when the lane rings, or after `msMax`. `seen` is what rings() said before the last look. */
  untilRungByLane(seen: number, msMax: number): Promise<void> {
    return untilRung(this.words, 0, seen, msMax);
  }

  untilRungByFollower(seen: number, msMax: number): Promise<void> {
    return untilRung(this.words, 1, seen, msMax);
  }

  ringsByLane(): number {
    return Atomics.load(this.words, 0);
  }

  ringsByFollower(): number {
    return Atomics.load(this.words, 1);
  }
}

function ring(words: Int32Array, at: number): void {
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
}

async function untilRung(words: Int32Array, at: number, seen: number, msMax: number): Promise<void> {
  const waiting = Atomics.waitAsync(words, at, seen, msMax);
  if (waiting.async) await waiting.value;
}
