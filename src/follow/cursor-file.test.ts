// Durable cursors: read back as they were stored, whole or not at all, and what retention takes from them.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { FaultyFiles, fileError } from "../log/faulty-files.ts";
import { realFiles } from "../log/files.ts";
import { CursorFile, FOLLOWERS_FOLDER, neededFrom } from "./cursor-file.ts";
import { LaneCursor } from "./lane-cursor.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-cursors-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function newData(): string {
  const data = join(root, `${folders++}`);
  realFiles.mkdir(data);
  return data;
}

const pathOf = (data: string, name = "store"): string => join(data, FOLLOWERS_FOLDER, `${name}.json`);
const shapeOf = ({ lanes }: CursorFile) =>
  [...lanes].map(([lane, { fresh, late, checked }]) => ({ lane, fresh, late: [...late], checked }));

/** A cursor that steps have made, so that its ranges are as they can be. */
const cursorShape = fc
  .array(fc.record({ done: fc.nat(1_000), left: fc.integer({ min: 1, max: 1_000 }) }), { maxLength: 6 })
  .map((steps) => {
    const cursor = new LaneCursor(2 ** 40);
    for (const { done, left } of steps) {
      cursor.fresh += done;
      cursor.tryJump(cursor.fresh + left);
    }
    cursor.checked = Math.floor(cursor.needed / 2) * (steps.length % 2);
    return cursor;
  });

describe("a file of cursors", () => {
  test("gives back what was stored, and its origin", () => {
    fc.assert(
      fc.property(fc.array(cursorShape, { maxLength: 5 }), (cursors) => {
        const data = newData();
        const file = new CursorFile(realFiles, data, "store");
        for (const [lane, cursor] of cursors.entries()) file.lanes.set(`lane-${lane}`, cursor);
        file.save();
        const again = new CursorFile(realFiles, data, "store");
        assert.deepEqual(shapeOf(again), shapeOf(file));
        assert.equal(again.origin, file.origin);
      }),
      { numRuns: 25 },
    );
  });

  test("is there from the start on, so that retention knows of the follower", () => {
    const data = newData();
    new CursorFile(realFiles, data, "store");
    assert.equal(neededFrom(data, "lane-0"), 0);
    assert.equal(statSync(pathOf(data)).mode & 0o077, 0);
    assert.equal(statSync(join(data, FOLLOWERS_FOLDER)).mode & 0o077, 0);
  });

  test("two folders have different origins, and one that is renewed has a new one for good", () => {
    const [one, other] = [newData(), newData()].map((data) => new CursorFile(realFiles, data, "store"));
    assert.notEqual(one!.origin, other!.origin);
    assert.match(one!.origin, /^[0-9a-f]{16}$/);
    const data = newData();
    const file = new CursorFile(realFiles, data, "store");
    const before = file.origin;
    file.cursorOf("lane-0").fresh = 20;
    file.renew();
    assert.notEqual(file.origin, before);
    assert.equal(file.cursorOf("lane-0").checked, 20, "what went out under the old one is not looked for");
    assert.equal(new CursorFile(realFiles, data, "store").origin, file.origin);
  });

  test("what went to another place is not looked for in the next one", () => {
    const data = newData();
    let file = new CursorFile(realFiles, data, "store");
    file.cursorOf("lane-0").fresh = 20;
    file.sendTo("lines/16");
    assert.equal(file.cursorOf("lane-0").checked, 20);
    file.cursorOf("lane-0").fresh = 30;
    file.save();
    file = new CursorFile(realFiles, data, "store");
    file.sendTo("lines/16");
    assert.equal(file.cursorOf("lane-0").checked, 20);
    file.sendTo("lines/8");
    assert.equal(new CursorFile(realFiles, data, "store").cursorOf("lane-0").checked, 30);
  });

  test("keeps as late what is about to be done again", () => {
    const data = newData();
    const file = new CursorFile(realFiles, data, "store");
    file.cursorOf("lane-0").fresh = 20;
    file.cursorOf("lane-0").again([{ from: 5, to: 7 }]);
    file.save();
    assert.deepEqual(new CursorFile(realFiles, data, "store").cursorOf("lane-0").late, [{ from: 5, to: 7 }]);
    assert.equal(neededFrom(data, "lane-0"), 5);
  });

  test("a store that breaks off anywhere leaves the cursors as they were, and the next one goes through", () => {
    for (const step of ["create", "write", "sync", "rename"]) {
      const data = newData();
      const files = new FaultyFiles();
      const file = new CursorFile(files, data, "store");
      file.cursorOf("lane-0").fresh = 10;
      file.save();
      file.cursorOf("lane-0").fresh = 20;
      files.onStep = (call) => {
        if (call === step) throw fileError("EIO");
      };
      assert.throws(() => file.save(), { code: "EIO" });
      assert.equal(new CursorFile(realFiles, data, "store").cursorOf("lane-0").fresh, 10, step);
      files.onStep = () => {};
      file.save();
      assert.equal(new CursorFile(realFiles, data, "store").cursorOf("lane-0").fresh, 20, step);
    }
  });

  test("half a temporary file of a crash is not read, and is replaced", () => {
    const data = newData();
    const file = new CursorFile(realFiles, data, "store");
    file.cursorOf("lane-0").fresh = 10;
    file.save();
    writeFileSync(`${pathOf(data)}.tmp`, `${" ".repeat(5_000)}{"version":1,"ori`);
    assert.equal(new CursorFile(realFiles, data, "store").cursorOf("lane-0").fresh, 10);
    assert.equal(neededFrom(data, "lane-0"), 10);
    file.cursorOf("lane-0").fresh = 11;
    file.save();
    assert.equal(new CursorFile(realFiles, data, "store").cursorOf("lane-0").fresh, 11);
    assert.deepEqual(readdirSync(join(data, FOLLOWERS_FOLDER)), ["store.json"]);
  });

  const good = { version: 1, origin: "00000000000000aa", lanes: { "lane-0": { fresh: 9, late: [[1, 2]] } } };
  const bad: Record<string, string> = {
    "nothing at all": "",
    "half of it": JSON.stringify(good).slice(0, 40),
    "no JSON": "cursors",
    "another version": JSON.stringify({ ...good, version: 2 }),
    "no origin": JSON.stringify({ ...good, origin: "x" }),
    "a check that is no number": JSON.stringify({
      ...good,
      lanes: { "lane-0": { fresh: 9, late: [], checked: "4" } },
    }),
    "a place that is no text": JSON.stringify({ ...good, destination: 7 }),
    "no lanes": JSON.stringify({ ...good, lanes: null }),
    "a cursor that is no number": JSON.stringify({ ...good, lanes: { "lane-0": { fresh: "9", late: [] } } }),
    "a cursor below zero": JSON.stringify({ ...good, lanes: { "lane-0": { fresh: -9, late: [] } } }),
    "a range of one end": JSON.stringify({ ...good, lanes: { "lane-0": { fresh: 9, late: [[1]] } } }),
    "a range that is empty": JSON.stringify({ ...good, lanes: { "lane-0": { fresh: 9, late: [[3, 3]] } } }),
    "ranges out of order": JSON.stringify({
      ...good,
      lanes: {
        "lane-0": {
          fresh: 9,
          late: [
            [5, 6],
            [1, 2],
          ],
        },
      },
    }),
    "a range behind the cursor's end": JSON.stringify({
      ...good,
      lanes: { "lane-0": { fresh: 9, late: [[8, 12]] } },
    }),
  };
  for (const [what, text] of Object.entries(bad)) {
    test(`${what} is refused by the file's path and what to do, and keeps the whole log`, () => {
      const data = newData();
      realFiles.mkdir(join(data, FOLLOWERS_FOLDER));
      writeFileSync(pathOf(data), text);
      assert.throws(() => new CursorFile(realFiles, data, "store"), {
        message: `cannot use ${pathOf(data)} because it holds no cursors; delete it to follow the log from its beginning again`,
      });
      assert.equal(readFileSync(pathOf(data), "utf8"), text, "it is left as it is");
      assert.equal(neededFrom(data, "lane-0"), 0);
    });
  }
});

describe("what followers need of a lane", () => {
  test("is nothing where nobody follows", () => {
    assert.equal(neededFrom(newData(), "lane-0"), Number.POSITIVE_INFINITY);
  });

  test("is the oldest line that one of several has not done, of that lane", () => {
    const data = newData();
    const write = (name: string, fresh: number, late: [number, number][]) => {
      const file = new CursorFile(realFiles, data, name);
      const ranges = late.map(([from, to]) => ({ from, to }));
      file.lanes.set("lane-0", new LaneCursor(fresh, ranges));
      file.lanes.set("lane-1", new LaneCursor(1_000));
      file.save();
    };
    write("store", 500, []);
    assert.equal(neededFrom(data, "lane-0"), 500);
    write("replicate", 900, [
      [300, 400],
      [600, 700],
    ]);
    assert.equal(neededFrom(data, "lane-0"), 300);
    assert.equal(neededFrom(data, "lane-1"), 1_000);
    assert.equal(neededFrom(data, "lane-2"), 0, "a lane that they have not begun is needed whole");
    rmSync(pathOf(data, "replicate"));
    assert.equal(neededFrom(data, "lane-0"), 500, "a follower is given up by deleting its file");
  });

  test("is everything where its folder or file cannot be read", {
    skip: process.getuid?.() === 0 && "root reads everything",
  }, () => {
    const data = newData();
    const file = new CursorFile(realFiles, data, "store");
    file.cursorOf("lane-0").fresh = 500;
    file.save();
    chmodSync(pathOf(data), 0);
    assert.equal(neededFrom(data, "lane-0"), 0);
    chmodSync(pathOf(data), 0o600);
    chmodSync(join(data, FOLLOWERS_FOLDER), 0);
    assert.equal(neededFrom(data, "lane-0"), 0);
    chmodSync(join(data, FOLLOWERS_FOLDER), 0o700);
  });

  test("is everything where there is no folder but something else in its place", () => {
    const data = newData();
    writeFileSync(join(data, FOLLOWERS_FOLDER), "");
    assert.equal(neededFrom(data, "lane-0"), 0);
  });
});
