// The README's first command, ended as a service manager would end it: by a signal to npm, not to the server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { eventually, newDataFolder, stopServers } from "../support/server-process.ts";

after(stopServers);

test("npm start hands SIGTERM on: the server drains, exits 0, and nothing is left running", {
  timeout: 60_000,
}, async () => {
  const npm = spawn("npm", ["start", "--silent", "--", "--port", "0", "--data", newDataFolder()]);
  let out = "";
  for (const stream of [npm.stdout, npm.stderr]) stream.on("data", (bytes: Buffer) => (out += bytes));
  await eventually("the server listens", () => out.includes("listens on"), 30_000);
  const server = Number(/"pid":(\d+)/.exec(out)?.[1]);
  npm.kill("SIGTERM");
  const [code] = await once(npm, "exit");
  let isRunning = true;
  try {
    process.kill(server, 0);
    process.kill(server, "SIGTERM");
  } catch {
    isRunning = false;
  }
  assert.equal(isRunning, false, "the server is gone with npm");
  assert.equal(code, 0, out);
  assert.match(out, /"drained"/);
});
