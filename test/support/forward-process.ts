// `tidemark forward` as an operator starts it: a process of the runtime that runs the test. It ends with the servers that the
// same file started: `after(stopServers)`.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compileCache, eventually, ServerProcess } from "./server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Waits for nothing. */
export function spawnForward(
  data: string,
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ServerProcess {
  const child = spawn(process.execPath, [MAIN, "forward", "--data", data, ...flags], {
    env: { PATH: process.env.PATH ?? "", ...compileCache(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new ServerProcess(child, data);
}

/** Resolves when it says that it forwards; with the port of --listen, or 0. */
export function forwards(forward: ServerProcess): Promise<number> {
  return eventually("the forwarder says that it forwards", () => {
    if (forward.hasExited) throw new Error(`the forwarder ended: ${forward.error.slice(-1_500)}`);
    const line = forward.error.split("\n").find((text) => text.endsWith('"msg":"forwarding"}'));
    return line === undefined ? undefined : Number(JSON.parse(line).port ?? 0);
  });
}
