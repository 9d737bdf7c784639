// Who a drain is: `<data>/drain.json`, made at the first start and kept. The records of the partitions know a store by this name,
// so that it belongs to the folder: a copy of the folder beside the first is the same drain twice, and neither can tell.

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TidemarkError } from "../../errors.ts";
import type { FileError, LogFiles } from "../../log/files.ts";
import { replaceFile } from "../../log/replace-file.ts";

const NAME = "drain.json";

/** The folder is held by its lock. Throws TidemarkError where it is no drain's. */
export function readDrainId(files: LogFiles, dataFolder: string): string {
  const path = join(dataFolder, NAME);
  const text = tryRead(path);
  if (text === null) return makeDrainId(files, dataFolder, path);
  try {
    const { version, id } = JSON.parse(text);
    if (version === 1 && /^[0-9a-f]{16}$/.test(id)) return id;
  } catch {
    // told below
  }
  throw new TidemarkError(
    `cannot use ${path} because it does not say which drain this is; put a copy of it back, or drain into a new folder`,
  );
}

function makeDrainId(files: LogFiles, dataFolder: string, path: string): string {
  if (readdirSync(dataFolder).some((name) => /^lane-\d+$/.test(name)))
    throw new TidemarkError(
      `cannot use --data ${dataFolder} because it holds a log that no drain has written; try an empty folder`,
      2,
    );
  const id = randomBytes(8).toString("hex");
  const bytes = Buffer.from(`${JSON.stringify({ version: 1, id })}\n`);
  replaceFile(files, path, bytes);
  return id;
}

function tryRead(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as FileError;
    if (code === "ENOENT") return null;
    throw new TidemarkError(`cannot read ${path} because of ${code}`);
  }
}
