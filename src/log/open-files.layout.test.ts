import assert from "node:assert/strict";
import { fstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { OpenFiles } from "./open-files.layout.ts";

const folder = mkdtempSync(join(tmpdir(), "tidemark-open-files-"));

after(() => rmSync(folder, { recursive: true }));

describe("the files that a thread has open", () => {
  test("are known to who shares the memory, until they are closed", () => {
    const known = new OpenFiles();
    const files = new OpenFiles(known.shared).files();
    const path = join(folder, "0.jsonl");
    const open = [
      files.create(path),
      files.openRead(path),
      files.openReadWrite(path),
      files.createOrTruncate(path),
      files.openDirectory(folder),
    ];
    files.close(open.shift()!);
    assert.deepEqual(
      known.take().toSorted((a, b) => a - b),
      open.toSorted((a, b) => a - b),
    );
    assert.deepEqual(known.take(), []);
    for (const fd of open) files.close(fd);
    assert.throws(() => fstatSync(open[0]!), { code: "EBADF" });
  });

  test("a folder that was only synced is not among them", () => {
    const known = new OpenFiles();
    known.files().fsyncDirectory(folder);
    assert.deepEqual(known.take(), []);
  });

  test("those beyond what there is room for are used all the same", () => {
    const known = new OpenFiles();
    const files = known.files();
    const open = Array.from({ length: 70 }, () => files.openDirectory(folder));
    assert.deepEqual(known.take(), open.slice(0, 64));
    for (const fd of open) files.close(fd);
    assert.deepEqual(known.take(), []);
  });
});
