// A place of its own for one server and what it is sent, removed afterwards whatever happened.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { encodeTidemark, makeBatches } from "./workload.ts";

/** `server/` inside is empty and is the server's. */
export async function withFolder<T>(use: (folder: string, serverFolder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(os.tmpdir(), "tidemark-bench-"));
  const serverFolder = join(folder, "server");
  mkdirSync(serverFolder);
  try {
    return await use(folder, serverFolder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    execFileSync("sync"); // the next contender must not pay for this one's dirty pages
  }
}

/** A 3-metric batch in a file, for the clients that are programs of their own. */
export function writeBody(folder: string): string {
  const path = join(folder, "body.json");
  writeFileSync(path, encodeTidemark(makeBatches(1, 3, Date.now())[0]!));
  return path;
}
