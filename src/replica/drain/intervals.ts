// Which numbers of a lane are covered: intervals [from, to), in order, no two of them touching. A lane that comes in order has
// one; each stretch that comes late, or never, makes one more. Pure: each operation gives a new list.

export type Interval = readonly [from: number, to: number];

/** What of [from, to) is not covered, in order. */
export function uncovered(covered: readonly Interval[], from: number, to: number): Interval[] {
  const left: Interval[] = [];
  let at = from;
  for (const [start, end] of covered) {
    if (end <= at) continue;
    if (start >= to) break;
    if (start > at) left.push([at, start]);
    at = end;
  }
  if (at < to) left.push([at, to]);
  return left;
}

/** The intervals with [from, to) covered too. */
export function withCovered(covered: readonly Interval[], from: number, to: number): Interval[] {
  const before = covered.filter(([, end]) => end < from);
  const behind = covered.filter(([start]) => start > to);
  const touching = covered.slice(before.length, covered.length - behind.length);
  const start = Math.min(from, touching[0]?.[0] ?? from);
  const end = Math.max(to, touching.at(-1)?.[1] ?? to);
  return [...before, [start, end], ...behind];
}

/** Whether the value is such a list. */
export function areIntervals(value: unknown): value is Interval[] {
  if (!Array.isArray(value)) return false;
  let last = -1;
  for (const pair of value) {
    if (!Array.isArray(pair) || pair.length !== 2) return false;
    const [from, to] = pair;
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from <= last || to <= from) return false;
    last = to;
  }
  return true;
}
