import assert from "node:assert/strict";
import { test } from "node:test";
import { fullReport } from "../../../test/report/sample-report.ts";
import type { EvidencePoint } from "./report-json.ts";
import { EVIDENCE_POINTS_MAX, thinEvidence } from "./thin-evidence.ts";

const point = fullReport().levels[0]!.evidence[3]!;

function series(length: number, of: (index: number) => Partial<EvidencePoint>): EvidencePoint[] {
  return Array.from({ length }, (_, index) => ({ ...point, at_ms: index * 250, ...of(index) }));
}

test("a short level's evidence stays as it is", () => {
  const points = series(EVIDENCE_POINTS_MAX, () => ({}));
  assert.equal(thinEvidence(points), points);
});

test("a long level keeps its one peak, averages its rate, and does not fill gaps", () => {
  const points = series(10_000, (index) => ({
    rate: index % 2 === 0 ? 100 : 300,
    thread_ratio: index === 7_777 ? 0.99 : 0.1,
    queue_ratio: index < 5_000 ? null : 0.5,
  }));
  const thinned = thinEvidence(points);
  assert.ok(thinned.length <= EVIDENCE_POINTS_MAX);
  assert.equal(thinned[0]!.at_ms, 0);
  assert.equal(thinned.filter((one) => one.thread_ratio === 0.99).length, 1);
  assert.deepEqual([...new Set(thinned.map((one) => one.rate))], [200]);
  assert.equal(thinned[0]!.queue_ratio, null);
  assert.equal(thinned.at(-1)!.queue_ratio, 0.5);
});
