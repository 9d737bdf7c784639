import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { REFUSAL } from "../errors.ts";
import { QUEUE_MS_MAX } from "../limits.ts";
import { CommitTime, LARGE_BYTES_MIN } from "./commit-time.ts";
import { ACK_SYNCED, ACK_WRITTEN } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { QueueBound } from "./queue-bound.ts";
import { STORED } from "./waiter-group.ts";

const MIB = 1024 * 1024;
/** What 10 MB/s write in a millisecond. */
const SLOW = 10_000;

let nowMs: number;
let bound: QueueBound;
beforeEach(() => {
  nowMs = 5_000;
  bound = new QueueBound({ wallMs: () => 0, monotonicMs: () => nowMs });
});

/** Commits one after another, each as long as so many bytes take at so many bytes a millisecond. */
function commit(time: CommitTime, bytes: number, bytesPerMs: number, times = 1, fixedMs = 0): void {
  for (let done = 0; done < times; done++) {
    const ms = fixedMs + bytes / bytesPerMs;
    nowMs += ms;
    time.add(ms, bytes, nowMs);
  }
}

describe("the bound of a queue by time", () => {
  test("is none where nothing is known of the disk, nor where only small commits were seen", () => {
    assert.equal(bound.isWriteLong(8 * MIB, nowMs, 8 * MIB), false);
    commit(bound.writes, 300, 3_000, 100);
    assert.equal(bound.isWriteLong(8 * MIB, nowMs, 8 * MIB), false);
  });

  test("is never met by an idle lane, nor by a queue too small to judge", () => {
    commit(bound.writes, MIB, 10, 10);
    assert.equal(bound.isWriteLong(0, nowMs, 0), false);
    assert.equal(bound.isWriteLong(0, nowMs, LARGE_BYTES_MIN - 1), false);
  });

  test("lets a slow disk queue what it writes in that time, and no more", () => {
    commit(bound.writes, 200_000, SLOW, 5);
    const half = (SLOW * QUEUE_MS_MAX) / 2;
    assert.equal(bound.isWriteLong(0, nowMs, half * 0.99), false);
    assert.equal(bound.isWriteLong(0, nowMs, half * 1.01), true, "what is let in later shares the commit");
    assert.equal(bound.isWriteLong(half, nowMs, half * 0.99), false);
  });

  test("counts the write in flight as far as it is not done", () => {
    commit(bound.writes, 200_000, SLOW, 5);
    const flying = SLOW * 160;
    assert.equal(bound.isWriteLong(flying, nowMs, 0), true);
    assert.equal(bound.isWriteLong(flying, nowMs - 61, 0), false);
    assert.equal(bound.isWriteLong(flying, nowMs - 61, SLOW * 10), true);
    assert.equal(
      bound.isWriteLong(flying, nowMs - 1_000, SLOW * 10),
      false,
      "a write that is late owes nothing more",
    );
  });

  test("is not met by a disk that fills both buffers in less", () => {
    commit(bound.writes, 2 * MIB, 400_000, 5);
    assert.equal(bound.isWriteLong(8 * MIB, nowMs, 8 * MIB), false);
  });

  test("outlives one hiccup of a fast disk, among large commits and among small ones", () => {
    commit(bound.writes, MIB, 400_000, 300);
    commit(bound.writes, MIB, MIB / 300);
    assert.equal(bound.isWriteLong(MIB, nowMs, MIB), false);
    nowMs += 10_000;
    commit(bound.writes, 3_000, 30_000, 20);
    commit(bound.writes, 3_000, 10);
    assert.equal(bound.isWriteLong(MIB, nowMs, 8 * MIB), false);
  });

  test("goes by the mean of a disk that writes in bursts with pauses", () => {
    // 20 MB/s by the bucket: 2 MB at 64 MB/s, then a pause to the end of each 100 ms.
    for (let burst = 0; burst < 10; burst++) {
      commit(bound.writes, 500_000, 64_000, 3);
      commit(bound.writes, 500_000, 500_000 / 76.6);
    }
    assert.equal(bound.isWriteLong(0, nowMs, 800_000), false);
    assert.equal(bound.isWriteLong(0, nowMs, 1_600_000), true);
  });

  test("is longer for a disk that takes long for the smallest commit", () => {
    const fixedMs = 40;
    commit(bound.writes, 1_000, 100_000, 8, fixedMs);
    commit(bound.writes, 2 * MIB, 100_000, 5, fixedMs);
    assert.equal(bound.isWriteLong(0, nowMs, 8 * MIB), false, "84 ms and 40");
    assert.equal(bound.isWriteLong(0, nowMs, 40 * MIB), true);
  });

  test("is forgotten with the large commits that told it", () => {
    commit(bound.writes, 200_000, SLOW, 5);
    nowMs += 3_000;
    commit(bound.writes, 1_000, SLOW);
    assert.equal(bound.isWriteLong(0, nowMs, 8 * MIB), false);
  });

  test("adds at synced what the sync still has to do", () => {
    commit(bound.writes, 200_000, 400_000, 5);
    commit(bound.syncs, 200_000, SLOW, 5);
    assert.equal(bound.isWriteLong(0, nowMs, MIB), false);
    assert.equal(bound.isSyncLong(0, nowMs, 0, MIB), true);
    assert.equal(bound.isSyncLong(0, nowMs, MIB, 0), true);
    assert.equal(bound.isSyncLong(MIB, nowMs, 0, 0), true);
    assert.equal(bound.isSyncLong(MIB, nowMs - 90, SLOW * 10, SLOW * 10), false);
    assert.equal(bound.isSyncLong(0, nowMs, 0, 0), false);
  });
});

describe("under more than its disk can write", () => {
  for (const [disk, fixedMs, bytesPerMs, share, waitMs] of [
    ["a slow disk", 0.2, 10_000, 0.95, 125],
    ["a faster one", 0.2, 40_000, 0.95, 110],
    ["one that takes 20 ms for the smallest write", 20, 40_000, 0.85, 450],
  ] as const) {
    test(`ten times, a lane on ${disk} writes as much as that can, and nobody waits longer than the bound`, () => {
      const { written, waitsMs } = overload(fixedMs, bytesPerMs, 10);
      assert.ok(written > share, `${written} of what the disk can write`);
      assert.ok(waitsMs.at(-1)! < waitMs, `${waitsMs.at(-1)} ms`);
    });
  }

  test("or half of it: then it refuses nobody", () => {
    assert.equal(overload(0.2, 40_000, 0.5).refused, 0);
  });

  test("or half of it, when the disk begins to take 20 ms for each write: then it soon refuses nobody again", () => {
    overload(0.2, 40_000, 0.5);
    const { refused, waitsMs } = overload(20, 40_000, 0.5);
    assert.ok(refused < waitsMs.length / 20, `${refused} beside ${waitsMs.length}`);
    assert.equal(overload(20, 40_000, 0.5).refused, 0);
  });
});

/** Ten seconds of batches of 110 kB on a made-up disk, the first two of them not counted; times are the disk's, not ours. */
function overload(
  fixedMs: number,
  bytesPerMs: number,
  times: number,
): { written: number; waitsMs: number[]; refused: number } {
  const bytes = 110_000;
  const gapMs = bytes / bytesPerMs / times;
  const [seconds, warm] = [10, 2];
  const endMs = nowMs + seconds * 1_000;
  const warmMs = nowMs + warm * 1_000;
  const waitsMs: number[] = [];
  let [filling, flying]: number[][] = [[], []];
  let [startMs, doneMs, arrivesMs, refused] = [0, Number.POSITIVE_INFINITY, nowMs, 0];
  while (nowMs < endMs) {
    if (arrivesMs < doneMs) {
      nowMs = arrivesMs;
      arrivesMs += gapMs;
      const isFull = (filling!.length + 1) * bytes > 8 * MIB;
      if (isFull || bound.isWriteLong(flying!.length * bytes, startMs, filling!.length * bytes)) refused++;
      else filling!.push(nowMs);
    } else {
      nowMs = doneMs;
      bound.writes.add(nowMs - startMs, flying!.length * bytes, nowMs);
      if (startMs > warmMs) for (const since of flying!) waitsMs.push(nowMs - since);
      flying = [];
      doneMs = Number.POSITIVE_INFINITY;
    }
    if (flying!.length > 0 || filling!.length === 0) continue;
    [flying, filling, startMs] = [filling, [], nowMs];
    doneMs = nowMs + fixedMs + (flying!.length * bytes) / bytesPerMs;
  }
  const written = (waitsMs.length * bytes) / bytesPerMs / (endMs - warmMs);
  return { written, waitsMs: waitsMs.sort((a, b) => a - b), refused };
}

describe("what a disk has shown", () => {
  test("is the drain rate of all commits, smoothed, and nothing of one that took no time", () => {
    const time = new CommitTime();
    assert.equal(time.drainBytesPerS, 0);
    time.add(0, 100, nowMs);
    assert.equal(time.drainBytesPerS, 0);
    time.add(10, 1_000, nowMs);
    assert.equal(time.drainBytesPerS, 100_000);
    time.add(10, 2_000, nowMs);
    assert.equal(Math.round(time.drainBytesPerS), 110_000);
  });
});

describe("a lane", () => {
  let bed: LaneBed;
  let isOpen: boolean;
  beforeEach(() => {
    bed = new LaneBed();
    isOpen = true;
  });
  afterEach(finish);

  /** A lane whose write, or sync, of 200 kB is in flight and whose disk has shown 1 MB/s. */
  async function openSlow(level: number): Promise<void> {
    bed.open({ bufferBytes: MIB, directBytesMin: Number.POSITIVE_INFINITY });
    for (const name of ["first", "second"]) {
      bed.files[level === ACK_SYNCED ? "holdSyncs" : "holdWrites"] = true;
      assert.equal(
        bed.append(bed.line(200_000), level, name),
        STORED,
        "an idle lane takes it, however slow its disk",
      );
      const held = level === ACK_SYNCED ? bed.files.heldSyncs : bed.files.heldWrites;
      await until(() => held.length === 1, `the disk has ${name}`);
      if (name === "second") break;
      bed.nowMs += 200;
      bed.files.holdSyncs = false;
      bed.files.holdWrites = false;
      bed.files.releaseSyncs();
      bed.files.releaseWrites();
      await until(() => bed.settled.length === 1, "the first is settled");
    }
  }

  async function finish(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    bed.files.holdSyncs = false;
    bed.files.holdWrites = false;
    bed.files.releaseSyncs();
    bed.files.releaseWrites();
    await bed.close();
    bed.remove();
  }

  for (const [word, level] of [
    ["written", ACK_WRITTEN],
    ["synced", ACK_SYNCED],
  ] as const) {
    test(`at ${word} refuses what would wait too long, and takes it again as the wait gets shorter`, async () => {
      await openSlow(level);
      assert.equal(bed.append(bed.line(), level, "early"), REFUSAL.queue);
      bed.nowMs += 120;
      assert.equal(bed.append(bed.line(), level, "late"), STORED, "80 ms are left of the 200");
      await finish();
      assert.equal(bed.refusalOf("second"), STORED);
      assert.equal(bed.refusalOf("late"), STORED);
      assert.equal(bed.refusalOf("early"), undefined);
    });
  }

  test("does not let one at written wait for the syncs of others", async () => {
    await openSlow(ACK_SYNCED);
    assert.equal(bed.append(bed.line(), ACK_WRITTEN, "written"), STORED);
    await until(() => bed.refusalOf("written") === STORED, "it is written while the sync is held");
    await finish();
  });
});
