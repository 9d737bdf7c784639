import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { fileError } from "./faulty-files.ts";
import { ModelFiles } from "./model-files.ts";
import { ModelTime } from "./model-time.ts";

/** What chance decides in a power cut: that nothing was stored early, or all of it. */
const NOTHING_EARLY = () => 0;
const never = () => 0.999;

let time: ModelTime;
let files: ModelFiles;
beforeEach(() => {
  time = new ModelTime();
  files = new ModelFiles(time, never);
  files.mkdir("/d");
  files.fsyncDirectory("/");
});

const path = "/d/file";
const bytes = (text: string) => Buffer.from(text);
const put = (fd: number, text: string, at = 0) => files.writeAll(fd, bytes(text), 0, text.length, at);
const textOf = (model: ModelFiles) => model.contents("/d").get("file")?.toString("latin1") ?? "not there";
/** A random number generator that gives these in turn, and then the last for ever. */
const given =
  (...numbers: number[]) =>
  () =>
    numbers.length > 1 ? numbers.shift()! : numbers[0]!;

/** A file with this in it, all of it on the disk. */
function durable(text: string): number {
  const fd = files.create(path);
  put(fd, text);
  files.sync(fd);
  files.fsyncDirectory("/d");
  return fd;
}

describe("what the power takes", () => {
  test("a file whose directory was not synced has no name", () => {
    const fd = files.create(path);
    put(fd, "abc");
    files.sync(fd);
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "not there");
    files.fsyncDirectory("/d");
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abc");
  });

  test("what was written behind the last sync, and not what a sync has covered", () => {
    const fd = durable("abc");
    put(fd, "def", 3);
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abc");
    let answered = false;
    files.fdatasync(fd, () => {
      answered = true;
    });
    put(fd, "ghi", 6);
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abc", "the sync has not returned");
    time.pass(10);
    assert.equal(answered, true);
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abcdef", "the last came after it began");
  });

  test("a cut, a new name and a removal that were not synced", () => {
    const fd = durable("abc");
    files.ftruncate(fd, 1);
    files.rename(path, "/d/other");
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abc");
    files.fsyncDirectory("/d");
    assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "not there");
    files.unlink("/d/other");
    assert.deepEqual([...files.afterPowerCut(NOTHING_EARLY).contents("/d").keys()], ["other"]);
  });

  test("a size may be stored without its bytes, which read as zeros, and bytes without their size", () => {
    const fd = durable("abc");
    put(fd, "def", 3);
    // for each directory; then the share of the pages; then whether the size is stored, and which
    assert.equal(textOf(files.afterPowerCut(given(0, 0, 0, 0.1, 0.9))), "abc\0\0\0");
    assert.equal(textOf(files.afterPowerCut(given(0, 0, 0.9, 0.1, 0.9))), "abc");
  });
});

test("bytes that were stored before their size go with a cut, and do not come back under another size", () => {
  const fd = durable("");
  put(fd, "abc");
  files.writeBack();
  files.ftruncate(fd, 0);
  files.sync(fd);
  put(fd, "defghi");
  assert.equal(textOf(files.afterPowerCut(given(0, 0, 0, 0.1, 0.9))), "\0".repeat(6));
});

test("what a process leaves that dies is all that it wrote, and of what is in flight a part", () => {
  const fd = durable("abc");
  put(fd, "def", 3);
  files.write(fd, bytes("ghi"), 0, 3, 6, () => assert.fail("it is dead"));
  assert.equal(textOf(files.afterKill(given(0.1))), "abcdef");
  assert.equal(textOf(files.afterKill(given(0.5))), "abcdefg");
  assert.equal(textOf(files.afterKill(given(0.5, 0.1))), "abcdefghi");
});

test("after a failed sync a later one says fine and has not stored what the failed one was to", () => {
  const fd = durable("");
  put(fd, "abc");
  const told: (string | undefined)[] = [];
  let faults = 1;
  files.onSync = () => (faults-- > 0 ? "EIO" : null);
  files.fdatasync(fd, (error) => told.push(error?.code));
  time.pass(10);
  files.fdatasync(fd, (error) => told.push(error?.code));
  time.pass(10);
  assert.deepEqual(told, ["EIO", undefined]);
  assert.equal(textOf(files), "abc", "it can be read");
  assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "\0\0\0");
  put(fd, "abc");
  files.sync(fd);
  assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "abc", "written again it is stored");
});

test("a write ends when it is told to, short or with the error that it is given", () => {
  const fd = durable("");
  const ends: [string | undefined, number][] = [];
  const write = () =>
    files.write(fd, bytes("abc"), 0, 3, 0, (error, count) => ends.push([error?.code, count]));
  files.durationMs = () => 5;
  files.onWrite = () => ({ bytes: 2 });
  write();
  time.pass(4);
  assert.deepEqual([ends, textOf(files)], [[], ""]);
  time.pass(1);
  files.onWrite = () => ({ bytes: 1, code: "ENOSPC" });
  write();
  time.pass(5);
  assert.deepEqual(ends, [
    [undefined, 2],
    ["ENOSPC", 0],
  ]);
});

test("past the page cache only whole aligned pages go", () => {
  durable("");
  const fd = files.openDirect(path);
  const page = new Uint8Array(3 * 4096).fill(97);
  assert.throws(() => files.writeAll(fd, page, 0, 4096, 0), fileError("EINVAL"));
  assert.throws(() => files.writeAll(fd, page, 4080, 100, 0), fileError("EINVAL"));
  files.writeAll(fd, page, 4080, 4096, 0);
  assert.equal(textOf(files).length, 4096);
  assert.equal(textOf(files.afterPowerCut(NOTHING_EARLY)), "", "it is no more durable for that");
});

test("a file closed under a call, and a descriptor used after that, are told of", () => {
  const fd = durable("");
  files.write(fd, bytes("abc"), 0, 3, 0, () => {});
  files.close(fd);
  assert.throws(() => files.sync(fd), fileError("EBADF"));
  assert.equal(files.violations.length, 2);
});

test("a name that is there is not made again, and one that is not is not found", () => {
  files.close(durable("abc"));
  assert.throws(() => files.create(path), fileError("EEXIST"));
  assert.throws(() => files.openRead("/d/none"), fileError("ENOENT"));
  assert.equal(files.stat("/d/none"), null);
  assert.deepEqual(files.readdir("/d"), ["file"]);
});

test("time passes from event to event, and what is cancelled does not come", () => {
  const order: string[] = [];
  time.start(() => order.push(`second at ${time.monotonicMs()}`), 20);
  time.start(() => order.push(`first at ${time.monotonicMs()}`), 10);
  time.cancel(time.start(() => order.push("cancelled"), 15));
  const startMs = time.monotonicMs();
  time.pass(100);
  assert.deepEqual(order, [`first at ${startMs + 10}`, `second at ${startMs + 20}`]);
  assert.equal(time.monotonicMs(), startMs + 100);
});
