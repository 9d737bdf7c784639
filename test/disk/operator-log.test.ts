// The operator's log is often a file on the disk that is full.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { withoutDescriptorLimits } from "../bottlenecks/permitted.ts";
import { exchange } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import { eventually, newDataFolder, startServer, stopServers } from "../support/server-process.ts";
import { limitFileSize } from "./injection.ts";

after(stopServers);

test("a standard error that takes no more does not end the server, and gets its lines when there is room", {
  skip: withoutDescriptorLimits() ?? false,
  timeout: 60_000,
}, async () => {
  const data = newDataFolder();
  const log = join(dirname(data), "standard-error");
  const server = await startServer(["--threads", "1"], {
    data,
    wrapper: ["sh", "-c", `exec "$@" 2> "$0"`, log],
  });
  const push = async () => (await exchange(server.port, post(metric("room")))).status;
  assert.equal(await push(), 200);
  // no file of the process takes another byte, neither the segment nor the log
  limitFileSize(server.child.pid!, 1);
  assert.equal(await push(), 503);
  await eventually("a probe has failed too, and nobody could be told", async () => (await push()) === 503);
  assert.doesNotMatch(readFileSync(log, "utf8"), /refused with 503/);

  limitFileSize(server.child.pid!, "unlimited");
  await eventually("it stores again", async () => (await push()) === 200);
  assert.equal((await server.stop()).code, 0);
  const told = readFileSync(log, "utf8");
  for (const line of told.split("\n").slice(0, -1)) JSON.parse(line);
  assert.match(told, /batches are refused with 503/);
  assert.match(told, /the disk takes batches again/);
});
