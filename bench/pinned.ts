// Child processes on a core of their own: servers on core 0, whatever loads them on core 1, so that neither
// takes time from the other and a server sees one core. On a machine of one core nothing is pinned, and results say so.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import os from "node:os";
import { findProgram } from "./programs.ts";

const taskset = findProgram("taskset");

export const CORES = taskset !== null && os.cpus().length > 1 ? { server: 0, load: 1 } : null;

/** taskset replaces itself by the program, so the child's pid is the program's. */
export function spawnPinned(
  role: "server" | "load",
  command: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const pinned = CORES === null ? command : [taskset!, "-c", String(CORES[role]), ...command];
  return spawn(pinned[0]!, pinned.slice(1), options);
}

/** Asks with SIGTERM, insists with SIGKILL after `graceMs`; resolves when the process is gone. */
export async function stopChild(child: ChildProcess, graceMs = 10_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const insist = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await gone;
  clearTimeout(insist);
}

export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
