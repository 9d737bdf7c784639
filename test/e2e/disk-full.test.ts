// A disk that is really full: a small file system in memory, mounted for the test, which takes root.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { logLines, storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { batch, errorOf, get, post, readStats } from "../support/requests.ts";
import {
  eventually,
  newDataFolder,
  type ServerProcess,
  startServer,
  stopServers,
} from "../support/server-process.ts";

const folder = dirname(newDataFolder());
const mount = join(folder, "small-disk");
const data = join(mount, "data");
const ballast = join(mount, "ballast");
const MIB = 1024 * 1024;
const BATCH_METRICS = 1000;

mkdirSync(mount);
const mounting = spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", mount], {
  encoding: "utf8",
});
const isMounted = mounting.status === 0;

describe("a full disk", { skip: isMounted ? false : "mounting a file system is not allowed here" }, () => {
  let server: ServerProcess;

  before(
    async () => {
      server = await startServer(["--threads", "1", "--segment-size", "256KiB"], { data });
    },
    { timeout: 60_000 },
  );

  // A folder can only be removed once nothing is mounted in it; the lazy form waits for the last to leave.
  after(async () => {
    await server.kill();
    spawnSync("umount", ["-l", mount]);
    await stopServers();
  });

  test("is 503 until there is room again, with nothing to restart and nothing half stored", {
    timeout: 60_000,
  }, async () => {
    const connection = await RawConnection.open(server.port);
    let sent = 0;
    const push = async () => {
      const first = sent;
      sent += BATCH_METRICS;
      connection.send(
        post(batch(Array.from({ length: BATCH_METRICS }, (_, at) => ({ name: "full", value: first + at })))),
      );
      return { first, answer: await connection.answer() };
    };
    const stored: number[] = [];
    const refused: number[] = [];
    const pushUntil = async (status: number): Promise<void> => {
      await eventually(`a batch is answered ${status}`, async () => {
        const { first, answer } = await push();
        if (answer.status === 200) stored.push(first);
        else {
          assert.equal(answer.status, 503);
          assert.match(errorOf(answer), /disk is full/);
          assert.ok(Number(answer.headers.get("retry-after")) >= 1, answer.head);
          refused.push(first);
        }
        return answer.status === status;
      });
    };

    await pushUntil(200);
    for (const ballastBytes of [3 * MIB, MIB]) {
      writeFileSync(ballast, Buffer.alloc(ballastBytes));
      await pushUntil(503);
      await eventually("it says so", async () => (await readStats(server.port)).disk.state === "full");
      connection.send(get("/ready"));
      assert.equal((await connection.answer()).status, 503);
      connection.send(get("/health"));
      assert.equal((await connection.answer()).status, 200);

      rmSync(ballast);
      await pushUntil(200);
      connection.send(get("/ready"));
      assert.equal((await connection.answer()).status, 200);
    }
    connection.close();

    const lines = storedAs(data, "full").map(({ value }) => value);
    assert.deepEqual(
      lines,
      stored.flatMap((first) => Array.from({ length: BATCH_METRICS }, (_, at) => first + at)),
      "every batch that got 200 is there whole and in order, and no line of the others",
    );
    assert.ok(refused.length > 1);
    const { accounting } = await readStats(server.port);
    assert.equal(accounting.stored, stored.length);
    assert.equal(accounting.rejected.disk_full, refused.length);
  });

  test("does not keep the server from ending well, nor from starting again with what is there", {
    timeout: 60_000,
  }, async () => {
    const lines = [...logLines(data)].length;
    assert.equal((await server.stop()).code, 0, server.error);
    assert.equal([...logLines(data)].length, lines);
    server = await startServer(["--threads", "1"], { data });
    assert.equal([...logLines(data)].length, lines);
  });
});
