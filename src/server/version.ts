// What this program is called where it speaks of itself.

import { readFileSync } from "node:fs";

export const VERSION: string = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
).version;

export const RUNTIME: string =
  process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
