// Damage in the middle of a segment: what is damaged goes to quarantine alone, and everything else is kept.
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { RECOVERY_BLOCK_BYTES, SEGMENT_SPLITS_MAX } from "../limits.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { type LogFiles, realFiles } from "./files.ts";
import { IndexRebuild } from "./index-rebuild.ts";
import { INDEX_RECORD_BYTES } from "./index-record.ts";
import type { LaneEvent } from "./lane-options.ts";
import { checkLines } from "./line-check.ts";
import { recoverLane } from "./recovery.ts";
import { segmentPath, segmentStem, segmentsAmong } from "./segment-name.ts";

let root: string;
let lane: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-damage-"));
  lane = join(root, "lane-0");
  mkdirSync(lane);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Syncs cost time and show nothing here but where a test looks at the steps. */
const quickFiles: LogFiles = { ...realFiles, sync() {}, fsyncDirectory() {} };
const line = (at: number) => `{"ts":${1000 + at},"name":"é${at}","pad":"${"x".repeat(at % 7)}"}\n`;
const linesFrom = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => line(from + at)).join("");

/** Writes a segment of these commits; `index` says what goes beside it. Returns where each begins. */
function laySegment(first: number, commits: string[], index: "unsealed" | "sealed" | "none"): number[] {
  const rebuild = new IndexRebuild(quickFiles, lane, first);
  const offsets: number[] = [];
  for (const commit of commits) {
    const bytes = Buffer.from(commit);
    const { lines, timestampMsEarliest, timestampMsLatest } = checkLines(bytes, 0, bytes.length, true);
    const offset = rebuild.total.offset;
    offsets.push(offset);
    const crc = crc32(bytes);
    rebuild.add({ offset, length: bytes.length, crc, lines, timestampMsEarliest, timestampMsLatest });
  }
  writeFileSync(segmentPath(lane, first), commits.join(""));
  if (index === "none") return offsets;
  rebuild.finish();
  const path = join(lane, `${segmentStem(first)}.idx`);
  if (index === "unsealed") writeFileSync(path, readFileSync(path).subarray(0, -INDEX_RECORD_BYTES));
  return offsets;
}

/** Five commits of two lines each. */
const commits = Array.from({ length: 5 }, (_, at) => linesFrom(2 * at, 2));

function overwrite(first: number, offset: number, bytes: Uint8Array): void {
  const path = segmentPath(lane, first);
  const content = readFileSync(path);
  content.set(bytes, offset);
  writeFileSync(path, content);
}

const events: LaneEvent[] = [];
function recover(files: LogFiles = quickFiles, distrusted?: ReadonlySet<number>) {
  events.length = 0;
  return recoverLane(files, lane, (event) => events.push(event), distrusted);
}

/** What every segment holds, by its first sequence. */
function segments(directory = lane): Record<number, string> {
  const found: Record<number, string> = {};
  for (const first of segmentsAmong(readdirSync(directory)))
    found[first] = readFileSync(segmentPath(directory, first), "utf8");
  return found;
}

function quarantined(): Record<string, string> {
  const folder = join(lane, "quarantine");
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
}

/** Everything under the lane's directory, by name, but for files of one ending. */
function tree(directory: string, without = "quarantine"): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.endsWith(without))
      found[relative(directory, path)] = readFileSync(path, "latin1");
  }
  return found;
}

/** Makes the lane's directory what `tree` has told of one. */
function layTree(files: Record<string, string>): void {
  rmSync(lane, { recursive: true });
  mkdirSync(lane);
  for (const [name, content] of Object.entries(files)) {
    if (name.includes("/")) mkdirSync(join(lane, dirname(name)), { recursive: true });
    writeFileSync(join(lane, name), content, "latin1");
  }
}

describe("a commit whose bytes are not what was written", () => {
  test("goes to quarantine alone, and those behind it keep their numbers", () => {
    const offsets = laySegment(0x10, commits, "unsealed");
    overwrite(0x10, offsets[2]! + 7, Buffer.from("9"));
    const report = recover();
    assert.deepEqual(segments(), {
      16: commits.slice(0, 2).join(""),
      22: commits.slice(3).join(""),
    });
    const bytes = Buffer.byteLength(commits[2]!);
    const path = join(lane, "quarantine", `${segmentStem(0x10)}-${offsets[2]}.bin`);
    assert.equal(
      readFileSync(path, "utf8"),
      commits[2]!.replace('{"ts":1', '{"ts":1').replace("1004", "1904"),
    );
    assert.deepEqual(events, [
      {
        kind: "damaged",
        segment: segmentPath(lane, 0x10),
        offset: offsets[2],
        bytes,
        records: 1,
        lines: 2,
        path,
      },
    ]);
    assert.equal(report.nextSequence, 0x1a);
    assert.equal(report.segmentCount, 2);
    assert.deepEqual([report.damagedRecords, report.damagedBytes, report.damagedLines], [1, bytes, 2]);
    assert.equal(report.bytesCut, bytes);
    const again = recover();
    assert.equal(again.segmentsChecked, 0, "both are sealed");
    assert.deepEqual([again.damagedRecords, again.nextSequence, events.length], [0, 0x1a, 0]);
  });

  test("at the start takes the segment's name with it, and at the end leaves no segment", () => {
    const offsets = laySegment(0, commits, "unsealed");
    overwrite(0, 20, Buffer.from([0]));
    overwrite(0, offsets[4]! + 20, Buffer.from([0]));
    const report = recover();
    assert.deepEqual(segments(), { 2: commits.slice(1, 4).join("") });
    assert.equal(report.damagedRecords, 2);
    assert.deepEqual(Object.keys(quarantined()).length, 2);
  });

  test("next to another is one stretch with it", () => {
    const offsets = laySegment(0, commits, "unsealed");
    overwrite(0, offsets[2]! - 3, Buffer.alloc(6));
    const report = recover();
    assert.deepEqual(segments(), { 0: commits[0]!, 6: commits.slice(3).join("") });
    assert.equal(report.damagedRecords, 2);
    assert.equal(report.damagedLines, 4);
    assert.deepEqual(Object.keys(quarantined()), [`${segmentStem(0)}-${offsets[1]}.bin`]);
  });

  test("is found behind a record of the index that is damaged itself", () => {
    const offsets = laySegment(0, commits, "unsealed");
    const index = join(lane, `${segmentStem(0)}.idx`);
    const bytes = readFileSync(index);
    bytes[INDEX_RECORD_BYTES + 3] = 0x55;
    writeFileSync(index, bytes);
    overwrite(0, offsets[3]! + 7, Buffer.from("9"));
    assert.equal(recover().damagedRecords, 1);
    assert.deepEqual(segments(), { 0: commits.slice(0, 3).join(""), 8: commits[4]! });
  });

  test("in a sealed segment is left alone at start, and taken out where the segment is distrusted", () => {
    const offsets = laySegment(0, commits, "sealed");
    overwrite(0, offsets[1]! + 7, Buffer.from("9"));
    assert.equal(recover().segmentsChecked, 0);
    assert.equal(recover(quickFiles, new Set([0])).damagedRecords, 1);
    assert.deepEqual(segments(), { 0: commits[0]!, 4: commits.slice(2).join("") });
  });

  test("that is missing from the end of a sealed segment is told of, once", () => {
    laySegment(0, commits, "sealed");
    const whole = commits.join("");
    writeFileSync(segmentPath(lane, 0), whole.slice(0, commits.slice(0, 3).join("").length));
    const report = recover();
    assert.deepEqual([report.damagedRecords, report.damagedLines], [2, 4]);
    assert.deepEqual(segments(), { 0: commits.slice(0, 3).join("") });
    assert.equal(recover().damagedRecords, 0);
  });
});

describe("lines that no index covers", () => {
  const cases: [string, (text: Buffer, at: number) => Buffer, number][] = [
    ["a line that is none", (text, at) => put(text, at + 3, Buffer.from([1])), 1],
    [
      "a line that has lost its end",
      (text, at) => put(text, at + lineBytes(text, at) - 1, Buffer.from("x")),
      1,
    ],
    [
      "a hole of zeros from within a line to within the next",
      (text, at) => put(text, at + 9, Buffer.alloc(30)),
      2,
    ],
    [
      "a hole of zeros that ends where a line begins",
      (text, at) => put(text, at + 9, Buffer.alloc(lineBytes(text, at) - 9)),
      1,
    ],
    ["a line feed too many", (text, at) => put(text, at + 12, Buffer.from("\n")), 1],
  ];
  for (const [name, damage, lost] of cases) {
    test(`${name}: the whole lines around it are kept`, () => {
      const text = Buffer.from(linesFrom(0, 20));
      const at = Buffer.byteLength(linesFrom(0, 8));
      const damaged = damage(Buffer.from(text), at);
      writeFileSync(segmentPath(lane, 0), damaged);
      const report = recover();
      assert.deepEqual(segments(), { 0: linesFrom(0, 8), 9: linesFrom(8 + lost, 12 - lost) });
      const end = Buffer.byteLength(linesFrom(0, 8 + lost));
      assert.deepEqual(quarantined(), { [`${segmentStem(0)}-${at}.bin`]: damaged.toString("utf8", at, end) });
      assert.equal(report.bytesCut, end - at);
      assert.ok(report.damagedRecords > 0);
      assert.equal(recover().segmentsChecked, 0);
    });
  }

  test("a hole longer than any line ends with the next one", () => {
    const hole = Buffer.alloc(10 * RECOVERY_BLOCK_BYTES + 5);
    writeFileSync(
      segmentPath(lane, 0),
      Buffer.concat([Buffer.from(`${linesFrom(0, 3)}{"ts":1`), hole, Buffer.from(linesFrom(4, 3))]),
    );
    const report = recover();
    assert.deepEqual(segments(), { 0: linesFrom(0, 3), 4: linesFrom(4, 3) });
    assert.equal(report.damagedRecords, 1);
  });

  test("a hole at the end is torn, however long it is, not damaged", () => {
    const hole = Buffer.alloc(10 * RECOVERY_BLOCK_BYTES + 5);
    writeFileSync(segmentPath(lane, 0), Buffer.concat([Buffer.from(`${linesFrom(0, 3)}{"ts":1`), hole]));
    const report = recover();
    assert.deepEqual(segments(), { 0: linesFrom(0, 3) });
    assert.equal(report.damagedRecords, 0);
    assert.equal(report.bytesCut, hole.length + 7);
  });

  test("damage and a torn end are told apart", () => {
    writeFileSync(segmentPath(lane, 0), `${linesFrom(0, 3)}bad\n${linesFrom(4, 3)}bad\n{"ts":1`);
    const report = recover();
    assert.deepEqual(
      events.map((event) => event.kind),
      ["damaged", "damaged", "quarantined", "index_rebuilt"],
    );
    assert.deepEqual([report.damagedBytes, report.bytesCut], [8, 15]);
  });
});

function put(text: Buffer, at: number, bytes: Uint8Array): Buffer {
  text.set(bytes, at);
  return text;
}

function lineBytes(text: Buffer, at: number): number {
  return text.indexOf("\n", at) + 1 - at;
}

test("a new segment never takes the name of another", () => {
  writeFileSync(segmentPath(lane, 0), `${linesFrom(0, 3)}bad\n${line(3)}`);
  writeFileSync(segmentPath(lane, 4), linesFrom(4, 2));
  recover();
  assert.deepEqual(segments(), { 0: linesFrom(0, 3), 3: line(3), 4: linesFrom(4, 2) });
  assert.equal(recover().nextSequence, 6);
});

test("where no name is left, what cannot be kept is in quarantine", () => {
  writeFileSync(segmentPath(lane, 0), `bad\n${line(0)}`);
  writeFileSync(segmentPath(lane, 1), linesFrom(1, 2));
  recover();
  assert.deepEqual(segments(), { 1: linesFrom(1, 2) });
  assert.ok(Object.values(quarantined()).includes(`bad\n${line(0)}`));
});

test("damage in very many places makes a bounded number of segments, and no good line is lost", () => {
  const count = 3 * SEGMENT_SPLITS_MAX;
  const text = Array.from({ length: count }, (_, at) => `${line(at)}bad\n`).join("");
  writeFileSync(segmentPath(lane, 0), text);
  const report = recover();
  assert.equal(Object.values(segments()).join(""), linesFrom(0, count));
  assert.equal(report.segmentCount, SEGMENT_SPLITS_MAX + 1);
  assert.equal(report.damagedRecords, count);
  assert.equal(recover().segmentsChecked, 0);
});

/** Two segments with damage and a torn end, and one whose new segment's name is taken. */
function layDamage(): void {
  const first = laySegment(0, commits, "unsealed");
  appendFileSync(segmentPath(lane, 0), '{"ts":1');
  overwrite(0, first[1]! + 7, Buffer.from("9"));
  overwrite(0, first[3]! + 7, Buffer.from("9"));
  laySegment(0x20, commits, "unsealed");
  overwrite(0x20, 7, Buffer.from("9"));
  writeFileSync(segmentPath(lane, 0x30), `${linesFrom(0, 3)}bad\n${line(3)}`);
  writeFileSync(segmentPath(lane, 0x34), linesFrom(4, 2));
  const sealed = laySegment(0x40, commits, "sealed");
  overwrite(0x40, sealed[2]! + 7, Buffer.from("9"));
}

test("killed before any step of a repair, a second recovery comes to the same end", () => {
  layDamage();
  const distrusted = new Set([0x40]);
  const killed: Record<string, string>[] = [];
  const files = new FaultyFiles();
  files.sync = () => {};
  files.fsyncDirectory = () => {};
  files.onStep = () => {
    const now = tree(lane);
    if (killed.length === 0 || !isDeepStrictEqual(now, killed.at(-1))) killed.push(now);
  };
  const { nextSequence } = recover(files, distrusted);
  const end = tree(lane);
  assert.ok(killed.length > 50, `${killed.length} states`);
  for (const [at, state] of killed.entries()) {
    layTree(state);
    assert.equal(recover(quickFiles, distrusted).nextSequence, nextSequence);
    assert.deepEqual(tree(lane), end, `state ${at}`);
  }
});

test("a repair begun on a sealed segment is ended by the next start, which would have trusted it", () => {
  const offsets = laySegment(0, commits, "sealed");
  overwrite(0, offsets[2]! + 7, Buffer.from("9"));
  const files = new FaultyFiles();
  let begun = false;
  files.onStep = (call, path) => {
    if (begun) throw new Error("killed");
    begun = call === "truncate" && path.endsWith(".idx");
  };
  assert.throws(() => recover(files, new Set([0])), /killed/);
  recover();
  assert.deepEqual(segments(), { 0: commits.slice(0, 2).join(""), 6: commits.slice(3).join("") });
});

test("an error at any step leaves what a second recovery ends", () => {
  layDamage();
  const start = tree(lane);
  recover();
  const end = tree(lane, ".idx");
  for (let step = 0, isHit = true; isHit; step++) {
    layTree(start);
    const files = new FaultyFiles();
    files.sync = () => {};
    files.fsyncDirectory = () => {};
    let left = step;
    files.onStep = () => {
      if (left-- === 0) throw new Error("failed");
    };
    try {
      recover(files);
    } catch {
      // an index that cannot be written is no error
    }
    isHit = left < 0;
    recover();
    assert.deepEqual(tree(lane, ".idx"), end, `step ${step}`);
  }
});

test("whatever bytes are overwritten, every record that they miss is kept, and nothing else", () => {
  const hit = fc.record({
    at: fc.nat(),
    bytes: fc.integer({ min: 1, max: 60 }),
    with: fc.constantFrom(0, 0xff),
  });
  const index = fc.constantFrom("unsealed" as const, "none" as const);
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, index, fc.array(hit, { minLength: 1, maxLength: 4 }), (counts, kind, hits) => {
      rmSync(lane, { recursive: true });
      mkdirSync(lane);
      let lines = 0;
      const texts = counts.map((count) => {
        lines += count;
        return linesFrom(lines - count, count);
      });
      laySegment(0, texts, kind);
      const whole = Buffer.from(texts.join(""));
      const damaged = Buffer.from(whole);
      for (const { at, bytes, with: byte } of hits) {
        const from = at % whole.length;
        damaged.fill(byte, from, Math.min(whole.length, from + bytes));
      }
      writeFileSync(segmentPath(lane, 0), damaged);
      recover();
      const records = kind === "none" ? Array.from({ length: lines }, (_, at) => line(at)) : texts;
      let at = 0;
      const missed = records.filter((record) => {
        const end = at + Buffer.byteLength(record);
        const isMissed = whole.compare(damaged, at, end, at, end) === 0;
        at = end;
        return isMissed;
      });
      assert.equal(Object.values(segments()).join(""), missed.join(""));
      assert.equal(recover().segmentsChecked, 0);
    }),
    { numRuns: 80 },
  );
});
