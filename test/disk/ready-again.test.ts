// A balancer sends nothing to a server that is not ready, so that no batch can find out that the disk has room again.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { withoutDescriptorLimits } from "../bottlenecks/permitted.ts";
import { exchange } from "../support/raw-client.ts";
import { get, metric, post } from "../support/requests.ts";
import { eventually, startServer, stopServers } from "../support/server-process.ts";
import { limitFileSize } from "./injection.ts";

after(stopServers);

test("a server whose disk was full is ready again though no batch has come since", {
  skip: withoutDescriptorLimits() ?? false,
  timeout: 60_000,
}, async () => {
  const server = await startServer(["--threads", "1"]);
  const push = async () => (await exchange(server.port, post(metric("room")))).status;
  const ready = async () => (await exchange(server.port, get("/ready"))).status;
  assert.equal(await push(), 200);
  limitFileSize(server.child.pid!, 1);
  assert.equal(await push(), 503);
  assert.equal(await ready(), 503);
  limitFileSize(server.child.pid!, "unlimited");
  await eventually("it is ready", async () => (await ready()) === 200);
  assert.equal(await push(), 200, "and the next batch is stored, not a probe's victim");
  assert.deepEqual(
    readdirSync(join(server.data, "lane-0")).filter((name) => name.endsWith(".tmp")),
    [],
    "what it tried the disk with is gone",
  );
});
