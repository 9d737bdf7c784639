// Programs that do nothing but use up a core, so that whatever is pinned there gets only its share of it.

import { type ChildProcess, spawn } from "node:child_process";

const rivals = new Set<ChildProcess>();

/** Words before a command that shall run on that core only. */
export function onCore(core: number): readonly string[] {
  return ["taskset", "-c", `${core}`];
}

/** Starts `count` of them on that core; the function returned ends them. */
export function startRivals(core: number, count: number): () => Promise<void> {
  const started = Array.from({ length: count }, () => {
    const [program = "", ...words] = [...onCore(core), "sh", "-c", "while :; do :; done"];
    const child = spawn(program, words, { stdio: "ignore" });
    rivals.add(child);
    return child;
  });
  return async () => {
    await Promise.all(started.map(end));
  };
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    rivals.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

process.on("exit", () => {
  for (const child of rivals) child.kill("SIGKILL");
});
