// `tidemark capacity` as a person runs it, on the runtime that runs the test.

import { spawn } from "node:child_process";
import { type LoadOutcome, MAIN } from "../support/load-process.ts";

export function runCapacity(words: readonly string[]): Promise<LoadOutcome> {
  const child = spawn(process.execPath, [MAIN, "capacity", ...words], {
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (): boolean => child.kill("SIGKILL");
  process.on("exit", kill);
  let [out, error] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  return new Promise((resolve) => {
    child.once("close", (exitCode) => {
      process.off("exit", kill);
      resolve({ exitCode, out, error });
    });
  });
}
