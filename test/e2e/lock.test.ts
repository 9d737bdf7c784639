// One server to a data folder, told apart by who lives, not by who left a file.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { after, describe, test } from "node:test";
import { storedAs } from "../support/log-files.ts";
import { exchange } from "../support/raw-client.ts";
import { metric, post } from "../support/requests.ts";
import {
  eventually,
  newDataFolder,
  spawnServer,
  startServer,
  stopServers,
} from "../support/server-process.ts";

after(stopServers);

describe("the data folder", () => {
  test("that a server holds is refused to a second one, which says who holds it; the first notices nothing", {
    timeout: 60_000,
  }, async () => {
    const first = await startServer(["--threads", "1"]);
    const second = spawnServer(["--threads", "1"], { data: first.data });
    const exit = await second.exited;
    assert.equal(exit.code, 1, second.error);
    assert.equal(second.out, "");
    assert.match(second.error, new RegExp(`process ${first.child.pid} at ${first.address}`));
    assert.equal((await exchange(first.port, post(metric("undisturbed")))).status, 200);
    assert.equal((await first.stop()).code, 0);
    const third = await startServer(["--threads", "1"], { data: first.data });
    await third.stop();
  });

  test("is free again the moment its holder is killed", { timeout: 60_000 }, async () => {
    const first = await startServer(["--threads", "1"]);
    await first.kill();
    const second = await startServer(["--threads", "1"], { data: first.data });
    assert.equal((await exchange(second.port, post(metric("after_kill")))).status, 200);
    await second.stop();
    assert.equal(storedAs(first.data, "after_kill").length, 1);
    assert.deepEqual(
      readdirSync(first.data).filter((name) => name.startsWith("lock-")),
      [],
    );
  });

  test("goes to one of many that start at once, and every other says so", { timeout: 90_000 }, async () => {
    const data = newDataFolder();
    const rivals = Array.from({ length: 5 }, () => spawnServer(["--threads", "1"], { data }));
    const losers: typeof rivals = [];
    for (const rival of rivals) rival.exited.then(() => losers.push(rival));
    await eventually("four have given up", () => losers.length >= 4, 60_000);
    const winner = rivals.find((rival) => !losers.includes(rival));
    assert.ok(winner !== undefined, "one of them holds");
    for (const loser of losers) assert.match(loser.error, /^cannot use --data .* because /);
    await eventually("the winner serves", () => /listens on/.test(winner.out));
  });

  test("is made where it is not there, for its owner alone", { timeout: 60_000 }, async () => {
    const server = await startServer(["--threads", "1"]);
    await exchange(server.port, post(metric("private")));
    assert.equal(statSync(server.data).mode & 0o777, 0o700);
    await server.stop();
  });
});
