// How many partitions a drain should have of them all, and which it takes and gives up. Each drain decides for itself, from what
// all can see, so that nobody has to be in charge. Pure.
//
// With 16 partitions and 3 drains nobody takes more than 6 (16 / 3, rounded up) or keeps more; and while somebody has fewer
// than 5 (rounded down), who has 6 gives one up. So each ends with 5 or 6, and moves stop there.

export interface Shares {
  /** Of every partition: the drain that has it; "" where none does, or one that is dead; null where none can have it. */
  owners: readonly (string | null)[];
  /** Every drain that lives, this one too. */
  living: readonly string[];
  me: string;
}

/** Partitions that may be taken now: free ones, as many as there is room for. */
export function toTake({ owners, living, me }: Shares): number[] {
  const most = Math.ceil(owners.length / living.length);
  const free = owners.flatMap((owner, partition) => (isFree(owner, living) ? [partition] : []));
  // each begins elsewhere, so that they seldom want the same
  const start = Math.floor((living.toSorted().indexOf(me) / living.length) * free.length);
  return [...free.slice(start), ...free.slice(0, start)].slice(0, Math.max(0, most - countOf(owners, me)));
}

/** How many to give up now. */
export function toGiveUp({ owners, living, me }: Shares): number {
  const most = Math.ceil(owners.length / living.length);
  const least = Math.floor(owners.length / living.length);
  const mine = countOf(owners, me);
  if (mine > most) return mine - most;
  const isSomebodyShort = living.some((drain) => countOf(owners, drain) < least);
  const isNothingFree = !owners.some((owner) => isFree(owner, living));
  return mine > least && isSomebodyShort && isNothingFree ? 1 : 0;
}

function isFree(owner: string | null, living: readonly string[]): boolean {
  return owner !== null && !living.includes(owner);
}

function countOf(owners: readonly (string | null)[], drain: string): number {
  return owners.filter((owner) => owner === drain).length;
}
