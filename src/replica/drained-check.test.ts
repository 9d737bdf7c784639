// The check against a cluster that is a script: what the stream still has, and what the drains' record says.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LaneCursor, type LineRange } from "../follow/lane-cursor.ts";
import { REPLICA_CHECK_TRIES_MAX, REPLICA_SETTLED_MS } from "../limits.ts";
import type { Interval } from "./drain/intervals.ts";
import { NO_RECORD } from "./drain/partition-record.ts";
import { type CheckedLane, DrainedCheck, type StreamView } from "./drained-check.ts";

const SOURCE = "00000000000000aa.0";

/** A lane whose lines before `cursor.fresh` are acknowledged, and everything around it. */
class Bed implements CheckedLane, StreamView {
  readonly lane = 0;
  readonly cursor = new LaneCursor();
  readonly said: string[] = [];
  readonly again: LineRange[] = [];
  readonly check = new DrainedCheck([this], (level, text) => this.said.push(`${level} ${text}`));
  /** What drains have stored; null where they know nothing of the lane. */
  covered: readonly Interval[] | null = [];
  /** Sequences of the lane's messages in the stream, ascending. */
  queued: number[] = [];
  last = 0;
  without: readonly Interval[] = [];
  room = 32;
  /** Done between the look at the record and the look at the stream. */
  between: () => void = () => {};
  recordsRead = 0;
  sequencesAsked = 0;
  streamAsked = 0;
  nowMs = 0;
  private revision = 1;

  acknowledge(to: number): void {
    this.cursor.fresh = to;
    this.last++;
  }

  drain(...covered: Interval[]): void {
    this.covered = covered;
    this.revision++;
  }

  /** The record is the one before its last change. */
  goBack(...covered: Interval[]): void {
    this.covered = covered;
    this.revision--;
  }

  /** What was to be sent again is acknowledged. */
  sendLate(): void {
    this.cursor.takeAgain();
    while (this.cursor.late.length > 0) this.cursor.doneLate(this.cursor.late[0]!.to);
    this.last++;
  }

  /** Of no time at all. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) await this.check.round(this, this.nowMs);
  }

  /** Until what is covered now counts as settled. */
  async settle(): Promise<void> {
    await this.rounds(2);
    this.nowMs += REPLICA_SETTLED_MS;
    await this.rounds(2);
  }

  partition = () => 3;
  source = () => SOURCE;
  absent = () => this.without;
  sendAgain(ranges: readonly LineRange[]): LineRange[] {
    const taken = this.cursor.again(ranges.slice(0, this.room));
    this.again.push(...taken);
    return taken;
  }
  onChecked(): void {}

  async lastSequence(): Promise<number> {
    this.sequencesAsked++;
    return this.last;
  }
  async oldestSequence(): Promise<number | null> {
    this.streamAsked++;
    this.between();
    return this.queued[0] ?? null;
  }
  async record() {
    this.recordsRead++;
    const lanes: Record<string, readonly Interval[]> =
      this.covered === null ? {} : { [SOURCE]: this.covered };
    return { record: { ...NO_RECORD, lanes }, revision: this.revision };
  }
}

describe("what the stream has acknowledged", () => {
  test("is checked by the record alone where all of it is drained, until it has settled", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 100]);
    await bed.rounds(5);
    assert.equal(bed.cursor.checked, 0);
    await bed.settle();
    assert.equal(bed.cursor.checked, 100);
    const { recordsRead } = bed;
    await bed.rounds(5);
    assert.deepEqual([bed.recordsRead, bed.streamAsked, bed.said], [recordsRead, 0, []]);
  });

  test("settles as it came, while more comes", async () => {
    const bed = new Bed();
    for (let to = 100; to <= 500; to += 100) {
      bed.acknowledge(to);
      bed.drain([0, to]);
      await bed.rounds(2);
      bed.nowMs += REPLICA_SETTLED_MS / 2;
    }
    // the last was seen a half of that time ago, and those before it at twice and more
    assert.equal(bed.cursor.checked, 300);
    await bed.rounds(2);
    assert.equal(bed.cursor.checked, 400);
  });

  test("and is neither in the stream nor drained is sent again, and nothing else is", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 20], [30, 60]);
    await bed.rounds(2);
    assert.deepEqual(bed.again, [
      { from: 20, to: 30 },
      { from: 60, to: 100 },
    ]);
    assert.match(bed.said.join(), /^warn the stream has lost lines/);
    await bed.rounds(5);
    assert.equal(bed.again.length, 2, "while it is under way it is not lost once more");
    bed.sendLate();
    bed.drain([0, 100]);
    await bed.settle();
    assert.equal(bed.cursor.checked, 100);
    assert.equal(bed.again.length, 2);
  });

  test("and the drains' record has forgotten is sent again, though it was seen there", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 100]);
    await bed.rounds(3);
    bed.nowMs += REPLICA_SETTLED_MS - 1;
    bed.drain([0, 40]);
    await bed.rounds(3);
    assert.deepEqual(bed.again, [{ from: 40, to: 100 }]);
    bed.sendLate();
    bed.drain([0, 100]);
    await bed.rounds(3);
    bed.nowMs += 2;
    await bed.rounds(3);
    assert.equal(bed.cursor.checked, 0, "the time counts from the last loss on");
  });

  test("and the drains' record has forgotten as a whole is sent again", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 100]);
    await bed.rounds(3);
    bed.drain();
    bed.covered = null;
    await bed.rounds(3);
    assert.deepEqual(bed.again, [{ from: 0, to: 100 }]);
  });

  test("and is still in the stream is waited for, and asked for only when the drains have gone on", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.queued = [1];
    bed.drain([0, 20]);
    await bed.rounds(10);
    assert.equal(bed.streamAsked, 1);
    bed.drain([0, 40]);
    await bed.rounds(10);
    assert.equal(bed.streamAsked, 2);
    assert.deepEqual(bed.again, []);
    // what came since is behind it, so that all that it asked for has left the stream
    bed.queued = [2];
    bed.drain([0, 60]);
    await bed.rounds(1);
    assert.deepEqual(bed.again, [{ from: 60, to: 100 }]);
  });

  test("and is drained between the two questions is not lost", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.between = () => bed.drain([0, 100]);
    await bed.settle();
    assert.deepEqual(bed.again, []);
    assert.equal(bed.cursor.checked, 100);
  });

  test("is not asked about before the stream's end is known behind it", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 100]);
    await bed.rounds(1);
    bed.acknowledge(200);
    await bed.rounds(1);
    assert.deepEqual(bed.again, []);
    await bed.rounds(1);
    assert.deepEqual(bed.again, [{ from: 100, to: 200 }]);
  });

  test("of a lane that no drain has seen is not taken for lost", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.covered = null;
    await bed.settle();
    assert.deepEqual(bed.again, []);
    assert.equal(bed.cursor.checked, 0);
  });

  test("and was late meanwhile is asked about only up to there", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.cursor.tryJump(200);
    bed.acknowledge(300);
    bed.drain([0, 100], [200, 300]);
    await bed.settle();
    assert.equal(bed.cursor.checked, 100);
    assert.deepEqual(bed.again, []);
  });

  test("and is checked as far as what is late asks the cluster nothing", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 100]);
    await bed.settle();
    bed.cursor.tryJump(200);
    bed.acknowledge(300);
    const { sequencesAsked } = bed;
    await bed.rounds(5);
    assert.equal(bed.sequencesAsked, sequencesAsked);
  });

  test("and the record has forgotten is found also where it is what it was when that was queued", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.queued = [1];
    bed.drain([0, 20]);
    await bed.rounds(2);
    bed.queued = [];
    bed.drain([0, 100]);
    await bed.rounds(2);
    bed.goBack([0, 20]);
    await bed.rounds(2);
    assert.deepEqual(bed.again, [{ from: 20, to: 100 }]);
  });

  test("and no drain can have is not looked for", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 20], [21, 100]);
    bed.without = [[20, 21]];
    await bed.settle();
    assert.equal(bed.cursor.checked, 100);
    assert.deepEqual([bed.again, bed.said], [[], []]);
  });

  test("and there is no room for is sent in the next round, and does not count before", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([10, 20], [30, 100]);
    for (let round = 0; round <= REPLICA_CHECK_TRIES_MAX; round++) {
      bed.room = 0;
      await bed.rounds(3);
    }
    assert.deepEqual([bed.again, bed.said], [[], []]);
    bed.room = 1;
    await bed.rounds(2);
    bed.sendLate();
    bed.drain([0, 20], [30, 100]);
    await bed.rounds(3);
    assert.deepEqual(bed.again, [
      { from: 0, to: 10 },
      { from: 20, to: 30 },
    ]);
  });

  test("and is lost while the record stays as it is is found all the same", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.queued = [1];
    bed.drain([0, 20]);
    await bed.rounds(3);
    bed.queued = [];
    await bed.rounds(20);
    assert.deepEqual(bed.again, [{ from: 20, to: 100 }]);
  });

  test("is asked for anew where the stream counts from 1 again", async () => {
    const bed = new Bed();
    bed.last = 1_000;
    bed.acknowledge(100);
    bed.drain([0, 20]);
    await bed.rounds(1);
    bed.last = 7;
    bed.queued = [7];
    await bed.rounds(2);
    bed.queued = [8];
    bed.drain([0, 30]);
    await bed.rounds(3);
    assert.deepEqual(bed.again, [{ from: 30, to: 100 }]);
  });

  test("and gets lost again and again is left to the operator, and never counts as drained", async () => {
    const bed = new Bed();
    bed.acknowledge(100);
    bed.drain([0, 20], [40, 100]);
    for (let round = 0; round < REPLICA_CHECK_TRIES_MAX + 2; round++) {
      await bed.rounds(3);
      bed.sendLate();
    }
    assert.deepEqual(bed.again, Array(REPLICA_CHECK_TRIES_MAX).fill({ from: 20, to: 40 }));
    assert.match(bed.said.at(-1)!, /^error lines that the stream has acknowledged do not come into/);
    assert.equal(bed.said.length, REPLICA_CHECK_TRIES_MAX + 1);
    bed.acknowledge(200);
    await bed.rounds(3);
    assert.deepEqual(bed.again.at(-1), { from: 100, to: 200 }, "what comes behind is looked for");
    bed.sendLate();
    bed.drain([0, 20], [40, 200]);
    await bed.settle();
    assert.equal(bed.cursor.checked, 20);
    bed.drain([0, 200]);
    await bed.settle();
    assert.equal(bed.cursor.checked, 200);
  });

  test("each loss has its own tries", async () => {
    const bed = new Bed();
    for (let loss = 1; loss <= REPLICA_CHECK_TRIES_MAX + 2; loss++) {
      bed.acknowledge(loss * 100);
      bed.drain([0, loss * 100 - 10]);
      await bed.rounds(3);
      assert.deepEqual(bed.again.at(-1), { from: loss * 100 - 10, to: loss * 100 });
      bed.sendLate();
    }
    assert.ok(bed.said.every((text) => text.startsWith("warn")));
  });
});
