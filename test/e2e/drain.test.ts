// SIGTERM under load: every request that was sent is answered, nobody is reset in the middle of one, what was
// acknowledged is stored, and the process exits 0. The server itself gives up after 4.8 s with another exit code, so
// exit code 0 also says that it was in time.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { get, metric, post } from "../support/requests.ts";
import { eventually, IS_BUN, startServer, stopServers } from "../support/server-process.ts";
import { DrainClients, METRIC } from "./drain-clients.ts";

after(stopServers);

describe("SIGTERM", () => {
  for (const [threads, ...flags] of [[1], [3], [1, "--ack", "synced"], [2, "--keep-alive", "off"]] as const) {
    const words = ["--threads", `${threads}`, ...flags];
    test(`under load, ${words.join(" ")}: all are answered, nothing acknowledged is lost, exit 0`, {
      timeout: 60_000,
    }, async () => {
      const server = await startServer([...words, "--rate-limit", "0"]);
      const clients = new DrainClients(server);
      const done = clients.run();
      await eventually("there is load", () => clients.acknowledged.length > 300);
      const exit = await server.stop();
      await done;
      assert.deepEqual(exit, { code: 0, signal: null }, server.error);
      assert.deepEqual(clients.cut, []);
      // On Bun the kernel is told to begin no handshake any more; on Node there is no way to, and the long run counts them.
      if (IS_BUN) assert.equal(clients.neverTaken, 0);
      const stored = storedAs(server.data, METRIC).map(({ value }) => value);
      const sorted = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b);
      assert.deepEqual(sorted(stored), sorted(clients.acknowledged), "stored once is what was acknowledged");
    });
  }

  test("finishes a request that has begun, says that it is the last, and is not ready meanwhile", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1"]);
    const idle = await RawConnection.open(server.port);
    const busy = await RawConnection.open(server.port);
    idle.send(get("/ready"));
    assert.equal((await idle.answer()).status, 200);
    // Half a head is here when the signal comes, and the rest, with one more batch, a while later.
    const whole = post(metric("drained", 1));
    busy.send(whole.subarray(0, 30));
    server.signal("SIGTERM");
    const unready = await eventually("it is not ready", async () => {
      idle.send(get("/ready"));
      const answer = await idle.answer();
      return answer.status === 503 ? answer : undefined;
    });
    assert.equal(unready.headers.get("connection"), "close");
    busy.send(Buffer.concat([whole.subarray(30), whole]));
    const answers = await busy.answersToTheEnd();
    assert.deepEqual(
      answers.map((answer) => [answer.status, answer.headers.get("connection")]),
      [[200, "close"]],
      "the second one is not read, and its sender is told so",
    );
    assert.equal((await server.exited).code, 0, server.error);
  });

  test("does not wait for those that never finish, and SIGINT is the same", { timeout: 60_000 }, async () => {
    const drains = (["SIGTERM", "SIGINT"] as const).map(async (signal) => {
      const server = await startServer(["--threads", "1"]);
      const stuck = await RawConnection.open(server.port);
      stuck.send("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
      const silent = await RawConnection.open(server.port);
      silent.send(get("/health"));
      await silent.answer();
      server.signal(signal);
      assert.deepEqual(await server.exited, { code: 0, signal: null }, server.error);
      await silent.ended();
      await stuck.ended();
      stuck.close();
      silent.close();
    });
    await Promise.all(drains);
  });
});
