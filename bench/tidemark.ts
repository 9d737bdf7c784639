// tidemark as a user would start it: the shell script, a data folder, and the line with its address on standard output.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Contender, RunningServer } from "./contender.ts";
import type { Options, Runtime } from "./options.ts";
import { spawnPinned, stopChild } from "./pinned.ts";
import { findRuntime } from "./programs.ts";
import { encodeTidemark } from "./workload.ts";

const RUNTIME_NAMES = { bun: "Bun", node: "Node" } as const;
const START_MS_MAX = 30_000;

export type Ack = "accepted" | "written" | "synced";

/** Default settings but for the ack level; null leaves that one at its default too. */
export function tidemark(
  runtime: Runtime,
  ack: Ack | null,
  options: Options,
  projectFolder: string,
): Contender {
  const suffix = ack === null ? "" : `-${ack}`;
  return {
    id: `tidemark-${runtime}${suffix}`,
    label: `tidemark on ${RUNTIME_NAMES[runtime]}${ack === null ? "" : `, --ack ${ack}`}`,
    target: "/metrics",
    contentType: "application/json",
    encode: encodeTidemark,
    missing: () => {
      if (findRuntime(runtime, projectFolder) === null) return `${runtime} is not installed`;
      return existsSync(options.tidemarkScript) ? null : `${options.tidemarkScript} is not there`;
    },
    start: (folder) => startTidemark(runtime, ack, options.tidemarkScript, join(folder, "data")),
  };
}

async function startTidemark(
  runtime: Runtime,
  ack: Ack | null,
  script: string,
  dataFolder: string,
): Promise<RunningServer> {
  const flags = ["--port", "0", "--data", dataFolder, ...(ack === null ? [] : ["--ack", ack])];
  const child = spawnPinned("server", ["sh", script, "serve", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TIDEMARK_RUNTIME: runtime },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const address = /http:\/\/\S+:(\d+)/.exec(line);
      if (address === null) continue;
      child.stdout!.resume(); // nothing more is read from it, but a full pipe would stop a server that logs
      return { child, port: Number(address[1]) };
    }
  } finally {
    clearTimeout(timer);
  }
  await stopChild(child);
  throw new Error(
    `cannot start tidemark on ${runtime} because it ended with ${child.exitCode} and said no address`,
  );
}
