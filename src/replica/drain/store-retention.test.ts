import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { realFiles } from "../../log/files.ts";
import { segmentPath, segmentsAmong } from "../../log/segment-name.ts";
import type { DrainContext } from "./drain-context.ts";
import type { PartitionDrain } from "./partition-drain.ts";
import { retainStore } from "./store-retention.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "tidemark-retention-"));
});
afterEach(() => {
  rmSync(data, { recursive: true, force: true });
});

const directory = (lane: number) => join(data, `lane-${lane}`);
const segments = (lane: number) => segmentsAmong(readdirSync(directory(lane)));

/** Segments of 1,000 bytes, the oldest first; each an hour older than the next. */
function lay(lane: number, count: number): void {
  mkdirSync(directory(lane));
  for (let segment = 0; segment < count; segment++) {
    const path = segmentPath(directory(lane), segment * 10);
    writeFileSync(path, "x".repeat(1_000));
    const changed = Date.now() / 1_000 - 3_600 * (count - segment);
    utimesSync(path, changed, changed);
  }
}

function retain(retentionAgeMs: number, retentionBytes: number, owned: unknown[] = []): void {
  const settings = { segmentBytesMax: 1, segmentAgeMsMax: 1, retentionAgeMs, retentionBytes };
  const context: Partial<DrainContext> = { files: realFiles, dataFolder: data, settings };
  retainStore(context as DrainContext, owned as PartitionDrain[]);
}

describe("the retention of a store", () => {
  test("deletes nothing where it is not asked to", () => {
    lay(0, 5);
    retain(0, 0);
    assert.equal(segments(0).length, 5);
  });

  test("by age deletes whole files, but never the newest of a lane", () => {
    lay(0, 5);
    lay(3, 1);
    retain(3.5 * 3_600_000, 0);
    assert.deepEqual(segments(0), [20, 30, 40]);
    retain(60_000, 0);
    assert.deepEqual([segments(0), segments(3)], [[40], [0]]);
  });

  test("by size is shared by the lanes as they share the bytes", () => {
    lay(0, 8);
    lay(1, 4);
    retain(0, 6_000);
    assert.deepEqual([segments(0).length, segments(1).length], [4, 2]);
  });

  test("is left to the partition's own round where this drain has it", () => {
    lay(0, 4);
    const told: [number, number][] = [];
    retain(7, 2_000, [
      { partition: 0, retain: (ageMsMax: number, bytesMax: number) => told.push([ageMsMax, bytesMax]) },
    ]);
    assert.deepEqual(told, [[7, 2_000]]);
    assert.equal(segments(0).length, 4);
  });
});
