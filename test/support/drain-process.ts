// A drain as an operator starts it: a process of the runtime that runs the test. It ends with the servers that the same file
// started: `after(stopServers)`.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compileCache, eventually, ServerProcess } from "./server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** It reaches the cluster first, which may be in the middle of an election, on a busy machine. */
const START_MS_MAX = 120_000;

/** Starts `tidemark drain` from the stream into the folder; waits for nothing. */
export function spawnDrain(
  servers: string,
  stream: string,
  data: string,
  flags: readonly string[] = [],
): ServerProcess {
  const words = ["drain", "--from", servers, "--stream", stream, "--data", data, ...flags];
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH ?? "", ...compileCache() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new ServerProcess(child, data);
}

/** Resolves when it says that it drains. */
export async function drains(drain: ServerProcess): Promise<void> {
  await eventually(
    "the drain says that it drains",
    () => {
      if (drain.hasExited) throw new Error(`the drain ended: ${drain.error.slice(-1_500)}${drain.out}`);
      return /^tidemark drains \S+ into /m.test(drain.out);
    },
    START_MS_MAX,
  );
}
