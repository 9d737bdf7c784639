import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { ACK_WRITTEN, realFiles } from "./files.ts";
import { INDEX_RECORD_BYTES } from "./index-record.ts";
import { LaneBed, until } from "./lane-bed.ts";
import { recoverLane } from "./recovery.ts";

let root: string;
let lane: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidemark-recovery-"));
  lane = join(root, "lane-0");
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const FIRST = "0000000000000000";
const line = (at: number, pad = "") => `{"ts":${1000 + at},"name":"é${at}","pad":"${pad}"}\n`;
const lines = (count: number) => Array.from({ length: count }, (_, at) => line(at)).join("");
const recover = (files = realFiles) => recoverLane(files, lane, () => {});
const segment = (stem = FIRST) => readFileSync(join(lane, `${stem}.jsonl`));
const cut = (name: string) => readFileSync(join(lane, "quarantine", name));

function lay(name: string, content: string | Uint8Array): void {
  mkdirSync(lane, { recursive: true });
  writeFileSync(join(lane, name), content);
}

/** A segment of five commits with its index as a killed process leaves them: no seal. Returns the commits. */
async function unsealed(): Promise<string[]> {
  const bed = new LaneBed();
  bed.open({ bufferBytes: 65_536 });
  const commits: string[] = [];
  for (let at = 0; at < 5; at++) {
    commits.push(bed.line(200) + bed.line(300));
    bed.append(commits[at]!, ACK_WRITTEN, `w${at}`);
    await until(() => bed.settled.length === at + 1, "it is stored");
  }
  await bed.close();
  const index = readFileSync(join(bed.directory, `${FIRST}.idx`));
  lay(`${FIRST}.jsonl`, bed.text());
  lay(`${FIRST}.idx`, index.subarray(0, index.length - INDEX_RECORD_BYTES));
  bed.remove();
  return commits;
}

/** Everything under the lane's directory, by name. */
function tree(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true }) as string[]) {
    const path = join(directory, name);
    if (name !== "quarantine") found[name] = readFileSync(path, "latin1");
  }
  return found;
}

describe("without an index", () => {
  test("whole lines are kept, counted and sealed", () => {
    lay(`${FIRST}.jsonl`, lines(100));
    const report = recover();
    assert.equal(report.nextSequence, 100);
    assert.equal(report.segmentsChecked, 1);
    assert.equal(segment().toString(), lines(100));
    assert.equal(recover().segmentsChecked, 0, "the second start trusts the seal");
  });

  const good = lines(10);
  const tails: [string, Buffer][] = [
    ["a torn line", Buffer.from('{"ts":1,"name":"to')],
    ["a whole line without its end", Buffer.from('{"ts":1,"name":"torn"}')],
    ["zeros", Buffer.alloc(5000)],
    ["garbage", Buffer.from("\x01\xff\x80garbage\n\n{}\n", "latin1")],
    ["an empty line", Buffer.from("\n")],
    ["a line of another kind", Buffer.from('{"name":"x"}\n')],
    ["a line that is no JSON", Buffer.from('{"ts":1,"name":"x"}}\n')],
    ["a line with a flipped quote", Buffer.from('{"ts":1,"name:"x"}\n')],
    ["a line with broken UTF-8", Buffer.from('{"ts":1,"name":"\xc3("}\n', "latin1")],
    ["a line whose time is no number", Buffer.from('{"ts":"1","name":"x"}\n')],
  ];
  for (const [name, tail] of tails) {
    test(`${name} at the end is cut and kept in quarantine`, () => {
      lay(`${FIRST}.jsonl`, Buffer.concat([Buffer.from(good), tail]));
      const report = recover();
      assert.equal(segment().toString(), good);
      assert.equal(report.bytesCut, tail.length);
      assert.equal(report.nextSequence, 10);
      const size = Buffer.byteLength(good);
      assert.deepEqual(cut(`${FIRST}-${size}.bin`), tail);
      assert.deepEqual(report.quarantined, [join(lane, "quarantine", `${FIRST}-${size}.bin`)]);
    });
  }

  test("lines longer than a block, and many blocks of lines, are kept", () => {
    const text = line(0) + line(1, "p".repeat(3 * RECOVERY_BLOCK_BYTES)) + lines(40_000);
    lay(`${FIRST}.jsonl`, text);
    const report = recover();
    assert.equal(report.nextSequence, 40_002);
    assert.equal(report.bytesCut, 0);
    assert.equal(recover().nextSequence, 40_002);
  });

  test("a segment with nothing good in it goes, and what was in it stays in quarantine", () => {
    lay(`${FIRST}.jsonl`, "no line");
    const report = recover();
    assert.equal(report.segmentCount, 0);
    assert.equal(existsSync(join(lane, `${FIRST}.jsonl`)), false);
    assert.equal(cut(`${FIRST}-0.bin`).toString(), "no line");
  });

  test("an empty segment goes", () => {
    lay(`${FIRST}.jsonl`, "");
    lay(`${FIRST}.idx`, "");
    recover();
    assert.deepEqual(readdirSync(lane), []);
  });

  test("a second cut at the same place does not take the first one's name", () => {
    for (const text of ["one", "two", "two"]) {
      lay(`${FIRST}.jsonl`, text);
      recover();
    }
    assert.equal(cut(`${FIRST}-0.bin`).toString(), "one");
    assert.equal(cut(`${FIRST}-0.1.bin`).toString(), "two");
    assert.equal(readdirSync(join(lane, "quarantine")).length, 2);
  });
});

describe("with an index", () => {
  test("commits are kept by their CRC, and lines behind them as lines", async () => {
    const commits = await unsealed();
    lay(`${FIRST}.jsonl`, `${commits.join("")}${line(1)}{"ts":2,`);
    const report = recover();
    assert.equal(segment().toString(), commits.join("") + line(1));
    assert.equal(report.nextSequence, 11);
    assert.equal(report.bytesCut, 8);
  });

  test("a file that lost its end keeps the whole lines of the commit it was torn in", async () => {
    const commits = await unsealed();
    lay(`${FIRST}.jsonl`, Buffer.from(commits.join("")).subarray(0, -10));
    const report = recover();
    assert.equal(report.nextSequence, 9);
    assert.equal(segment().toString(), commits.slice(0, 4).join("") + commits[4]!.slice(0, 200));
  });

  test("that is stale, torn, empty, garbage or another segment's, the lines are the same and it is made anew", async () => {
    const commits = await unsealed();
    const index = readFileSync(join(lane, `${FIRST}.idx`));
    const garbage = Buffer.from(index);
    for (let at = 50; at < garbage.length; at += 7) garbage[at] = garbage[at]! ^ 0x55;
    const indexes = [
      index.subarray(0, 80),
      index.subarray(0, 99),
      index.subarray(0, 0),
      garbage,
      Buffer.alloc(400),
    ];
    for (const bad of indexes) {
      lay(`${FIRST}.idx`, bad);
      const report = recover();
      assert.equal(report.nextSequence, 10);
      assert.equal(report.bytesCut, 0);
      assert.equal(segment().toString(), commits.join(""));
      assert.equal(recover().segmentsChecked, 0);
    }
    lay("0000000000000100.jsonl", lines(3));
    lay("0000000000000100.idx", index);
    assert.equal(recover().nextSequence, 0x103);
    assert.equal(segment("0000000000000100").toString(), lines(3));
  });

  test("whose seal says more than the file holds, the segment is read again", async () => {
    lay(`${FIRST}.jsonl`, lines(10));
    recover();
    lay(`${FIRST}.jsonl`, lines(7));
    const report = recover();
    assert.equal(report.segmentsChecked, 1);
    assert.equal(report.nextSequence, 7);
  });

  test("that no segment goes with is removed", () => {
    lay("0000000000000005.idx", "left by retention");
    recover();
    assert.deepEqual(readdirSync(lane), []);
  });
});

test("every segment is checked, not only the last, and other files are left alone", () => {
  lay(`${FIRST}.jsonl`, `${lines(5)}torn`);
  lay("0000000000000020.jsonl", lines(5));
  lay("notes.txt", "mine");
  lay("1.jsonl", "not a segment's name");
  const report = recover();
  assert.equal(report.nextSequence, 0x25);
  assert.equal(report.segmentCount, 2);
  assert.equal(segment().toString(), lines(5));
  assert.equal(readFileSync(join(lane, "notes.txt"), "utf8"), "mine");
  assert.equal(readFileSync(join(lane, "1.jsonl"), "utf8"), "not a segment's name");
});

test("a disk with no room for a new index does not stop the lane", () => {
  lay(`${FIRST}.jsonl`, lines(5));
  const files = new FaultyFiles();
  files.onStep = (call, path) => {
    if (call === "write" && path.endsWith(".idx.tmp")) throw new Error("full");
  };
  assert.equal(recover(files).nextSequence, 5);
  assert.deepEqual(readdirSync(lane), [`${FIRST}.jsonl`]);
});

test("a torn end that cannot be put aside is not cut, and the error says what to do", () => {
  lay(`${FIRST}.jsonl`, `${lines(5)}torn`);
  const files = new FaultyFiles();
  files.onStep = (call, path) => {
    if (call === "write" && path.endsWith(".bin.tmp")) throw new Error("full");
  };
  assert.throws(
    () => recover(files),
    /cannot repair .* because .*full.*; try again with 4 bytes of disk free/,
  );
  assert.equal(segment().toString(), `${lines(5)}torn`);
  assert.equal(recover().bytesCut, 4);
});

test("each step is on the disk before the next one counts on it", () => {
  lay(`${FIRST}.jsonl`, `${lines(5)}torn`);
  const files = new FaultyFiles();
  const steps: string[] = [];
  files.onStep = (call, path) => steps.push(`${call} ${path.slice(lane.length)}`);
  recover(files);
  const name = `/quarantine/${FIRST}-${Buffer.byteLength(lines(5))}.bin`;
  assert.deepEqual(steps, [
    `write /${FIRST}.jsonl`,
    "mkdir /quarantine",
    "sync ",
    `create ${name}.tmp`,
    `write ${name}.tmp`,
    `sync ${name}.tmp`,
    `rename ${name}`,
    "sync /quarantine",
    `truncate /${FIRST}.jsonl`,
    `sync /${FIRST}.jsonl`,
    `create /${FIRST}.idx.tmp`,
    `write /${FIRST}.idx.tmp`,
    `sync /${FIRST}.idx.tmp`,
    `rename /${FIRST}.idx`,
    "sync ",
  ]);
});

test("killed at any step, a second recovery comes to the same end", async () => {
  const commits = await unsealed();
  const bytes = Buffer.from(commits.join(""));
  bytes[bytes.length - 250] = bytes[bytes.length - 250]! ^ 1;
  lay(`${FIRST}.jsonl`, bytes);
  lay("0000000000000100.jsonl", `${lines(30)}{"ts":torn`);
  lay("0000000000000100.idx", "garbage");
  lay("0000000000000200.jsonl", "nothing good");
  lay("0000000000000300.idx", "left alone");

  const copies: string[] = [];
  const files = new FaultyFiles();
  files.onStep = () => {
    const copy = join(root, `killed-${copies.length}`, "lane-0");
    cpSync(lane, copy, { recursive: true });
    copies.push(copy);
  };
  const { nextSequence } = recover(files);
  const end = tree(lane);
  assert.ok(copies.length > 15, `${copies.length} steps`);
  for (const copy of copies) {
    assert.equal(recoverLane(realFiles, copy, () => {}).nextSequence, nextSequence);
    assert.deepEqual(tree(copy), end);
  }
});
