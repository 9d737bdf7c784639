import assert from "node:assert/strict";
import { utimesSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { REFUSAL } from "../errors.ts";
import { ACK_WRITTEN } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { indexPath, segmentPath } from "./segment-name.ts";

let bed: LaneBed;
/** Five segments of one line of 400 bytes; the last is open. */
beforeEach(async () => {
  bed = new LaneBed();
  bed.open({ segmentBytesMax: 500 });
  for (let at = 0; at < 5; at++) {
    bed.append(bed.line(400), ACK_WRITTEN, `w${at}`);
    await until(() => bed.settled.length === at + 1, "it is stored");
  }
  await until(() => bed.events.filter((event) => event.kind === "sealed").length === 4, "four are sealed");
});
afterEach(() => {
  bed.remove();
});

function age(sequence: number, ms: number): void {
  const seconds = (Date.now() - ms) / 1000;
  utimesSync(segmentPath(bed.directory, sequence), seconds, seconds);
}

test("zero keeps everything", async () => {
  assert.deepEqual(bed.lane.retain(0, 0), { segments: [], bytes: 0, isBlocked: false });
  assert.equal(bed.segments().length, 5);
  await bed.close();
});

test("by total bytes, the oldest closed segments go until the rest fits, with their indexes", async () => {
  const report = bed.lane.retain(0, 1000);
  assert.deepEqual(report.segments, [segmentPath(bed.directory, 0), segmentPath(bed.directory, 1)]);
  assert.equal(report.bytes, 800);
  assert.deepEqual(bed.segments(), [2, 3, 4]);
  assert.equal(bed.files.stat(indexPath(bed.directory, 0)), null);
  assert.notEqual(bed.files.stat(indexPath(bed.directory, 2)), null);
  assert.equal(bed.lane.segmentCount, 3);
  assert.equal(bed.lane.logBytes, 1200);
  await bed.close();
});

test("by age, only what is older goes, oldest first", async () => {
  age(0, 100_000);
  age(1, 100_000);
  age(3, 100_000);
  assert.equal(bed.lane.retain(50_000, 0).segments.length, 2, "a younger one shields what is behind it");
  assert.deepEqual(bed.segments(), [2, 3, 4]);
  await bed.close();
});

test("never takes the open segment or the newest closed one, so that the sequence is never forgotten", async () => {
  for (let at = 0; at < 5; at++) age(at, 100_000);
  bed.lane.retain(1, 1);
  assert.deepEqual(bed.segments(), [3, 4]);
  await bed.close();
  bed.open();
  bed.lane.retain(1, 1);
  assert.deepEqual(bed.segments(), [4]);
  await bed.close();
  assert.equal(bed.open().nextSequence, 5);
});

test("what a follower still needs stays, and the lane says that it is full of that", async () => {
  const report = bed.lane.retain(0, 1000, 1);
  assert.deepEqual(report.segments, [segmentPath(bed.directory, 0)], "line 0 is done, line 1 is needed");
  assert.equal(report.isBlocked, true);
  assert.equal(bed.lane.tryReserve(100), REFUSAL.log_full);
  assert.equal(bed.lane.retain(0, 1000, 3).isBlocked, false);
  assert.deepEqual(bed.segments(), [2, 3, 4]);
  assert.notEqual(bed.lane.tryReserve(100), REFUSAL.log_full, "there is room again");
  await bed.close();
});

test("what is old and needed stays, and that is no full log", async () => {
  for (const sequence of [0, 1, 2, 3]) age(sequence, 60_000);
  assert.equal(bed.lane.retain(30_000, 0, 0).isBlocked, false);
  assert.equal(bed.segments().length, 5);
  await bed.close();
});
