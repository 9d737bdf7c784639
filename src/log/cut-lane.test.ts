import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { cutLane } from "./cut-lane.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { ACK_SYNCED, realFiles } from "./files.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { recoverLane } from "./recovery.ts";
import { segmentPath, segmentsAmong } from "./segment-name.ts";

let root: string;
let lane: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-cut-"));
  lane = join(root, "lane-0");
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const line = (at: number) => `{"ts":${1000 + at},"name":"é${at}"}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => line(from + at)).join("");
const cut = (at: number, files = realFiles) => cutLane(files, lane, at, () => {});
const putAside = () => readdirSync(join(lane, "quarantine")).sort();

/** Segments of 10 lines each. */
function lay(count: number): void {
  mkdirSync(lane, { recursive: true });
  for (let segment = 0; segment < count; segment++)
    writeFileSync(segmentPath(lane, 10 * segment), lines(10 * segment, 10 * segment + 10));
}

function text(directory = lane): string {
  const segments = segmentsAmong(readdirSync(directory));
  return segments.map((sequence) => readFileSync(segmentPath(directory, sequence), "utf8")).join("");
}

function tree(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true }) as string[])
    if (name !== "quarantine") found[name] = readFileSync(join(directory, name), "latin1");
  return found;
}

describe("a lane that is cut", () => {
  test("ends with the line before the number, and goes on with it", () => {
    lay(3);
    const report = cut(13);
    assert.equal(text(), lines(0, 13));
    assert.deepEqual([report.nextSequence, report.linesCut], [13, 17]);
    assert.equal(recoverLane(realFiles, lane, () => {}).nextSequence, 13);
  });

  test("has what was cut in quarantine, byte by byte", () => {
    lay(3);
    const { quarantined, bytesCut } = cut(13);
    const kept = quarantined.toReversed().map((path) => readFileSync(path, "utf8"));
    assert.equal(kept.join(""), lines(13, 30));
    assert.equal(bytesCut, Buffer.byteLength(lines(13, 30)));
  });

  test("loses whole segments where the number is between two", () => {
    lay(3);
    cut(10);
    assert.deepEqual(segmentsAmong(readdirSync(lane)), [0]);
    assert.deepEqual(putAside().length, 2);
  });

  test("at 0 has nothing, and begins with 0", () => {
    lay(2);
    assert.equal(cut(0).nextSequence, 0);
    assert.equal(text(), "");
  });

  test("behind its end, or not at all, stays as it is", () => {
    lay(2);
    recoverLane(realFiles, lane, () => {});
    const before = tree(lane);
    for (const at of [20, 25, Number.POSITIVE_INFINITY]) assert.equal(cut(at).nextSequence, 20);
    assert.deepEqual(tree(lane), before);
  });

  test("where there is none yet is made, and has nothing", () => {
    assert.deepEqual(cut(5), { nextSequence: 0, linesCut: 0, bytesCut: 0, quarantined: [] });
  });

  test("is cut as well where a killed process has left it open", async () => {
    const bed = new LaneBed();
    bed.open();
    const texts = Array.from({ length: 6 }, () => bed.line(200));
    for (const [at, each] of texts.entries()) {
      bed.append(each, ACK_SYNCED, `w${at}`);
      await until(() => bed.settled.length === at + 1, "it is stored");
    }
    cpSync(bed.directory, lane, { recursive: true });
    await bed.close();
    bed.remove();
    assert.equal(cut(4).nextSequence, 4);
    assert.equal(text(), texts.slice(0, 4).join(""));
  });

  test("with damage before the number keeps the number of every line", () => {
    lay(1);
    const bytes = readFileSync(segmentPath(lane, 0));
    bytes.write("X", bytes.indexOf(line(3)));
    writeFileSync(segmentPath(lane, 0), bytes);
    assert.equal(cut(7).nextSequence, 7);
    assert.equal(text(), lines(0, 3) + lines(4, 7));
  });

  test("killed at any step is cut to the same end by the next cut", () => {
    lay(3);
    const copies: string[] = [];
    const files = new FaultyFiles();
    files.onStep = () => {
      const copy = join(root, `killed-${copies.length}`, "lane-0");
      cpSync(lane, copy, { recursive: true });
      copies.push(copy);
    };
    cut(13, files);
    const end = tree(lane);
    assert.ok(copies.length > 25, `${copies.length} steps`);
    for (const copy of copies) {
      assert.equal(cutLane(realFiles, copy, 13, () => {}).nextSequence, 13);
      assert.deepEqual(tree(copy), end);
    }
  });

  test("loses nothing of a segment before the copy of it is on the disk", () => {
    lay(2);
    recoverLane(realFiles, lane, () => {});
    const files = new FaultyFiles();
    files.onStep = (call, path) => {
      if (call === "rename" && path.includes("quarantine")) throw new Error("full");
    };
    assert.throws(() => cut(5, files), /full/);
    assert.equal(text(), lines(0, 20));
  });
});
