// Settings that cannot be, as an operator meets them; and what the server must never repeat.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { logLines } from "../support/log-files.ts";
import { exchange } from "../support/raw-client.ts";
import { get, metric, post, readStats } from "../support/requests.ts";
import { newDataFolder, spawnServer, startServer, stopServers } from "../support/server-process.ts";

after(stopServers);

describe("serve", () => {
  test("refuses a bad value with exit code 2 and one line that names the flag", {
    timeout: 60_000,
  }, async () => {
    for (const [flag, value] of [
      ["--threads", "0"],
      ["--ack", "maybe"],
      ["--body-max", "1GiB"],
      ["--nonsense", "1"],
    ] as const) {
      const server = spawnServer([flag, value]);
      assert.deepEqual(await server.exited, { code: 2, signal: null }, server.error);
      assert.equal(server.error.trimEnd().split("\n").length, 1, server.error);
      assert.ok(server.error.includes(flag), server.error);
      assert.equal(server.out, "");
    }
  });

  test("refuses a port that is taken, and the server that has it goes on alone", {
    timeout: 60_000,
  }, async () => {
    const first = await startServer(["--threads", "1"]);
    const second = spawnServer(["--threads", "1", "--port", String(first.port)]);
    assert.equal((await second.exited).code, 1, second.error);
    assert.match(second.error, new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${first.port}`));
    for (let round = 0; round < 10; round++) {
      assert.equal((await exchange(first.port, get("/health"))).status, 200);
    }
  });

  test("refuses a data folder that cannot be one", { timeout: 60_000 }, async () => {
    const file = newDataFolder();
    writeFileSync(file, "");
    const server = spawnServer(["--threads", "1"], { data: file });
    assert.equal((await server.exited).code, 1);
    assert.match(server.error, /cannot use --data/);
  });

  test("takes its settings from the environment and a file, a flag beating both", {
    timeout: 60_000,
  }, async () => {
    const data = newDataFolder();
    const config = join(dirname(data), "tidemark.yaml");
    mkdirSync(dirname(data), { recursive: true });
    writeFileSync(config, "threads: 1\nbatch-max: 5\nrate-limit: 7\nbody-max: 2KiB\n");
    const server = await startServer(["--config", config, "--rate-limit", "9"], {
      data,
      environment: { TIDEMARK_BATCH_MAX: "6", TIDEMARK_RATE_LIMIT: "8" },
    });
    const { settings } = await readStats(server.port);
    assert.deepEqual(
      [settings.threads, settings.batchMetricsMax, settings.rateLimit, settings.bodyBytesMax],
      [1, 6, 9, 2048],
    );
  });

  test("never repeats a secret: not in the log, not on stderr, not in any page", {
    timeout: 60_000,
  }, async () => {
    const secrets = ["hunter2-flag", "hunter2-environment", "hunter2-header", "hunter2-wrong"];
    const open = await startServer(["--threads", "1"]);
    await exchange(open.port, post(metric("open"), { Authorization: "Bearer hunter2-header" }));
    const closed = [
      await startServer(["--threads", "1", "--token", "web=hunter2-flag"]),
      await startServer(["--threads", "1"], { environment: { TIDEMARK_TOKEN: "db=hunter2-environment" } }),
    ];
    for (const server of [open, ...closed]) {
      for (const secret of secrets) {
        await exchange(server.port, post(metric("token"), { Authorization: `Bearer ${secret}` }));
        await exchange(server.port, post("{", { Authorization: `Bearer ${secret}` }));
      }
      let told = server.error + server.out;
      for (const page of ["/", "/stats", "/metrics", "/health", "/ready"]) {
        const answer = await exchange(server.port, get(page, { Authorization: "Bearer hunter2-wrong" }));
        told += answer.head + answer.body;
      }
      for (const { text } of logLines(server.data)) told += text;
      assert.doesNotMatch(told, /hunter2/);
      const { code } = await server.stop();
      assert.equal(code, 0);
      assert.doesNotMatch(server.error, /hunter2/);
    }
  });
});
