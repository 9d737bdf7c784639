// One test file on one runtime, in a process of its own, and what came of it.
// Both runtimes can write JUnit's XML, so the counts of both are read in one way. A file that crashes, hangs or runs no
// test at all counts as one failure. Whatever the file started and left behind is ended with it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type RuntimeName = "node" | "bun";

export interface SkippedTest {
  readonly name: string;
  /** Empty where the runner does not tell. */
  readonly reason: string;
}

export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
  readonly seconds: number;
  /** What the run printed, its end if it was long; for a person, where something failed. */
  readonly output: string;
}

const OUTPUT_CHARACTERS_MAX = 128 * 1024;
/** One test may take this long; the file's own deadline is what ends a hang. */
const TEST_MS_MAX = 15 * 60 * 1000;

const running = new Set<ChildProcess>();

/** Ends all that is running: the processes have groups of their own, so a Ctrl-C does not reach them. */
export function endAllRunning(): void {
  for (const child of running) endGroup(child);
}

export function runTestFile(
  runtime: { readonly name: RuntimeName; readonly path: string },
  file: string,
  deadlineMs: number,
): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  const reportPath = join(folder, "report.xml");
  const words = runtime.name === "node" ? nodeWords(file, reportPath) : bunWords(file, reportPath);
  return runToEnd(runtime.path, words, deadlineMs).then((end) => {
    const report = readReport(reportPath);
    rmSync(folder, { recursive: true, force: true });
    return judge(end, report);
  });
}

function nodeWords(file: string, reportPath: string): string[] {
  const junit = ["--test-reporter=junit", `--test-reporter-destination=${reportPath}`];
  return [...junit, "--test-reporter=spec", "--test-reporter-destination=stdout", file];
}

function bunWords(file: string, reportPath: string): string[] {
  return [
    "test",
    "--reporter=junit",
    `--reporter-outfile=${reportPath}`,
    `--timeout=${TEST_MS_MAX}`,
    `./${file}`,
  ];
}

export interface ProcessEnd {
  readonly exitCode: number;
  readonly output: string;
  readonly seconds: number;
  readonly timedOut: boolean;
}

export function runToEnd(path: string, words: readonly string[], deadlineMs: number): Promise<ProcessEnd> {
  const startedMs = performance.now();
  const child = spawn(path, words, {
    env: testEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  let output = "";
  let timedOut = false;
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child);
  }, deadlineMs);
  return new Promise((resolve) => {
    child.on("error", (error) => keep(`${error.message}\n`));
    // Its pipes close only when what it left behind has ended too.
    child.on("exit", () => endGroup(child));
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ exitCode: code ?? 1, output, seconds: (performance.now() - startedMs) / 1000, timedOut });
    });
  });
}

/** The caller's, without settings of ours that would steer the servers under test. */
function testEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
  delete environment.FORCE_COLOR;
  for (const name of Object.keys(environment)) if (name.startsWith("TIDEMARK_")) delete environment[name];
  // Node strips types with a compiler of its own, 40 MB and up to a second of each start, unless it finds the result.
  environment.NODE_COMPILE_CACHE = join(process.cwd(), "node_modules", ".cache", "node-test");
  // nginx and ss live where a plain user's PATH does not look.
  environment.PATH = `${environment.PATH ?? ""}:/usr/sbin:/sbin`;
  return environment;
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

interface Report {
  readonly tests: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

function readReport(path: string): Report {
  try {
    return parseReport(readFileSync(path, "utf8"));
  } catch {
    return { tests: 0, failed: 0, skipped: [] };
  }
}

const TEST_CASE = /<testcase\b((?:"[^"]*"|[^">])*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;

function parseReport(xml: string): Report {
  let tests = 0;
  let failed = 0;
  const skipped: SkippedTest[] = [];
  for (const [, attributes = "", content = ""] of xml.matchAll(TEST_CASE)) {
    tests += 1;
    const skip = /<skipped\b((?:"[^"]*"|[^">])*)>/.exec(content);
    if (skip !== null) skipped.push({ name: attribute(attributes, "name"), reason: skipReason(skip[1]!) });
    else if (/<(failure|error)\b/.test(content)) failed += 1;
  }
  return { tests, failed, skipped };
}

function skipReason(attributes: string): string {
  const message = attribute(attributes, "message");
  return message === "true" ? "" : message;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity]!)
    .replace(/&#10;/g, " ");
}

function judge(end: ProcessEnd, report: Report): FileResult {
  const fault = faultOf(end, report);
  return {
    passed: report.tests - report.failed - report.skipped.length,
    failed: fault === "" ? report.failed : report.failed + 1,
    skipped: report.skipped,
    seconds: end.seconds,
    output: fault === "" ? end.output : `${end.output}\n${fault}\n`,
  };
}

/** What is wrong with the file as a whole, beyond tests that failed. */
function faultOf(end: ProcessEnd, report: Report): string {
  if (end.timedOut) return `the file did not end within ${Math.round(end.seconds)} s`;
  if (report.failed > 0) return "";
  if (end.exitCode !== 0) return `the process ended with ${end.exitCode} though no test in it failed`;
  if (report.tests === 0) return "the file ran no test";
  return "";
}
