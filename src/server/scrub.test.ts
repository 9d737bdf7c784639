import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import type { LogFigures } from "../telemetry/probe.ts";
import { Scrub } from "./scrub.ts";

const LINES = 20_000;
let folder: string;
let lane: string;
let figures: LogFigures;
let told: { level: string; text: string; fields: Record<string, unknown> }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-scrub-"));
  lane = join(folder, "lane-0");
  mkdirSync(lane);
  figures = { scrubbedBytes: 0, scrubRounds: 0, damagedRecords: 0, quarantinedBytes: 0 };
  told = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A sealed segment. Returns its path. */
function laySegment(first: number): string {
  const path = join(lane, `${first.toString(16).padStart(16, "0")}.jsonl`);
  writeFileSync(path, Array.from({ length: LINES }, (_, at) => `{"ts":${at},"name":"m"}\n`).join(""));
  recoverLane(realFiles, lane, () => {});
  return path;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

/** Runs until `isEnough`, then closes it and waits for its end. */
async function scrubUntil(isEnough: () => boolean, bytesPerS = 1e12): Promise<void> {
  const log = (level: string, text: string, fields: Record<string, unknown>) =>
    void told.push({ level, text, fields });
  const scrub = new Scrub({ dataFolder: folder, bytesPerS, intervalMs: 1, figures, log });
  const ended = scrub.runInBackground();
  const deadlineMs = performance.now() + 30_000;
  while (!isEnough()) {
    assert.ok(performance.now() < deadlineMs, "it comes to an end");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  scrub.close();
  await ended;
}

test("what is whole is read in every round, and nothing is said", async () => {
  const bytes = readFileSync(laySegment(0)).length + readFileSync(laySegment(LINES)).length;
  await scrubUntil(() => figures.scrubRounds === 2);
  assert.ok(figures.scrubbedBytes >= 2 * bytes);
  assert.deepEqual([figures.damagedRecords, told], [0, []]);
});

test("a flipped bit in a sealed segment is told and counted once, and the segment left as it is", async () => {
  const path = laySegment(0);
  flip(path, 300);
  const before = readdirSync(lane).map((name) => readFileSync(join(lane, name), "latin1"));
  await scrubUntil(() => figures.scrubRounds === 3);
  assert.equal(figures.damagedRecords, 1);
  assert.equal(told.length, 1);
  assert.match(told[0]!.text, /verify --repair/);
  const { bytes, lines } = told[0]!.fields;
  assert.deepEqual(told[0]!.fields, { path, offset: 0, bytes, records: 1, lines });
  const after = readdirSync(lane).map((name) => readFileSync(join(lane, name), "latin1"));
  assert.deepEqual(after, before);
});

test("a sealed segment that has lost its end, and an index that is damaged, are told of", async () => {
  const path = laySegment(0);
  writeFileSync(path, readFileSync(path).subarray(0, -30));
  const other = laySegment(LINES).replace(".jsonl", ".idx");
  laySegment(2 * LINES);
  const short = laySegment(3 * LINES);
  writeFileSync(short, readFileSync(short).subarray(0, -30));
  flip(other, 3);
  await scrubUntil(() => figures.scrubRounds === 2);
  assert.deepEqual(
    told.map(({ text }) => /shorter|index/.exec(text)?.[0]),
    ["index", "shorter"],
  );
});

test("segments that are not sealed, or are deleted meanwhile, are no error", async () => {
  const path = laySegment(0);
  laySegment(LINES);
  const open = join(lane, "000fffffffffffff.jsonl");
  writeFileSync(open, "not sealed");
  writeFileSync(open.replace(".jsonl", ".idx"), "");
  const rounds = scrubUntil(() => figures.scrubRounds >= 2, 20e6);
  unlinkSync(path);
  unlinkSync(path.replace(".jsonl", ".idx"));
  await rounds;
  assert.deepEqual([figures.damagedRecords, told], [0, []]);
});

test("at a rate of 0 it reads nothing", async () => {
  laySegment(0);
  await new Scrub({ dataFolder: folder, bytesPerS: 0, figures, log: () => {} }).runInBackground();
  assert.deepEqual([figures.scrubRounds, figures.scrubbedBytes], [0, 0]);
});
