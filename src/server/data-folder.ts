// Makes the data folder, and the folders above it that are missing, each entry synced so that a power cut cannot take the
// folder from under the log. One level at a time: mkdir's own `recursive` never returns on Node where the system says
// ENOENT although the parent is there (below /proc, for one).

import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { TidemarkError } from "../errors.ts";
import { realFiles } from "../log/files.ts";

/** `folder` is absolute. Mode 0700: what is in it is the operator's. Throws TidemarkError. */
export function openDataFolder(folder: string): void {
  try {
    createMissing(folder);
  } catch (error) {
    throw new TidemarkError(
      `cannot use --data ${folder} because ${(error as Error).message}; try a folder that this user may write to`,
    );
  }
}

function createMissing(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) createMissing(parent);
  mkdirSync(folder, { mode: 0o700 });
  realFiles.fsyncDirectory(parent);
}
