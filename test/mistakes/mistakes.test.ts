// The list of mistakes follows the code; whether the tests notice them is the long run's: npm run attack -- mistakes.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { applied, PROJECT } from "./apply.ts";
import { MISTAKES } from "./mistakes.ts";

test("every mistake can be made in the code as it is, and names tests that are there", () => {
  for (const mistake of MISTAKES) {
    const right = readFileSync(join(PROJECT, mistake.file), "utf8");
    assert.notEqual(applied(mistake, right), right, mistake.name);
    for (const name of mistake.tests) assert.ok(existsSync(join(PROJECT, name)), `${mistake.name}: ${name}`);
  }
});

test("a place that is gone, or there twice, is no place", () => {
  const mistake = { name: "m", file: "f", find: "a", replace: "b", tests: [] };
  assert.throws(() => applied(mistake, "xyz"), /no longer has its place/);
  assert.throws(() => applied(mistake, "a a"), /no longer has its place/);
  assert.equal(applied({ ...mistake, replace: "$&$&" }, "xay"), "x$&$&y");
});
