// A follower that was asked for once keeps the log from being deleted, for good, by its file of cursors. Where this start does
// not ask for it again, that may be forgetfulness: it is said.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FOLLOWERS_FOLDER } from "../follow/cursor-file.ts";

/** `asked`: the followers that this start runs itself. Those of `tidemark forward` come and go by themselves. */
export function warnOfForgottenFollowers(
  dataFolder: string,
  asked: readonly string[],
  warn: (text: string, fields: Record<string, unknown>) => void,
): void {
  const folder = join(dataFolder, FOLLOWERS_FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".json") || asked.includes(name.slice(0, -".json".length))) continue;
    warn(
      "a follower of the log is not running in this server; what it has not followed is kept from retention until it has, or until its file is deleted",
      { path: join(folder, name) },
    );
  }
}
