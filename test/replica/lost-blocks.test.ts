// Blocks that the stream has acknowledged and lost before a drain had them: the node sends them again, and a drain stores each
// line once all the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { drains, spawnDrain } from "../support/drain-process.ts";
import { segmentFiles, storedMetrics } from "../support/log-files.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually, newDataFolder, type ServerProcess, stopServers } from "../support/server-process.ts";
import { closeBeds, ReplicaBed, STREAM, StreamReader } from "./replica-bed.ts";

/** Some ten blocks. */
const LINES = 40_000;
const LF = 0x0a;
const LOST = /^the stream has lost lines that it had acknowledged/;

let node: NatsNode;
let reader: StreamReader;

before(async () => {
  if (natsServerMissing !== false) return;
  node = await startNatsServer();
  reader = await StreamReader.open({ servers: node.url });
});
after(async () => {
  await closeBeds();
  await stopServers();
  await stopNatsServers();
});

describe("what the stream loses behind its own word", { skip: natsServerMissing }, () => {
  test("is sent again from the log, and in the store once", { timeout: 120_000 }, async () => {
    const bed = new ReplicaBed();
    const data = newDataFolder();
    bed.add(10);
    bed.run({ servers: [node.url] });
    let drain = await start(data);
    await hasLines(data, 10);
    assert.deepEqual(await drain.stop(), { code: 0, signal: null });

    await bed.close();
    bed.add(LINES);
    bed.run({ servers: [node.url] });
    await bed.caughtUp();
    const { first_seq, last_seq } = (await reader.manager.streams.info(STREAM.stream)).state;
    assert.ok(last_seq - first_seq > 5, "there are some blocks");
    for (const lost of [first_seq, first_seq + 2, first_seq + 3, last_seq])
      await reader.manager.streams.deleteMessage(STREAM.stream, lost);

    drain = await start(data);
    await hasLines(data, 10 + LINES);
    assert.deepEqual(await drain.stop(), { code: 0, signal: null });
    const names = storedMetrics(data).map(({ name }) => name);
    assert.deepEqual([names.length, new Set(names).size], [10 + LINES, 10 + LINES]);
    assert.ok(bed.said.some(({ text }) => LOST.test(text)));
  });
});

async function start(data: string): Promise<ServerProcess> {
  const drain = spawnDrain(node.url, STREAM.stream, data);
  await drains(drain);
  return drain;
}

/** Counted by their line feeds: the last one may be half there. */
async function hasLines(data: string, lines: number): Promise<void> {
  const count = () =>
    segmentFiles(data)
      .map(({ file }) => readFileSync(file).reduce((sum, byte) => sum + (byte === LF ? 1 : 0), 0))
      .reduce((sum, some) => sum + some, 0);
  await eventually(
    () => `the store has ${lines} lines; it has ${count()}`,
    () => count() >= lines,
    60_000,
  );
}
