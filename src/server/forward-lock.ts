// One forwarder to a name on a data folder, whoever holds the folder itself: two would each move the same cursor.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TidemarkError } from "../errors.ts";
import { FOLLOWERS_FOLDER } from "../follow/cursor-file.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";

/** Throws a TidemarkError where another process forwards under the name. */
export async function lockForwarder(dataFolder: string, name: string): Promise<FolderLock> {
  const folder = join(dataFolder, FOLLOWERS_FOLDER, `forward-${name}.lock`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return await lockFolder(folder, { pid: process.pid, address: "" });
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    const who = /process \d+[^;]*/.exec(error.message)?.[0] ?? "another process";
    throw new TidemarkError(
      `cannot forward ${dataFolder} as ${name} because ${who} does; stop that one, or give this one a store and a name of its own`,
    );
  }
}
