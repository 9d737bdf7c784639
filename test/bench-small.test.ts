// Benchmarks rot unless something runs them: every *.bench.ts in its small size. No time is asserted.
// ALONE: a lane whose disk is busy with others refuses, which its benchmark does not.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

describe("a benchmark beside a hot file", () => {
  for (const path of listBenchmarks(join(projectFolder, "src"))) {
    test(`${relative(projectFolder, path)} runs in its small size`, async () => {
      const module = (await import(pathToFileURL(path).href)) as { run?: (small: boolean) => unknown };
      assert.equal(typeof module.run, "function", "it exports run(small)");
      await module.run!(true);
    });
  }
});

function listBenchmarks(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".bench.ts"))
    .sort()
    .map((name) => join(folder, name));
}
