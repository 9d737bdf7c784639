import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FaultyFiles } from "../../log/faulty-files.ts";
import { realFiles } from "../../log/files.ts";
import { DEAD_LETTERS, type DeadLetter, DeadLetterFolder } from "./dead-letters.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "tidemark-letters-"));
});
afterEach(() => {
  rmSync(data, { recursive: true, force: true });
});

const letter: DeadLetter = {
  stream: "lines",
  sequence: 7,
  subject: "lines.0.web1.0",
  why: "is damaged: its checksum differs",
  headers: [["Tidemark-Block", "1 what"]],
  payload: Buffer.from([0, 10, 10, 255]),
};
const kept = () => readdirSync(join(data, DEAD_LETTERS)).sort();

describe("a dead letter", () => {
  test("has its place and why as text, and then the payload as it came", () => {
    const bytes = readFileSync(new DeadLetterFolder(realFiles, data).keep(letter));
    assert.equal(
      bytes.toString("latin1"),
      "tidemark dead letter 1\nstream: lines\nsequence: 7\nsubject: lines.0.web1.0\n" +
        "why: is damaged: its checksum differs\nheader: Tidemark-Block: 1 what\nbytes: 4\n\n\x00\n\n\xff",
    );
  });

  test("that comes again is kept once, and another of its number beside it", () => {
    const folder = new DeadLetterFolder(realFiles, data);
    assert.equal(folder.keep(letter), folder.keep(letter));
    folder.keep({ ...letter, payload: Buffer.from("other") });
    assert.deepEqual(kept(), ["7.1.block", "7.block"]);
  });

  test("cannot make lines of its head by what its headers hold", () => {
    const path = new DeadLetterFolder(realFiles, data).keep({ ...letter, headers: [["a\nb", "c\n\nd"]] });
    const head = readFileSync(path, "latin1").split("\n\n")[0]!;
    assert.equal(head.split("\n").length, 7);
  });

  test("has no name before it is on the disk", () => {
    const files = new FaultyFiles();
    files.onStep = (call, path) => {
      if (call === "sync" && path.endsWith(".tmp")) throw new Error("failed");
    };
    assert.throws(() => new DeadLetterFolder(files, data).keep(letter), /failed/);
    assert.deepEqual(kept(), ["7.block.tmp"]);
    new DeadLetterFolder(realFiles, data).keep(letter);
    assert.deepEqual(kept(), ["7.block"]);
  });
});
