// The file of what the store refuses: whole lines, on the disk, in bounded room.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { type LogFiles, realFiles } from "../log/files.ts";
import { DeadLetters } from "./dead-letters.ts";

let data: string;
const dropped: string[] = [];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "tidemark-letters-"));
  dropped.length = 0;
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

function open(files: LogFiles = realFiles, bytesMax = 1_000): DeadLetters {
  return new DeadLetters({
    files,
    dataFolder: data,
    name: "forward-test",
    wallMs: () => Date.parse("2026-01-31T10:00:00Z"),
    onDropped: (path) => dropped.push(path),
    bytesMax,
  });
}

const letter = (line: string) => ({ status: 400, answer: 'no "good"', line });
const read = (name = "forward-test.jsonl") => readFileSync(join(data, "dead-letter", name), "utf8");

test("each line is an object with the line as it was, the status and the answer", () => {
  const letters = open();
  letters.add([letter('{"ts":1,"value":1.50}'), letter("\0 no line")]);
  letters.close();
  assert.equal(
    read(),
    '{"at":"2026-01-31T10:00:00.000Z","status":400,"answer":"no \\"good\\"","line":{"ts":1,"value":1.50}}\n' +
      '{"at":"2026-01-31T10:00:00.000Z","status":400,"answer":"no \\"good\\"","text":"\\u0000 no line"}\n',
  );
});

test("a letter that a crash tore is cut off, and what was whole stays", () => {
  const first = open();
  first.add([letter("1")]);
  first.close();
  const whole = read();
  appendFileSync(join(data, "dead-letter", "forward-test.jsonl"), '{"at":"2026-01');
  const second = open();
  second.add([letter("2")]);
  second.close();
  assert.equal(read(), whole + whole.replace('"line":1', '"line":2'));
  writeFileSync(join(data, "dead-letter", "forward-test.jsonl"), "torn from its start".repeat(10_000));
  const third = open();
  third.add([letter("3")]);
  third.close();
  assert.equal(read(), whole.replace('"line":1', '"line":3'));
});

test("a full file makes room for the next, the oldest goes, and that is told", () => {
  const letters = open(realFiles, 10);
  for (let at = 0; at < 6; at++) letters.add([letter(String(at))]);
  letters.close();
  const names = readdirSync(join(data, "dead-letter")).sort();
  assert.deepEqual(names, [
    "forward-test.1.jsonl",
    "forward-test.2.jsonl",
    "forward-test.3.jsonl",
    "forward-test.jsonl",
  ]);
  assert.deepEqual(
    ["forward-test.3.jsonl", "forward-test.2.jsonl", "forward-test.1.jsonl", "forward-test.jsonl"].map(
      (name) => JSON.parse(read(name)).line,
    ),
    [2, 3, 4, 5],
  );
  assert.deepEqual(
    dropped.map((path) => path.endsWith("forward-test.3.jsonl")),
    [true, true],
  );
});

test("what the disk did not take does not count, and goes in once when it is added again", () => {
  let isBroken = true;
  const files: LogFiles = {
    ...realFiles,
    sync(fd) {
      if (isBroken) throw Object.assign(new Error("EIO"), { code: "EIO" });
      realFiles.sync(fd);
    },
  };
  const letters = open(files);
  assert.throws(() => letters.add([letter("1")]), /EIO/);
  isBroken = false;
  letters.add([letter("1")]);
  letters.close();
  const lines = read().trimEnd().split("\n");
  assert.ok(lines.length >= 1 && lines.every((line) => JSON.parse(line).line === 1));
});
