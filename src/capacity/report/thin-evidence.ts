// Evidence of a long level, thinned for drawing: neighbours become one point that keeps the worst of them, so that a
// short peak is never lost, while the page stays small however long a level ran. Rates are averaged; all else is at its highest.

import { isKnown } from "./figures.ts";
import type { EvidencePoint } from "./report-json.ts";

/** As many points as a wide chart has room to tell apart. */
export const EVIDENCE_POINTS_MAX = 240;

export function thinEvidence(points: readonly EvidencePoint[]): readonly EvidencePoint[] {
  if (points.length <= EVIDENCE_POINTS_MAX) return points;
  const each = Math.ceil(points.length / EVIDENCE_POINTS_MAX);
  const thinned: EvidencePoint[] = [];
  for (let start = 0; start < points.length; start += each)
    thinned.push(merge(points.slice(start, start + each)));
  return thinned;
}

function merge(points: readonly EvidencePoint[]): EvidencePoint {
  const merged: Record<string, number | null> = {};
  for (const key of Object.keys(points[0]!) as (keyof EvidencePoint)[]) {
    const known = points.map((point) => point[key]).filter(isKnown);
    if (key === "at_ms") merged[key] = points[0]!.at_ms;
    else if (known.length === 0) merged[key] = null;
    else if (key === "rate" || key === "failed_rate")
      merged[key] = known.reduce((sum, value) => sum + value, 0) / known.length;
    else merged[key] = Math.max(...known);
  }
  return merged as unknown as EvidencePoint;
}
