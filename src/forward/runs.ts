// Runs of bytes, four at a time: a loop over a DataView is inlined by both runtimes, where `set` and `equals` of some sixty
// bytes cost a call of their own each. A run may be read up to three bytes past its end, which its memory must have.
// HOT: several times a line.

/** What must lie behind a run that is read or written, bytes. */
export const RUN_SLACK_BYTES = 4;

export function copyRun(from: DataView, start: number, end: number, to: DataView, at: number): void {
  for (let p = start, q = at; p < end; p += 4, q += 4) to.setInt32(q, from.getInt32(p, true), true);
}

export function isSameRun(a: DataView, aStart: number, b: DataView, bStart: number, length: number): boolean {
  let at = 0;
  for (; at + 4 <= length; at += 4)
    if (a.getInt32(aStart + at, true) !== b.getInt32(bStart + at, true)) return false;
  for (; at < length; at++) if (a.getUint8(aStart + at) !== b.getUint8(bStart + at)) return false;
  return true;
}

/** Not for strangers' choice of bytes: they can make hashes meet, which costs some comparisons and no more. */
export function hashRun(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed;
  let p = start;
  for (; p + 4 <= end; p += 4) {
    hash = Math.imul(hash ^ view.getInt32(p, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; p < end; p++) hash = Math.imul(hash ^ view.getUint8(p), 0x9e3779b1);
  return hash ^ (hash >>> 13);
}
