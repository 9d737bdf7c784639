// The log over several lives of the server: it goes on where it was, whatever the number of threads is now.
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { segmentFiles, storedAs, storedMetrics } from "../support/log-files.ts";
import { exchange, RawConnection } from "../support/raw-client.ts";
import { batch, metric, post, readStats } from "../support/requests.ts";
import { newDataFolder, type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

after(stopServers);

describe("a restart", () => {
  test("goes on with the log: nothing old changes, names of segments go on counting", {
    timeout: 120_000,
  }, async () => {
    const data = newDataFolder();
    const lives = ["1", "2", "1"];
    for (const [life, threads] of lives.entries()) {
      const before = contents(data);
      const server = await startServer(["--threads", threads], { data });
      await push(server, life, 20);
      if (life === 1) await server.kill();
      else assert.equal((await server.stop()).code, 0);
      for (const [file, text] of before)
        assert.equal(readFileSync(file, "utf8"), text, `${file} has changed`);
    }
    const values = storedAs(data, "life").map(({ value }) => value);
    assert.equal(new Set(values).size, 20 * lives.length);
    assert.equal(values.length, 20 * lives.length);
    // The first sequence of each segment is the number of lines before it in its lane.
    const lines = new Map<number, number>();
    for (const { lane, file } of segmentFiles(data)) {
      const sequence = Number.parseInt(/([0-9a-f]{16})\.jsonl$/.exec(file)![1]!, 16);
      assert.equal(sequence, lines.get(lane) ?? 0, file);
      lines.set(lane, sequence + readFileSync(file, "utf8").split("\n").length - 1);
    }
  });

  test("finds every segment sealed where the server was stopped, and reads none again", {
    timeout: 60_000,
  }, async () => {
    const data = newDataFolder();
    const first = await startServer(["--threads", "1"], { data });
    await push(first, 0, 5);
    assert.equal((await first.stop()).code, 0);
    const second = await startServer(["--threads", "1", "--log-level", "debug"], { data });
    await second.stop();
    assert.match(second.error, /"segmentCount":1,.*"segmentsChecked":0,.*"msg":"lane open"/);
  });

  test("cuts what is no whole line off the end, puts it aside and counts it", {
    timeout: 60_000,
  }, async () => {
    const data = newDataFolder();
    const first = await startServer(["--threads", "1"], { data });
    await push(first, 0, 5);
    await first.kill();
    const { file } = segmentFiles(data).at(-1)!;
    const torn = '{"ts":1,"name":"torn","value":';
    appendFileSync(file, torn);
    const second = await startServer(["--threads", "1"], { data });
    await push(second, 1, 5);
    await second.stop();
    assert.equal(storedAs(data, "life").length, 10);
    const quarantine = findFolder(data, "quarantine");
    const kept = readdirSync(quarantine).map((name) => readFileSync(join(quarantine, name), "utf8"));
    assert.deepEqual(kept, [torn]);
    assert.match(second.error, /put aside/);
  });

  test("needs no index: one that is gone is made again, and the log is the same", {
    timeout: 60_000,
  }, async () => {
    const data = newDataFolder();
    const first = await startServer(["--threads", "1"], { data });
    await push(first, 0, 50);
    await first.stop();
    const { file } = segmentFiles(data).at(-1)!;
    const text = readFileSync(file, "utf8");
    const index = file.replace(/\.jsonl$/, ".idx");
    assert.ok(existsSync(index));
    rmSync(index);
    const second = await startServer(["--threads", "1"], { data });
    await push(second, 1, 1);
    await second.stop();
    assert.ok(existsSync(index), "the index is back");
    assert.equal(readFileSync(file, "utf8").startsWith(text), true);
    assert.equal(storedMetrics(data).length, 51);
  });

  test("keeps the account to itself: counters begin at 0, the log's size does not", {
    timeout: 60_000,
  }, async () => {
    const first = await startServer(["--threads", "1"]);
    await push(first, 0, 10);
    await first.stop();
    const second = await startServer(["--threads", "1"], { data: first.data });
    const stats = await readStats(second.port);
    assert.equal(stats.accounting.received, 0);
    assert.ok(stats.log.bytes > 0);
    await second.stop();
  });

  test("with smaller segments seals and begins new ones without losing a line", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--segment-size", "64KiB"]);
    const connection = await RawConnection.open(server.port);
    const values = Array.from({ length: 100 }, (_, value) => value);
    for (let round = 0; round < 50; round++) {
      connection.send(post(batch(values.map((value) => ({ name: "rotated", value: round * 100 + value })))));
      assert.equal((await connection.answer()).status, 200);
    }
    connection.close();
    await server.stop();
    const stored = storedAs(server.data, "rotated").map(({ value }) => value);
    assert.deepEqual(
      stored,
      Array.from({ length: 5000 }, (_, value) => value),
    );
    const files = segmentFiles(server.data);
    assert.ok(files.length >= 5, `${files.length} segments`);
    for (const { file } of files) assert.ok(readFileSync(file).length <= 64 * 1024 + 20_000, file);
  });
});

async function push(server: ServerProcess, life: number, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const answer = await exchange(server.port, post(metric("life", life * 1000 + index)));
    assert.equal(answer.status, 200);
  }
}

function contents(data: string): Map<string, string> {
  if (!existsSync(data)) return new Map();
  return new Map(segmentFiles(data).map(({ file }) => [file, readFileSync(file, "utf8")]));
}

function findFolder(root: string, name: string): string {
  const found = readdirSync(root, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isDirectory() && entry.name === name,
  );
  assert.ok(found !== undefined, `no folder ${name} under ${root}`);
  return join(found.parentPath, found.name);
}
