// `tidemark load` as a person runs it: a process of the runtime that runs the test. Whatever is still alive when the test
// process ends is killed then.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LoadJson } from "../../src/capacity/report/report-json.ts";
import { compileCache } from "./server-process.ts";

export const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface LoadOutcome {
  readonly exitCode: number | null;
  readonly out: string;
  readonly error: string;
}

const children = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export interface LoadProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<LoadOutcome>;
}

/** `before` are words of a program that runs it, such as prlimit. */
export function spawnLoad(words: readonly string[], before: readonly string[] = []): LoadProcess {
  const [program, ...rest] = [...before, process.execPath, MAIN, "load", ...words];
  const child = spawn(program!, rest, {
    env: { PATH: process.env.PATH ?? "", ...compileCache() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  const ended = new Promise<LoadOutcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      children.delete(child);
      resolve({ exitCode, out, error });
    });
  });
  return { child, ended };
}

export async function runLoad(
  words: readonly string[],
  before: readonly string[] = [],
): Promise<LoadOutcome> {
  return spawnLoad(words, before).ended;
}

/** With --json; its output must be JSON and nothing else. */
export async function loadJson(
  words: readonly string[],
  before: readonly string[] = [],
): Promise<{ json: LoadJson; outcome: LoadOutcome }> {
  const outcome = await runLoad([...words, "--json"], before);
  try {
    return { json: JSON.parse(outcome.out) as LoadJson, outcome };
  } catch {
    throw new Error(`no JSON came; exit code ${outcome.exitCode}: ${outcome.error}${outcome.out}`);
  }
}
