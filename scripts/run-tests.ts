// The project's gate: static checks, then every test file on both runtimes, then one line that sums it all up.
// Files share the cores, but those whose header says ALONE run one at a time, at the end: they measure, and another test
// beside it would be measured too. A file that says ONCE is run by Node alone: what it tries is no code of ours that a
// runtime runs, but a browser or a linter. test.sh starts it with the pinned Node and names the pinned Bun in $BUN.
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { endAllRunning, type FileResult, type RuntimeName, runTestFile, runToEnd } from "./test-process.ts";

interface Job {
  /** "node", "bun" or "check". */
  readonly on: string;
  readonly name: string;
  readonly alone: boolean;
  readonly run: () => Promise<FileResult>;
}

/** Is the quickest to fail: it goes with the static checks. */
const TIDY = "test/tidy.test.ts";
const FILE_MS_MAX = 5 * 60 * 1000;
/** Two more than there are cores: many files wait for processes and timers, and one more left a fifth of two cores idle. */
const TOGETHER_MAX = Math.min(Math.max(availableParallelism(), 2), 8) + 2;

const totals = { passed: 0, failed: 0, skipped: 0, done: 0 };
const failures: string[] = [];
/** Skips by "file: name"; Node tells reasons, Bun only that it skipped. */
const skips = new Map<string, { reason: string; on: Set<string> }>();

function listJobs(words: readonly string[]): Job[] {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: { runtime: { type: "string" } },
    allowPositionals: true,
  });
  const runtimes = listRuntimes(values.runtime);
  const files = positionals.length > 0 ? positionals.map(toProjectPath) : listTestFiles();
  const tests = files.flatMap((file) => runtimesFor(file, runtimes).map((runtime) => testJob(runtime, file)));
  const checks = positionals.length > 0 ? [] : listChecks();
  return [...checks, ...mixed(tests.filter((job) => !job.alone)), ...tests.filter((job) => job.alone)];
}

/** Those that mostly wait, for processes of ours, beside those that mostly compute, so that neither leave the cores idle. */
function mixed(tests: readonly Job[]): Job[] {
  const kinds = [
    tests.filter(({ name }) => name.startsWith("test/")),
    tests.filter(({ name }) => !name.startsWith("test/")),
  ];
  const placed = kinds.flatMap((jobs) => jobs.map((job, at) => ({ job, place: (at + 0.5) / jobs.length })));
  return placed.sort((one, other) => one.place - other.place).map(({ job }) => job);
}

function listRuntimes(only: string | undefined): { name: RuntimeName; path: string }[] {
  const all = [
    { name: "node" as const, path: process.execPath },
    { name: "bun" as const, path: process.env.BUN ?? "bun" },
  ];
  const wanted = all.filter((runtime) => only === undefined || runtime.name === only);
  if (wanted.length > 0) return wanted;
  process.stderr.write(`cannot use --runtime ${only} because it must be bun or node\n`);
  process.exit(2);
}

/** All of those, but for a file that says ONCE: then the first. */
function runtimesFor<Each>(file: string, runtimes: readonly Each[]): readonly Each[] {
  return /^\/\/ ONCE:/m.test(readFileSync(file, "utf8")) ? runtimes.slice(0, 1) : runtimes;
}

function listTestFiles(): string[] {
  const files = ["src", "test", "bench"].flatMap((folder) =>
    globSync(`${folder}/**/*.test.ts`, { exclude: (name) => name === "node_modules" }).sort(),
  );
  return [TIDY, ...files.filter((file) => file !== TIDY)];
}

function toProjectPath(path: string): string {
  return relative(process.cwd(), path);
}

function listChecks(): Job[] {
  return [
    checkJob("types (tsc)", "node_modules/.bin/tsc", []),
    checkJob("lint and format (biome)", "node_modules/.bin/biome", ["check", "."]),
  ];
}

function checkJob(name: string, path: string, words: readonly string[]): Job {
  const run = async (): Promise<FileResult> => {
    const end = await runToEnd(path, words, FILE_MS_MAX);
    const failed = end.exitCode === 0 ? 0 : 1;
    return { passed: 1 - failed, failed, skipped: [], seconds: end.seconds, output: end.output };
  };
  return { on: "check", name, alone: false, run };
}

function testJob(runtime: { name: RuntimeName; path: string }, file: string): Job {
  const alone = /^\/\/ ALONE:/m.test(readFileSync(file, "utf8"));
  const run = () => runTestFile(runtime, file, FILE_MS_MAX);
  return { on: runtime.name, name: file, alone, run };
}

async function runJobs(jobs: readonly Job[]): Promise<void> {
  const together = jobs.filter((job) => !job.alone)[Symbol.iterator]();
  const lanes = Array.from({ length: TOGETHER_MAX }, async () => {
    for (const job of together) await runJob(job, jobs.length);
  });
  await Promise.all(lanes);
  for (const job of jobs) {
    if (!job.alone) continue;
    say(`${position(jobs.length)} ${job.on.padEnd(5)} ${job.name} …`);
    await runJob(job, jobs.length);
  }
}

async function runJob(job: Job, jobCount: number): Promise<void> {
  const result = await job.run();
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped.length;
  const verdict = describeResult(result);
  say(`${position(jobCount)} ${job.on.padEnd(5)} ${job.name}  ${verdict}`);
  totals.done += 1;
  for (const skip of result.skipped) noteSkip(job, skip.name, skip.reason);
  if (result.failed === 0) return;
  failures.push(`${job.on.padEnd(5)} ${job.name}`);
  say(result.output.replace(/^/gm, "    "));
}

function describeResult(result: FileResult): string {
  const parts = [`${result.passed} passed`];
  if (result.failed > 0) parts.push(`${result.failed} FAILED`);
  if (result.skipped.length > 0) parts.push(`${result.skipped.length} skipped`);
  return `${parts.join(", ")}  ${result.seconds.toFixed(1)} s`;
}

function noteSkip(job: Job, name: string, reason: string): void {
  const key = `${job.name}: ${name}`;
  const skip = skips.get(key) ?? { reason: "", on: new Set() };
  skip.on.add(job.on);
  if (reason.length > skip.reason.length) skip.reason = reason;
  skips.set(key, skip);
}

function position(jobCount: number): string {
  return `[${String(totals.done + 1).padStart(String(jobCount).length)}/${jobCount}]`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    endAllRunning();
    process.exit(130);
  });
}

const startedMs = performance.now();
await runJobs(listJobs(process.argv.slice(2)));
if (skips.size > 0) {
  say("\nskipped:");
  for (const [name, skip] of skips) {
    say(`  ${name} (${[...skip.on].join(", ")}): ${skip.reason || "no reason given"}`);
  }
}
if (failures.length > 0) say(`\nfailed:\n  ${failures.join("\n  ")}`);
say(`\n${Math.round((performance.now() - startedMs) / 1000)} s`);
say(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;
