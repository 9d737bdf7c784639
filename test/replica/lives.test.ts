// A lost folder, a dead thread: what the stream has is told apart, and answers go on.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually, newDataFolder, startServer, stopServers } from "../support/server-process.ts";
import { breakThread, startBreakableServer } from "../support/thread-faults.ts";
import { closeBeds, StreamReader } from "./replica-bed.ts";
import {
  assertInStream,
  assertStored,
  put,
  REPLICATED,
  replicating,
  timesTold,
} from "./replicating-server.ts";

let steady: NatsNode;
let reader: StreamReader;

before(async () => {
  if (natsServerMissing !== false) return;
  steady = await startNatsServer();
  reader = await StreamReader.open({ servers: steady.url });
});
after(async () => {
  await closeBeds();
  await stopServers();
  await stopNatsServers();
});

describe("what replicates", { skip: natsServerMissing }, () => {
  test("counts as another log when its folder was lost, under the same name", async () => {
    const data = newDataFolder();
    for (const life of ["first", "second"]) {
      const server = await startServer(replicating(steady.url, "lost"), { data });
      await eventually("it flows", async () => (await put(server, `${life}.0`, REPLICATED)).status === 200);
      await assertStored(server, `${life}.1`, REPLICATED);
      await server.stop();
      rmSync(data, { recursive: true });
    }
    await assertInStream(reader, "lost", ["first.0", "first.1", "second.0", "second.1"]);
    const blocks = await reader.blocks("lost");
    assert.equal(new Set(blocks.map(({ origin }) => origin)).size, 2);
  });

  test("is replaced where its thread dies, and answers go on", async () => {
    const server = await startBreakableServer(replicating(steady.url, "deaths"));
    await eventually("it flows", async () => (await put(server, "before", REPLICATED)).status === 200);
    // The threads are numbered in the order of their start: the one that takes requests, then this one.
    breakThread(server, 1, "terminate");
    await eventually(
      "its death is told",
      () => timesTold(server, "the thread that replicates the log died and is replaced") === 1,
    );
    await assertStored(server, "meanwhile");
    await eventually("it flows again", async () => (await put(server, "after", REPLICATED)).status === 200);
    await assertInStream(reader, "deaths", ["before", "meanwhile", "after"]);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("cannot begin with cursors that are none: it is told by the file, and over when that is gone", async () => {
    const data = newDataFolder();
    const path = join(data, "followers", "replicate.json");
    mkdirSync(join(data, "followers"), { recursive: true });
    writeFileSync(path, "garbage");
    const server = await startServer(replicating(steady.url, "garbage"), { data });
    await eventually(
      "it is told",
      () => timesTold(server, `cannot use ${path} because it holds no cursors`) > 0,
    );
    await assertStored(server, "kept");
    assert.equal((await put(server, "refused", REPLICATED)).status, 503);
    rmSync(path);
    await assertInStream(reader, "garbage", ["kept"]);
    await server.stop();
  });
});
