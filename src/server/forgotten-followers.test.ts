import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CursorFile, FOLLOWERS_FOLDER } from "../follow/cursor-file.ts";
import { realFiles } from "../log/files.ts";
import { warnOfForgottenFollowers } from "./forgotten-followers.ts";

const data = mkdtempSync(join(tmpdir(), "tidemark-forgotten-"));
after(() => rmSync(data, { recursive: true, force: true }));

function warnedOf(asked: readonly string[]): unknown[] {
  const paths: unknown[] = [];
  warnOfForgottenFollowers(data, asked, (text, { path }) => {
    assert.match(text, /kept from retention until it has, or until its file is deleted$/);
    paths.push(path);
  });
  return paths;
}

describe("followers that a start does not run", () => {
  test("are none in a folder that never had any", () => {
    assert.deepEqual(warnedOf([]), []);
  });

  test("are told of by their files, and no others", () => {
    for (const name of ["replicate", "store"]) new CursorFile(realFiles, data, name);
    writeFileSync(join(data, FOLLOWERS_FOLDER, "replicate.json.tmp"), "");
    const pathOf = (name: string) => join(data, FOLLOWERS_FOLDER, `${name}.json`);
    assert.deepEqual(warnedOf(["replicate"]), [pathOf("store")]);
    assert.deepEqual(warnedOf(["replicate", "store"]), []);
    assert.equal(warnedOf([]).length, 2);
  });
});
