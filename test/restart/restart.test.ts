// The short form of `npm run attack -- restart`: the same starts on a small log, for what they keep.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { newDataFolder, stopServers } from "../support/server-process.ts";
import { LANES, makeLog } from "./made-log.ts";
import { restart } from "./restarts.ts";

after(stopServers);

test("a start keeps every whole line that the run before it has left, with damage in the last segments", async () => {
  const log = makeLog(newDataFolder(), 4 * 1024 * 1024, 1024 * 1024);
  const damaged = await restart(log, "SIGKILL, and damage");
  assert.deepEqual([damaged.linesLost, damaged.damagedRecords], [0, LANES]);
});
