// The end-to-end benchmark for one short round, against whatever rivals are installed: no time is asserted; that the figures are
// there is.
// ALONE: in its one second of load a disk that others sync to may answer nobody.
// ONCE: the script runs on Node, and measures both runtimes, whichever starts it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const END_TO_END_MS_MAX = 180_000;

describe("the end-to-end benchmark", () => {
  test("refuses a scenario it does not know and names those it does", () => {
    const outcome = runBench("--small", "--only", "huge");
    assert.equal(outcome.status, 2);
    assert.match(outcome.stderr, /cannot use --only huge; try small, large/);
  });

  const missing = findMissing();
  test("leaves every figure in its JSON", { skip: missing ?? false, timeout: END_TO_END_MS_MAX }, () => {
    const folder = mkdtempSync(join(os.tmpdir(), "tidemark-bench-test-"));
    try {
      const outcome = runBench("--small", "--out", folder);
      assert.equal(outcome.status, 0, outcome.stderr);
      checkResult(JSON.parse(readFileSync(join(folder, "small.json"), "utf8")));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function runBench(...args: string[]) {
  const script = join(projectFolder, "scripts/bench.sh");
  return spawnSync("sh", [script, ...args], { encoding: "utf8", timeout: END_TO_END_MS_MAX });
}

function findMissing(): string | null {
  if (process.platform !== "linux") return "the figures come from /proc, which only Linux has";
  const wrk = (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, "wrk")));
  return wrk ? null : "wrk is not installed";
}

const RESULT_FIELDS = ["date", "figures", "machine", "scenario", "settings", "title"];
const MACHINE_FIELDS = ["commit", "cores", "kernel", "memoryBytes", "pinning", "processor", "versions"];
const FIGURE_FIELDS = ["contender", "label", "median", "ratios", "rounds", "skipped"];
const RATIO_FIELDS = [
  "cpuUsPerRequest",
  "latencyUsP99",
  "metricsPerSecond",
  "requestsPerSecond",
  "residentBytes",
];
const ROUND_FIELDS = [
  ...RATIO_FIELDS,
  ...[
    "failures",
    "latencyUsMax",
    "latencyUsP50",
    "loadCores",
    "otherCores",
    "requests",
    "serverCores",
    "stolenShare",
  ],
].sort();

interface Figures {
  contender: string;
  label: string;
  skipped: string | null;
  rounds: object[];
  median: { failures: number } | null;
  ratios: Record<string, object>;
}

function checkResult(result: { figures: Figures[]; machine: object }): void {
  assert.deepEqual(Object.keys(result).sort(), RESULT_FIELDS);
  assert.deepEqual(Object.keys(result.machine).sort(), MACHINE_FIELDS);
  const contenders = result.figures.map((figures) => figures.contender);
  assert.deepEqual(contenders, ["nginx", "tidemark-bun", "tidemark-node", "victoria-metrics", "fastify"]);
  for (const figures of result.figures) checkFigures(figures);
}

function checkFigures(figures: Figures): void {
  assert.deepEqual(Object.keys(figures).sort(), FIGURE_FIELDS);
  if (figures.skipped !== null) {
    console.error(`${figures.label} skipped: ${figures.skipped}`);
    assert.match(figures.skipped, /not installed/, "a contender that is installed runs");
    return;
  }
  assert.equal(figures.rounds.length, 1);
  for (const round of [...figures.rounds, figures.median!]) {
    assert.deepEqual(Object.keys(round).sort(), ROUND_FIELDS);
    for (const [field, value] of Object.entries(round))
      assert.ok(Number.isFinite(value), `${field} is a number`);
  }
  assert.equal(figures.median!.failures, 0, `${figures.label} answers everything`);
  for (const ratio of Object.values(figures.ratios))
    assert.deepEqual(Object.keys(ratio).sort(), RATIO_FIELDS);
}
