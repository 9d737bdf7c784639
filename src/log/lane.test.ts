import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { REFUSAL } from "../errors.ts";
import { LANE_SEALING_MAX } from "../limits.ts";
import { ACK_ACCEPTED, ACK_SYNCED, ACK_WRITTEN } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { segmentPath } from "./segment-name.ts";
import { STORED } from "./waiter-group.ts";

let bed: LaneBed;
beforeEach(() => {
  bed = new LaneBed();
});
afterEach(() => {
  bed.remove();
});

const kinds = () => bed.events.map((event) => event.kind);

describe("group commit", () => {
  test("requests of one turn share one write and one answer, in their order", async () => {
    bed.open();
    const lines = [bed.line() + bed.line(), bed.line(), bed.line()];
    for (const [at, text] of lines.entries()) assert.equal(bed.append(text, ACK_WRITTEN, `w${at}`), STORED);
    await until(() => bed.settled.length === 3, "all three are settled");
    assert.deepEqual(bed.calls, [3]);
    assert.deepEqual(
      bed.settled.map((settlement) => [settlement.waiter, settlement.tag, settlement.refusal]),
      [
        ["w0", 2, STORED],
        ["w1", 1, STORED],
        ["w2", 1, STORED],
      ],
    );
    assert.equal(bed.lane.commits, 1);
    await bed.close();
    assert.equal(bed.allText(), lines.join(""));
  });

  test("with a write for each batch they are answered together still, after as many writes as batches", async () => {
    bed.open({ writesEach: true });
    let writes = 0;
    const write = bed.files.write.bind(bed.files);
    bed.files.write = (...call) => {
      writes++;
      write(...call);
    };
    const lines = [bed.line() + bed.line(), bed.line(), bed.line()];
    for (const [at, text] of lines.entries()) assert.equal(bed.append(text, ACK_WRITTEN, `w${at}`), STORED);
    await until(() => bed.settled.length === 3, "all three are settled");
    assert.equal(writes, 3);
    assert.deepEqual(bed.calls, [3]);
    bed.append(bed.line(), ACK_WRITTEN, "w3");
    await until(() => bed.settled.length === 4, "the next commit is settled");
    assert.equal(writes, 4);
    await bed.close();
    assert.ok(bed.allText().startsWith(lines.join("")));
  });

  test("nothing is on the disk before the first commit", () => {
    bed.open();
    assert.deepEqual(bed.segments(), []);
  });

  test("while one write is in flight the next buffer fills, and both full means queue", async () => {
    bed.open();
    bed.files.holdWrites = true;
    bed.append(bed.line(4000), ACK_WRITTEN, "first");
    await until(() => bed.files.heldWrites.length === 1, "the first write is in flight");
    assert.equal(bed.append(bed.line(4000), ACK_WRITTEN, "second"), STORED);
    assert.equal(bed.append(bed.line(200), ACK_WRITTEN, "third"), REFUSAL.queue);
    assert.ok(bed.lane.bytesFilling >= 4000 && bed.lane.bytesInFlight >= 4000);
    bed.files.holdWrites = false;
    bed.files.releaseWrites();
    await until(() => bed.settled.length === 2, "both are settled");
    assert.equal(bed.append(bed.line(200), ACK_WRITTEN, "fourth"), STORED);
    await bed.close();
    assert.deepEqual(bed.calls, [1, 1, 1]);
  });

  test("a full buffer is committed at once where nothing is in flight", async () => {
    bed.open();
    const first = bed.line(4000);
    const second = bed.line(4000);
    assert.equal(bed.append(first, ACK_WRITTEN, "first"), STORED);
    assert.equal(bed.append(second, ACK_WRITTEN, "second"), STORED);
    await bed.close();
    assert.equal(bed.allText(), first + second);
  });

  test("a reservation larger than a buffer is refused", () => {
    bed.open();
    assert.equal(bed.lane.tryReserve(4097), REFUSAL.queue);
  });

  test("a handler may append from inside settled", async () => {
    bed.open();
    let left = 5;
    bed.onSettled = () => {
      if (left-- > 0) bed.append(bed.line(4000), ACK_WRITTEN, `nested${left}`);
    };
    bed.append(bed.line(), ACK_WRITTEN, "first");
    await until(() => bed.settled.length === 6, "all are settled");
    assert.ok(bed.settled.every((settlement) => settlement.refusal === STORED));
    await bed.close();
    assert.equal(bed.allText().split("\n").length - 1, 6);
  });

  test("short writes are continued", async () => {
    bed.open();
    bed.files.onWrite = (_position, length) => ({ bytes: Math.min(length, 7) });
    const lines = bed.line(300) + bed.line(100);
    bed.append(lines, ACK_WRITTEN, "w");
    await until(() => bed.settled.length === 1, "it is settled");
    assert.equal(bed.text(), lines);
    await bed.close();
  });
});

describe("levels", () => {
  test("accepted lines have no waiter but are settled, so that they can be counted", async () => {
    bed.open();
    bed.append(bed.line() + bed.line(), ACK_ACCEPTED, "nobody");
    await until(() => bed.settled.length === 1, "they are settled");
    assert.deepEqual(bed.settled, [{ waiter: null, tag: 2, level: ACK_ACCEPTED, refusal: STORED }]);
    await bed.close();
  });

  test("synced waits for the sync, and written does not wait for another's", async () => {
    bed.open();
    bed.files.holdSyncs = true;
    bed.append(bed.line(), ACK_SYNCED, "s1");
    bed.append(bed.line(), ACK_WRITTEN, "w1");
    await until(() => bed.files.heldSyncs.length === 1, "a sync is in flight");
    bed.append(bed.line(), ACK_WRITTEN, "w2");
    bed.append(bed.line(), ACK_SYNCED, "s2");
    await until(() => bed.refusalOf("w2") !== undefined, "w2 is settled under the sync");
    assert.equal(bed.refusalOf("s1"), undefined);
    assert.equal(bed.lane.waiterCount, 2);
    bed.files.releaseSyncs();
    await until(() => bed.refusalOf("s1") !== undefined, "s1 is settled");
    assert.equal(bed.refusalOf("s2"), undefined, "s2 came after the sync had started");
    await until(() => bed.files.heldSyncs.length === 1, "the next sync is in flight");
    bed.files.holdSyncs = false;
    bed.files.releaseSyncs();
    await until(() => bed.refusalOf("s2") !== undefined, "s2 is settled");
    assert.equal(bed.lane.waiterCount, 0);
    await bed.close();
  });

  test("written bytes are synced in the background, once for many", async () => {
    bed.open();
    bed.append(bed.line(), ACK_WRITTEN, "w");
    await until(() => bed.settled.length === 1, "it is written");
    bed.nowMs += 15;
    assert.equal(bed.files.syncCount, 0);
    assert.equal(bed.lane.oldestUnsyncedMs, 15);
    bed.nowMs += 15;
    await until(() => bed.files.syncCount === 1, "the background sync has run");
    await until(() => bed.lane.oldestUnsyncedMs === 0, "nothing is unsynced");
    await bed.close();
  });
});

describe("a full disk", () => {
  test("in the middle of a commit leaves no byte of it, refuses, and is over when there is room", async () => {
    bed.open();
    const good = bed.line();
    bed.append(good, ACK_WRITTEN, "good");
    await until(() => bed.settled.length === 1, "the first is stored");
    let writes = 0;
    bed.files.onWrite = () => (++writes === 1 ? { bytes: 100 } : { bytes: 50, code: "ENOSPC" });
    bed.append(bed.line(500), ACK_WRITTEN, "bad");
    bed.append(bed.line(500), ACK_SYNCED, "bad too");
    await until(() => bed.settled.length === 3, "they are refused");
    assert.equal(bed.refusalOf("bad"), REFUSAL.disk_full);
    assert.equal(bed.refusalOf("bad too"), REFUSAL.disk_full);
    assert.equal(bed.text(), good);

    assert.equal(bed.append(bed.line(), ACK_WRITTEN, "early"), REFUSAL.disk_full);
    bed.nowMs += 250;
    assert.equal(bed.lane.tryReserve(10), STORED);
    assert.equal(bed.append(bed.line(), ACK_WRITTEN, "probe"), STORED, "asking alone makes no probe");
    assert.equal(bed.append(bed.line(), ACK_WRITTEN, "behind"), REFUSAL.disk_full, "one probe only");
    await until(() => bed.settled.length === 4, "the probe failed");
    assert.equal(bed.refusalOf("probe"), REFUSAL.disk_full);

    bed.files.onWrite = () => null;
    bed.nowMs += 250;
    const back = bed.line();
    bed.append(back, ACK_WRITTEN, "back");
    await until(() => bed.settled.length === 5, "the probe worked");
    assert.equal(bed.refusalOf("back"), STORED);
    const after = bed.line();
    assert.equal(bed.append(after, ACK_WRITTEN, "after"), STORED);
    await bed.close();
    assert.equal(bed.segments().length, 1, "the segment went on");
    assert.equal(bed.allText(), good + back + after);
    assert.deepEqual(kinds(), ["write_failed", "outage", "write_failed", "outage_over", "sealed"]);
  });

  test("where the file cannot be cut back the segment ends, and recovery cuts it at its seal", async () => {
    bed.open();
    const good = bed.line();
    bed.append(good, ACK_WRITTEN, "good");
    await until(() => bed.settled.length === 1, "the first is stored");
    const refused = bed.line();
    bed.files.onWrite = () => ({ code: "EDQUOT" });
    bed.files.onStep = (call) => {
      if (call === "truncate") throw new Error("not now");
    };
    bed.append(refused, ACK_WRITTEN, "bad");
    await until(() => bed.settled.length === 2, "it is refused");
    bed.files.onWrite = () => null;
    bed.files.onStep = () => {};
    bed.nowMs += 250;
    const next = bed.line();
    bed.append(next, ACK_WRITTEN, "next");
    await bed.close();
    assert.deepEqual(bed.segments(), [0, 2], "the numbers of the refused lines are not used again");
    assert.equal(bed.text(0), good + refused);
    const report = bed.open();
    assert.equal(bed.allText(), good + next);
    assert.equal(report.bytesCut, refused.length);
    await bed.close();
  });

  test("refuses a synced batch only after those before it have their sync", async () => {
    bed.open();
    bed.files.holdSyncs = true;
    bed.append(bed.line(), ACK_SYNCED, "s1");
    await until(() => bed.files.heldSyncs.length === 1, "s1 is written and its sync is in flight");
    bed.files.onWrite = () => ({ code: "ENOSPC" });
    bed.append(bed.line(), ACK_SYNCED, "s2");
    bed.append(bed.line(), ACK_WRITTEN, "w");
    await until(() => kinds().includes("outage"), "the write of s2 and w has failed");
    assert.equal(bed.settled.length, 0);
    bed.files.holdSyncs = false;
    bed.files.releaseSyncs();
    await until(() => bed.settled.length === 3, "all are settled");
    assert.deepEqual(
      bed.settled.map((settlement) => [settlement.waiter, settlement.refusal]),
      [
        ["s1", STORED],
        ["w", REFUSAL.disk_full],
        ["s2", REFUSAL.disk_full],
      ],
    );
    bed.files.onWrite = () => null;
    await bed.close();
  });

  test("with no room for a segment's file refuses in the same way", async () => {
    bed.open();
    bed.files.onStep = (call, path) => {
      if (call === "create" && path.endsWith(".idx"))
        throw Object.assign(new Error("full"), { code: "ENOSPC" });
    };
    bed.append(bed.line(), ACK_WRITTEN, "bad");
    await until(() => bed.settled.length === 1, "it is refused");
    assert.equal(bed.refusalOf("bad"), REFUSAL.disk_full);
    assert.deepEqual(bed.segments(), []);
    bed.files.onStep = () => {};
    bed.nowMs += 250;
    bed.append(bed.line(), ACK_WRITTEN, "good");
    await bed.close();
    assert.equal(bed.refusalOf("good"), STORED);
  });
});

describe("a failing disk", () => {
  test("a failed write ends the segment, which keeps what was stored, and a new one opens", async () => {
    bed.open();
    const good = bed.line();
    bed.append(good, ACK_WRITTEN, "good");
    await until(() => bed.settled.length === 1, "the first is stored");
    bed.files.onWrite = () => ({ bytes: 10, code: "EIO" });
    bed.append(bed.line(), ACK_WRITTEN, "bad");
    await until(() => bed.settled.length === 2, "it is refused");
    assert.equal(bed.refusalOf("bad"), REFUSAL.disk);
    bed.files.onWrite = () => null;
    const next = bed.line();
    assert.equal(bed.append(next, ACK_WRITTEN, "next"), STORED, "the first probe comes at once");
    assert.equal(bed.append(bed.line(), ACK_WRITTEN, "behind"), REFUSAL.disk);
    await until(() => kinds().includes("outage_over"), "a sync has worked");
    await bed.close();
    assert.deepEqual(bed.segments(), [0, 1]);
    assert.equal(bed.allText(), good + next);
  });

  test("a failed sync refuses who waits for it, and the file is never synced or written again", async () => {
    bed.open();
    bed.append(bed.line(), ACK_WRITTEN, "written before");
    await until(() => bed.settled.length === 1, "the first is written");
    const failing: number[] = [];
    bed.files.onSync = (fd) => {
      failing.push(fd);
      return "EIO";
    };
    bed.files.holdSyncs = true;
    bed.append(bed.line(), ACK_SYNCED, "s1");
    await until(() => bed.files.heldSyncs.length === 1, "the sync is in flight");
    bed.append(bed.line(), ACK_SYNCED, "s2");
    bed.append(bed.line(), ACK_WRITTEN, "w2");
    await until(() => bed.refusalOf("w2") === STORED, "w2 is written under the sync");
    bed.files.holdWrites = true;
    bed.append(bed.line(), ACK_WRITTEN, "w3");
    await until(() => bed.files.heldWrites.length === 1, "w3 is in flight");
    bed.files.releaseSyncs();
    await until(() => bed.refusalOf("s2") !== undefined, "the sync has failed");
    assert.equal(bed.refusalOf("s1"), REFUSAL.disk);
    assert.equal(bed.refusalOf("s2"), REFUSAL.disk);
    assert.equal(bed.refusalOf("w3"), undefined, "its write is still in flight");
    bed.files.holdWrites = false;
    bed.files.releaseWrites();
    await until(() => bed.refusalOf("w3") !== undefined, "w3 is settled");
    assert.equal(bed.refusalOf("w3"), REFUSAL.disk);
    const old = bed.text(0);
    bed.nowMs += 1000;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(bed.files.heldSyncs.length, 0);
    assert.equal(kinds().filter((kind) => kind === "sync_failed").length, 1, "nor does the timer sync it");

    bed.files.holdSyncs = false;
    bed.files.onSync = () => null;
    const next = bed.line();
    assert.equal(bed.append(next, ACK_SYNCED, "next"), STORED);
    await until(() => bed.refusalOf("next") !== undefined, "the next is synced");
    assert.equal(bed.refusalOf("next"), STORED);
    await bed.close();
    assert.equal(failing.length, 1);
    assert.equal(bed.text(0), old);
    assert.deepEqual(bed.segments(), [0, 5]);
    assert.equal(bed.text(5), next);
    assert.equal(bed.lane.segmentCount, 2);
  });

  test("a write that takes no byte is an error, not a loop", async () => {
    bed.open();
    bed.files.onWrite = () => ({ bytes: 0 });
    bed.append(bed.line(), ACK_WRITTEN, "w");
    await until(() => bed.settled.length === 1, "it is refused");
    assert.equal(bed.refusalOf("w"), REFUSAL.disk);
    await bed.close();
  });

  test("a failed sync of the directory refuses as one of the bytes does", async () => {
    bed.open();
    bed.files.onDirectorySync = () => "EIO";
    bed.append(bed.line(), ACK_SYNCED, "s1");
    await until(() => bed.settled.length === 1, "it is refused");
    assert.equal(bed.refusalOf("s1"), REFUSAL.disk);
    assert.equal(bed.files.syncCount, 0);
    let syncs = 0;
    bed.files.onDirectorySync = () => {
      syncs++;
      return null;
    };
    for (const name of ["s2", "s3"]) {
      bed.append(bed.line(), ACK_SYNCED, name);
      await until(() => bed.refusalOf(name) === STORED, "it is synced");
    }
    assert.equal(syncs, 1, "once for a segment");
    await bed.close();
  });

  test("a segment that failed before its first byte is replaced while the one before is still syncing", async () => {
    bed.open({ segmentBytesMax: 300 });
    bed.files.holdSyncs = true;
    bed.append(bed.line(250), ACK_SYNCED, "s1");
    await until(() => bed.files.heldSyncs.length === 1, "its sync is in flight");
    bed.files.onWrite = () => ({ bytes: 0, code: "EIO" });
    bed.append(bed.line(250), ACK_WRITTEN, "bad");
    await until(() => bed.refusalOf("bad") === REFUSAL.disk, "the next segment's first write has failed");
    bed.files.onWrite = () => null;
    const next = bed.line(250);
    bed.append(next, ACK_WRITTEN, "next");
    await until(() => bed.refusalOf("next") !== undefined, "the next is settled");
    assert.equal(bed.refusalOf("next"), STORED);
    bed.files.holdSyncs = false;
    bed.files.releaseSyncs();
    await bed.close();
    assert.equal(bed.text(1), next);
  });

  test("where every sync fails, segments come at the pace of the probes", async () => {
    bed.open();
    bed.files.onSync = () => "EIO";
    for (let at = 0; at < 20; at++) {
      bed.append(bed.line(), ACK_SYNCED, `s${at}`);
      await new Promise((resolve) => setImmediate(resolve));
      await until(() => bed.lane.waiterCount === 0 && bed.lane.bytesInFlight === 0, "nobody waits");
    }
    assert.equal(bed.segments().length, 2);
    assert.ok(bed.settled.every((settlement) => settlement.refusal === REFUSAL.disk));
    bed.files.onSync = () => null;
    await bed.close();
  });
});

describe("segments", () => {
  test("are named for their first sequence and rotate by size", async () => {
    bed.open({ segmentBytesMax: 1000 });
    const lines: string[] = [];
    for (let at = 0; at < 5; at++) {
      lines.push(bed.line(400));
      bed.append(lines[at]!, ACK_WRITTEN, `w${at}`);
      await until(() => bed.settled.length === at + 1, "it is stored");
    }
    await bed.close();
    assert.deepEqual(bed.segments(), [0, 2, 4]);
    assert.equal(bed.text(2), lines[2]! + lines[3]!);
    assert.equal(kinds().filter((kind) => kind === "sealed").length, 3);
    assert.equal(bed.lane.segmentCount, 3);
    assert.equal(bed.lane.logBytes, bed.allText().length);
  });

  test("rotate by age, at the next commit or when asked", async () => {
    bed.open({ segmentAgeMsMax: 1000 });
    bed.append(bed.line(), ACK_WRITTEN, "w0");
    await until(() => bed.settled.length === 1, "it is stored");
    bed.nowMs += 999;
    bed.append(bed.line(), ACK_WRITTEN, "w1");
    await until(() => bed.settled.length === 2, "it is stored");
    bed.nowMs += 1;
    bed.append(bed.line(), ACK_WRITTEN, "w2");
    await until(() => bed.settled.length === 3, "it is stored");
    assert.deepEqual(bed.segments(), [0, 2]);
    bed.nowMs += 1000;
    bed.lane.rotateIfOld();
    await until(() => kinds().filter((kind) => kind === "sealed").length === 2, "both are sealed");
    await bed.close();
  });

  test("take one write for all that waits while a sync runs, if nobody waits for less", async () => {
    bed.open();
    bed.files.holdSyncs = true;
    bed.append(bed.line(), ACK_SYNCED, "s1");
    await until(() => bed.files.heldSyncs.length === 1, "s1 is written and its sync is in flight");
    for (const waiter of ["s2", "s3", "s4"]) {
      bed.append(bed.line(), ACK_SYNCED, waiter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(bed.lane.commits, 1);
    bed.files.holdSyncs = false;
    bed.files.releaseSyncs();
    await until(() => bed.settled.length === 4, "all are synced");
    assert.equal(bed.lane.commits, 2);
    await bed.close();
  });

  test("take commits while the one before is sealed, up to a bound, and synced answers keep their order", async () => {
    bed.open({ segmentBytesMax: 300 });
    bed.files.holdSyncs = true;
    const count = LANE_SEALING_MAX + 2;
    const firstMs = bed.nowMs;
    for (let at = 0; at < count; at++) {
      bed.append(bed.line(120), ACK_ACCEPTED, "hastens the write");
      bed.append(bed.line(130), ACK_SYNCED, `s${at}`);
      if (at < LANE_SEALING_MAX + 1)
        await until(() => bed.lane.commits === at + 1, "it is written while the others are sealed");
      bed.nowMs += 7;
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(bed.segments().length, LANE_SEALING_MAX + 1, "the next one waits");
    const synced = () => bed.settled.filter((settlement) => settlement.waiter !== null);
    assert.equal(synced().length, 0);
    assert.equal(bed.lane.oldestUnsyncedMs, bed.nowMs - firstMs);
    bed.files.holdSyncs = false;
    bed.files.releaseSyncs();
    await until(() => synced().length === count, "all are synced");
    assert.deepEqual(
      synced().map((settlement) => settlement.waiter),
      Array.from({ length: count }, (_, at) => `s${at}`),
    );
    await bed.close();
  });

  test("go on after a restart in a new file at the next sequence", async () => {
    bed.open();
    const first = bed.line() + bed.line();
    bed.append(first, ACK_WRITTEN, "w");
    await bed.close();
    const report = bed.open();
    assert.equal(report.nextSequence, 2);
    assert.equal(report.segmentsChecked, 0, "its seal is enough");
    const second = bed.line();
    bed.append(second, ACK_WRITTEN, "w");
    await bed.close();
    assert.deepEqual(bed.segments(), [0, 2]);
    assert.equal(bed.allText(), first + second);
  });
});

test("a closing lane refuses new batches and stores the ones it has, to the level asked for", async () => {
  bed.open();
  bed.append(bed.line(), ACK_SYNCED, "s");
  bed.append(bed.line(), ACK_WRITTEN, "w");
  const closed = bed.close();
  assert.equal(bed.append(bed.line(), ACK_WRITTEN, "late"), REFUSAL.draining);
  await closed;
  assert.equal(bed.refusalOf("s"), STORED);
  assert.equal(bed.refusalOf("w"), STORED);
});

test("a lane that never stored anything leaves nothing behind", async () => {
  bed.open();
  await bed.close();
  assert.deepEqual(bed.segments(), []);
});

test("a foreign file under the next segment's name costs a refusal, not the lane", async () => {
  bed.open();
  writeFileSync(segmentPath(bed.directory, 0), "");
  bed.append(bed.line(), ACK_WRITTEN, "w0");
  await until(() => bed.settled.length === 1, "it is refused");
  assert.equal(bed.append(bed.line(), ACK_WRITTEN, "w1"), STORED);
  await bed.close();
  assert.equal(bed.refusalOf("w1"), STORED);
});
