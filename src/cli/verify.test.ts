// `tidemark verify` as a person meets it: real processes on a folder with damage in it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import { lockFolder } from "../server/folder-lock.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const FIRST = "0000000000000000";
let folder: string;
let lane: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-verify-"));
  lane = join(folder, "lane-0");
  mkdirSync(lane);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function verify(...flags: string[]) {
  const child = spawnSync(process.execPath, [MAIN, "verify", "--data", folder, ...flags], {
    encoding: "utf8",
  });
  return { exitCode: child.status, out: child.stdout, error: child.stderr };
}

const line = (at: number) => `{"ts":${at},"name":"m"}\n`;
const lines = Array.from({ length: 100 }, (_, at) => line(at)).join("");
const path = () => join(lane, `${FIRST}.jsonl`);

/** A sealed segment of two commits, the first of 100 lines, the second of one. */
function laySealed(): void {
  writeFileSync(path(), lines);
  recoverLane(realFiles, lane, () => {});
  const index = readFileSync(join(lane, `${FIRST}.idx`));
  writeFileSync(join(lane, `${FIRST}.idx`), index.subarray(0, -40));
  writeFileSync(path(), lines + line(100));
  recoverLane(realFiles, lane, () => {});
}

test("a whole folder is 0, damage is 1 and named, and a repair takes it out and keeps the rest", () => {
  laySealed();
  const whole = verify();
  assert.equal(whole.error, "");
  assert.match(whole.out, /1 segments, 2,112 bytes, 101 good lines; 0 damaged records/);
  assert.equal(whole.exitCode, 0);

  const damaged = lines.replace('"ts":5,', '"ts":6,');
  writeFileSync(path(), damaged + line(100));
  const found = verify("--json");
  assert.equal(found.exitCode, 1);
  const [finding] = JSON.parse(found.out).lanes[0].faulty[0].findings;
  assert.deepEqual(finding, { offset: 0, bytes: lines.length, records: 1, lines: 100, isMissing: false });
  assert.equal(readFileSync(path(), "utf8"), damaged + line(100), "nothing is changed unasked");

  const repaired = verify("--repair");
  assert.equal(repaired.exitCode, 1, repaired.error);
  assert.ok(repaired.out.includes(`damaged: ${path()} at 0: ${lines.length} bytes, 1 records, 100 lines\n`));
  const kept = join(lane, "quarantine", `${FIRST}-0.bin`);
  assert.ok(repaired.out.includes(`put aside: ${kept}\n`));
  assert.equal(readFileSync(kept, "utf8"), damaged);
  const names = readdirSync(lane).filter((name) => name.endsWith(".jsonl"));
  assert.deepEqual(names, ["0000000000000064.jsonl"]);
  assert.equal(readFileSync(join(lane, names[0]!), "utf8"), line(100));
  assert.equal(verify().exitCode, 0);
});

test("a folder that a server holds is not repaired, and one that is not there is not verified", async () => {
  laySealed();
  const lock = await lockFolder(folder, { pid: process.pid, address: "" });
  const child = spawn(process.execPath, [MAIN, "verify", "--data", folder, "--repair"]);
  let error = "";
  child.stderr.on("data", (bytes) => {
    error += String(bytes);
  });
  const exitCode = await new Promise((resolve) => child.on("close", resolve));
  lock.release();
  assert.match(error, /^cannot use .* because a server holds it/);
  assert.equal(exitCode, 1);
  rmSync(folder, { recursive: true });
  assert.equal(verify().exitCode, 2);
});
