// What the model of a file system that can lose power has found in the log, each made again step by step.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ACK_SYNCED, ACK_WRITTEN } from "./files.ts";
import { Lane } from "./lane.ts";
import { ModelFiles } from "./model-files.ts";
import { ModelTime } from "./model-time.ts";
import { recoverLane } from "./recovery.ts";
import { STORED } from "./waiter-group.ts";

const LANE = "/data/lane-0";
const SEGMENT = "0000000000000000.jsonl";
const NOTHING_EARLY = () => 0;

let time: ModelTime;
let files: ModelFiles;
let settled: [waiter: string, refusal: number][];
let lane: Lane<string>;
beforeEach(() => {
  time = new ModelTime();
  files = new ModelFiles(time, () => 0.999);
  files.mkdir("/data");
  files.fsyncDirectory("/");
  settled = [];
  lane = new Lane<string>({
    directory: LANE,
    files,
    clock: time,
    timers: time,
    schedule: time.schedule,
    handler: {
      settled: (waiters, _tags, _levels, count, refusal) => {
        for (let at = 0; at < count; at++) settled.push([waiters[at]!, refusal]);
      },
    },
    bufferBytes: 4096,
    segmentBytesMax: 1 << 20,
    segmentAgeMsMax: 3_600_000,
    syncIntervalMs: 100,
    onEvent: () => {},
  });
  lane.open();
});

const line = (name: string) => `{"ts":1000,"name":"${name}"}\n`;
const segmentOf = (model: ModelFiles) => model.contents(LANE).get(SEGMENT)?.toString() ?? "not there";
const recover = (model: ModelFiles) => recoverLane(model, LANE, () => {});

function append(name: string, level: number): void {
  const bytes = Buffer.from(line(name));
  assert.equal(lane.tryReserve(bytes.length), STORED);
  lane.buffer.set(bytes, lane.position);
  lane.append(lane.position + bytes.length, 1, 1000, 1000, level, name);
}

test("a batch is refused for its write when the cut is on the disk, so that no power cut brings it back", () => {
  append("a", ACK_SYNCED);
  time.pass(50);
  files.onWrite = () => ({ code: "ENOSPC" });
  files.durationMs = (call) => (call === "fdatasync" ? 20 : 0.05);
  append("refused", ACK_WRITTEN);
  time.pass(10);
  assert.equal(segmentOf(files), line("a"));
  assert.deepEqual(settled, [["a", STORED]], "the cut is not yet synced");
  let cutSynced = false;
  files.onSync = () => {
    cutSynced = true;
    return null;
  };
  time.pass(50);
  assert.equal(settled.length, 2);
  assert.equal(cutSynced, true);
});

test("a write that failed and left nothing is refused without a sync", () => {
  append("a", ACK_SYNCED);
  time.pass(50);
  files.onWrite = () => ({ bytes: 0, code: "ENOSPC" });
  files.onSync = () => assert.fail("there is nothing to sync");
  append("refused", ACK_WRITTEN);
  time.pass(50);
  assert.equal(settled.length, 2);
});

test("the first commit of a segment that is cut off again is off the disk before the segment is removed", () => {
  const syncs: string[] = [];
  files.onWrite = () => ({ code: "EIO" });
  files.onSync = (path) => {
    syncs.push(path);
    return null;
  };
  append("refused", ACK_WRITTEN);
  time.pass(50);
  assert.deepEqual(syncs, [LANE, `${LANE}/${SEGMENT}`]);
  assert.equal(settled.length, 1);
  assert.equal(segmentOf(files), "not there");
});

test("where even the sync of a cut fails, the batch is refused and the segment is synced no more", () => {
  append("a", ACK_SYNCED);
  time.pass(50);
  files.onWrite = () => ({ code: "ENOSPC" });
  let syncs = 0;
  files.onSync = () => {
    syncs++;
    return "EIO";
  };
  append("refused", ACK_WRITTEN);
  time.pass(500);
  assert.equal(settled.length, 2);
  assert.equal(syncs, 1);
});

test("lines whose sync had failed are on the disk after the next start, whatever the kernel says of them", () => {
  append("a", ACK_SYNCED);
  time.pass(50);
  files.onSync = () => "EIO";
  append("b", ACK_WRITTEN);
  time.pass(200);
  const next = files.afterKill(NOTHING_EARLY);
  recover(next);
  assert.equal(segmentOf(next.afterPowerCut(NOTHING_EARLY)), line("a") + line("b"));
});

test("the index of a segment whose sync has failed is taken away", () => {
  append("a", ACK_SYNCED);
  time.pass(50);
  files.onSync = () => "EIO";
  append("b", ACK_WRITTEN);
  time.pass(200);
  assert.deepEqual([...files.contents(LANE).keys()], [SEGMENT]);
});

test("quarantine that a killed recovery has made is synced by the next before it cuts", () => {
  const torn = (model: ModelFiles) => {
    const fd = model.openReadWrite(`${LANE}/${SEGMENT}`);
    model.writeAll(fd, Buffer.from('{"ts":'), 0, 6, line("a").length);
    model.sync(fd);
    model.close(fd);
  };
  append("a", ACK_SYNCED);
  time.pass(50);
  const first = files.afterKill(NOTHING_EARLY);
  torn(first);
  const killedAt: ModelFiles[] = [];
  first.onStep = () => killedAt.push(first.afterKill(NOTHING_EARLY));
  recover(first);
  assert.ok(killedAt.length > 10);
  for (const killed of killedAt) {
    const cutAt: ModelFiles[] = [];
    killed.onStep = () => cutAt.push(killed.afterPowerCut(NOTHING_EARLY));
    recover(killed);
    for (const cut of cutAt) {
      const isCut = cut.contents(LANE).get(SEGMENT)!.length === line("a").length;
      assert.equal(
        isCut && cut.contents(`${LANE}/quarantine`).size === 0,
        false,
        "cut, and not in quarantine",
      );
    }
  }
});

test("what a cut leaves that is not stored keeps its numbers, so that no other segment's overlap them", () => {
  files.onWrite = () => ({ code: "EIO" });
  files.onSync = () => "EIO";
  const lines = [line("x"), line("y"), line("z")].join("");
  lane.buffer.set(Buffer.from(lines), lane.position);
  lane.append(lane.position + lines.length, 3, 1000, 1000, ACK_WRITTEN, "refused");
  time.pass(300);
  files.onWrite = () => null;
  files.onSync = () => null;
  append("a", ACK_SYNCED);
  time.pass(50);
  assert.deepEqual(settled.at(-1), ["a", STORED]);
  assert.equal(files.contents(LANE).get("0000000000000003.jsonl")?.toString(), line("a"));
});

test("a sync that began before a cut does not count for it", () => {
  files.durationMs = (call) => (call === "fdatasync" ? 20 : 0.05);
  append("a", ACK_SYNCED);
  time.pass(5);
  files.onWrite = () => ({ code: "ENOSPC" });
  append("refused", ACK_WRITTEN);
  time.pass(23);
  assert.deepEqual(settled, [["a", STORED]], "the first sync has returned");
  time.pass(20);
  assert.equal(settled.length, 2);
});
