// `tidemark agent` as an operator starts it, on the runtime that runs the test, waiting for work when it is handed out.
// Whatever is still alive when the test process ends is killed then.

import { type ChildProcess, spawn } from "node:child_process";
import { MAIN } from "../support/load-process.ts";
import { eventually } from "../support/server-process.ts";

export interface AgentProcess {
  readonly child: ChildProcess;
  /** What it said so far. */
  said(): string;
  /** With its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
}

const children = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export function spawnAgent(words: readonly string[]): AgentProcess {
  const child = spawn(process.execPath, [MAIN, "agent", ...words], {
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (exitCode) => {
      children.delete(child);
      resolve(exitCode);
    });
  });
  return { child, said: () => said, ended };
}

export async function startAgent(natsUrl: string, name: string): Promise<AgentProcess> {
  const agent = spawnAgent(["--nats", natsUrl, "--name", name]);
  await eventually(`agent ${name} waits for work; it said ${agent.said()}`, () =>
    agent.said().includes("waits for work"),
  );
  return agent;
}

/** For `after`. */
export async function stopAgents(agents: readonly AgentProcess[]): Promise<void> {
  for (const { child } of agents) child.kill("SIGKILL");
  await Promise.all(agents.map(({ ended }) => ended));
}
