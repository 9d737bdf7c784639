// Where the programs are that the benchmark starts. Debian keeps daemons in /usr/sbin, which not every PATH has.
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Runtime } from "./options.ts";

export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** The runtime pinned in the project's node_modules, the same one that scripts/runtime.sh finds; else what PATH has. */
export function findRuntime(runtime: Runtime, projectFolder: string): string | null {
  const parent = join(projectFolder, "node_modules", runtime === "bun" ? "@oven" : "");
  for (const entry of foldersIn(parent)) {
    const path = join(parent, entry, "bin", runtime);
    if (entry.startsWith(`${runtime}-`) && isExecutable(path)) return path;
  }
  return findProgram(runtime);
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
