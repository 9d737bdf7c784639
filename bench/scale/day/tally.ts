// What has become of every metric so far, and the two sums that must hold at every moment. Whole numbers, below 2^53.

export interface Tally {
  offered: number;
  /** Written on a node. */
  stored: number;
  /** Of stored: answered 504 all the same, since the stream did not acknowledge in time. */
  storedUnanswered: number;
  /** Of stored: answered `replicated`. */
  answeredReplicated: number;
  /** Nobody to take the connection; the ingest threads full; the stream away and `replicated` asked; the log at --retention-size. */
  refusedUnreachable: number;
  refusedBusy: number;
  refusedReplica: number;
  refusedFull: number;
  /** On the disk of a drain. */
  drained: number;
  /** With a node's disk, before the stream had them: answered `written`, or not answered at all. */
  lostWritten: number;
  lostUnanswered: number;
  /** In the stream, with the power of a majority of its servers; and those of them that were answered `replicated`. */
  lostInStream: number;
  lostReplicated: number;
  /** With a drain's disk, after the stream had let go of them. */
  lostDrained: number;
}

export function emptyTally(): Tally {
  return {
    offered: 0,
    stored: 0,
    storedUnanswered: 0,
    answeredReplicated: 0,
    refusedUnreachable: 0,
    refusedBusy: 0,
    refusedReplica: 0,
    refusedFull: 0,
    drained: 0,
    lostWritten: 0,
    lostUnanswered: 0,
    lostInStream: 0,
    lostReplicated: 0,
    lostDrained: 0,
  };
}

export function refusedOf(tally: Tally): number {
  return tally.refusedUnreachable + tally.refusedBusy + tally.refusedReplica + tally.refusedFull;
}

export function lostOf(tally: Tally): number {
  return tally.lostWritten + tally.lostUnanswered + tally.lostInStream + tally.lostDrained;
}

/** Throws where a metric is in two places, or in none. `drained` is without what was lost with a drain. */
export function assertBalance(tally: Tally, onNodes: number, inStreams: number, atSecond: number): void {
  const taken = tally.stored + refusedOf(tally);
  if (tally.offered !== taken)
    throw new Error(`at ${atSecond} s: offered ${tally.offered}, stored and refused ${taken}`);
  const found = tally.drained + inStreams + onNodes + lostOf(tally);
  if (tally.stored !== found)
    throw new Error(`at ${atSecond} s: stored ${tally.stored}, found ${found}: ${JSON.stringify(tally)}`);
}
