import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FaultyFiles, fileError } from "../log/faulty-files.ts";
import { realFiles } from "../log/files.ts";
import type { Block } from "./block-message.ts";
import { DEAD_LETTER_FOLDER, SetAsideFile } from "./set-aside-file.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-set-aside-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function newData(): { data: string; path: string } {
  const data = join(root, `${folders++}`);
  realFiles.mkdir(data);
  return { data, path: join(data, DEAD_LETTER_FOLDER, "replicate.jsonl") };
}

function blockOf(text: string): Block {
  return { origin: "00000000000000aa", lane: 0, from: 0, first: 0, end: 1, bytes: Buffer.from(text) };
}

describe("lines set aside", () => {
  test("are kept one behind the other, also by the next start, and nobody else reads them", () => {
    const { data, path } = newData();
    const file = new SetAsideFile(realFiles, data);
    file.add(blockOf('{"n":1}\n'));
    file.add(blockOf('{"n":2}\n'));
    new SetAsideFile(realFiles, data).add(blockOf('{"n":3}\n'));
    assert.equal(readFileSync(path, "utf8"), '{"n":1}\n{"n":2}\n{"n":3}\n');
    assert.equal(statSync(path).mode & 0o077, 0);
  });

  test("leave no half a line behind where the disk fails in the middle of one", () => {
    const { data, path } = newData();
    const files = new FaultyFiles();
    const file = new SetAsideFile(files, data);
    file.add(blockOf('{"n":1}\n'));
    const { writeAll } = files;
    files.writeAll = (fd, buffer, offset, _length, position) => {
      writeSync(fd, buffer, offset, 4, position);
      throw fileError("ENOSPC");
    };
    assert.throws(() => file.add(blockOf('{"n":2}\n')), { code: "ENOSPC" });
    files.writeAll = writeAll;
    file.add(blockOf('{"n":2}\n'));
    assert.equal(readFileSync(path, "utf8"), '{"n":1}\n{"n":2}\n');
  });

  test("are not taken for kept where they cannot be", () => {
    const { data } = newData();
    const files = new FaultyFiles();
    files.onStep = (call) => {
      if (call === "sync") throw fileError("EIO");
    };
    assert.throws(() => new SetAsideFile(files, data).add(blockOf('{"n":1}\n')), { code: "EIO" });
  });
});
