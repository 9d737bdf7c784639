// A drain in this process, on files that fail when the test says so: syncs that fail, a store that has lost its end.

import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FaultyFiles } from "../../src/log/faulty-files.ts";
import { NO_CREDENTIALS } from "../../src/nats/nats-settings.ts";
import { runDrain } from "../../src/replica/drain/drain.ts";
import { openDataFolder } from "../../src/server/data-folder.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually, newDataFolder, stopServers } from "../support/server-process.ts";
import { DrainBed, STREAM } from "./drain-bed.ts";

const SETTINGS = {
  segmentBytesMax: 64 * 1024,
  segmentAgeMsMax: 3_600_000,
  retentionAgeMs: 0,
  retentionBytes: 0,
};

describe("a drain on a disk that fails", { skip: natsServerMissing, timeout: 120_000 }, () => {
  let node: NatsNode;
  let bed: DrainBed;
  before(async () => {
    node = await startNatsServer();
    bed = await DrainBed.open(node, 2);
  });
  after(async () => {
    await bed.close();
    await stopServers();
    await stopNatsServers();
  });

  /** Drains until it is told to stop. What it has said is in `said`. */
  function start(data: string, files = new FaultyFiles(), settings = SETTINGS) {
    openDataFolder(data);
    bed.reads(data);
    const said: string[] = [];
    const stop = new AbortController();
    const running = runDrain(
      {
        nats: { servers: [node.url], ...NO_CREDENTIALS },
        stream: STREAM,
        dataFolder: data,
        settings,
        files,
        log: (level, text, fields) => void said.push(`${level} ${text} ${JSON.stringify(fields)}`),
        onLaneEvent: () => {},
        onReady: () => {},
      },
      stop.signal,
    );
    const end = async () => {
      stop.abort();
      await running;
    };
    return { said, end };
  }

  test("opens its lane anew after a sync that failed, and stores each line once", async () => {
    const files = new FaultyFiles();
    let syncs = 0;
    files.onSync = () => (++syncs % 3 === 0 ? "EIO" : null);
    const drain = start(newDataFolder(), files);
    for (let from = 0; from < 3_000; from += 100)
      for (const lane of [0, 1]) await bed.publish(lane, from, from + 150);
    await bed.emptied();
    assert.ok(syncs >= 3, `${syncs} syncs`);
    await drain.end();
    bed.assertOnce();
    const outages = drain.said.filter((text) => text.includes("the disk takes no more")).length;
    assert.ok(outages > 0, drain.said.join("\n"));
    assert.equal(drain.said.filter((text) => text.includes("the disk takes blocks again")).length, outages);
  });

  test("waits out writes that find it full, and stores each line once", async () => {
    const files = new FaultyFiles();
    let writes = 0;
    files.onWrite = () => (++writes % 2 === 1 ? { code: "ENOSPC" } : null);
    const drain = start(newDataFolder(), files);
    for (let from = 5_000; from < 5_500; from += 100)
      for (const lane of [0, 1]) await bed.publish(lane, from, from + 150);
    await bed.emptied();
    await drain.end();
    bed.assertOnce();
  });

  test("that has lost what was drained says how much, and goes on", async () => {
    const data = newDataFolder();
    const before = start(data);
    await bed.publish(0, 10_000, 10_100, "00000000000000cc");
    await bed.emptied();
    await before.end();
    for (const name of readdirSync(join(data, "lane-0")))
      rmSync(join(data, "lane-0", name), { recursive: true });
    bed.forgets("00000000000000cc", 0);
    const after = start(data);
    await eventually("it says what is lost", () =>
      after.said.some((text) => /fewer lines than were drained into it.*"lines":100/.test(text)),
    );
    await bed.publish(0, 10_050, 10_200, "00000000000000dd");
    await bed.emptied();
    await after.end();
    bed.assertOnce();
    const again = start(data);
    await bed.publish(0, 10_200, 10_300, "00000000000000dd");
    await bed.emptied();
    await again.end();
    bed.assertOnce();
    assert.ok(!again.said.some((text) => text.includes("fewer lines")), again.said.join("\n"));
  });

  test("whose bucket was deleted keeps what its store has", async () => {
    const data = newDataFolder();
    const before = start(data);
    await bed.publish(0, 20_000, 20_100);
    await bed.emptied();
    await before.end();
    await bed.manager.streams.delete(`KV_${STREAM}_drains`);
    const after = start(data);
    await bed.publish(0, 20_100, 20_200);
    await bed.emptied();
    await after.end();
    bed.assertOnce();
    assert.ok(
      after.said.some((text) => text.includes("all of it counts as drained")),
      after.said.join("\n"),
    );
  });
});
