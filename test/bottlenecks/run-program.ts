// Runs a program to its end and reads what it printed; whatever is still running when the test process ends is killed.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Planted } from "./plant.ts";
import type { ProbePlan, ProbeResult } from "./probe.ts";

export interface ProgramEnd {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
  /** It was killed because its time was over. */
  readonly timedOut: boolean;
}

const PROBE = fileURLToPath(new URL("./probe.ts", import.meta.url));
const START_MS_MAX = 20_000;

const running = new Set<ChildProcess>();

export function runProgram(command: readonly string[], msMax: number): Promise<ProgramEnd> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let out = "";
  let error = "";
  let timedOut = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, msMax);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ status, out, error, timedOut });
    });
  });
}

/** Loads the plant by hand, from where the analyser would. */
export async function runProbe(planted: Planted, plan: Omit<ProbePlan, "port">): Promise<ProbeResult> {
  const words = [process.execPath, PROBE, JSON.stringify({ ...plan, port: planted.port })];
  const end = await runProgram([...planted.wrapper, ...words], plan.msMax + START_MS_MAX);
  if (end.status !== 0) throw new Error(`the probe failed: ${end.error}`);
  return JSON.parse(end.out);
}

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
