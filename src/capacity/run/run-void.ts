// When a whole run proves nothing about the target. Single levels may be void and the run still good: the generator may
// be too slow for a level far above what the target takes. Pure.

import type { Suspect, SuspectId } from "../diagnosis/suspect.ts";
import type { Level } from "../level.ts";
import type { FoundCapacity } from "../search/find-capacity.ts";

/** Suspects of our own side. */
const OWN_SIDE: readonly SuspectId[] = ["generator", "client-ports"];

/** Why, or null. */
export function whyRunIsVoid(
  levels: readonly Level[],
  found: FoundCapacity | null,
  suspects: readonly Suspect[],
): string | null {
  if (levels.length === 0) return "nothing was measured: the run was ended before its first level";
  const [first] = suspects;
  if (first?.verdict === "confirmed" && OWN_SIDE.includes(first.id))
    return `the limit was ${first.title} and not the target: ${first.for.join(" ").replace(/\.$/, "")}`;
  if (found?.isAtLeast === true) {
    const last = levels.findLast(({ kind, load }) => kind === "open" && load.void !== null);
    if (last !== undefined)
      return `the search ended where the generator could not go on, so the figure is at least that: ${last.load.void}`;
  }
  if (found !== null) return null;
  const isProof = ({ load }: Level): boolean => load.void === null;
  if (!levels.some(isProof)) return levels.at(-1)!.load.void;
  const unpaced = levels.filter(({ kind }) => kind === "unpaced");
  const top = unpaced.reduce<Level | null>(
    (best, level) => (best === null || level.load.rate > best.load.rate ? level : best),
    null,
  );
  // The level that says how much the target can take: if it is the generator's figure, the answer is, too.
  return top === null || isProof(top) ? null : top.load.void;
}
