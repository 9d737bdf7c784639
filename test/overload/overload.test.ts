// The short form of long.ts: what an overloaded server answers, with no time asserted.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { batch, get, type Metric, metric, post, readStats } from "../support/requests.ts";
import { IS_BUN, startServer, stopServers } from "../support/server-process.ts";
import { ThrottledDisk, withoutThrottledDisk } from "./throttled-disk.ts";

after(stopServers);

const DISK_BYTES_PER_S = 4_000_000;
const CONNECTIONS = 6;
const METRICS = 1000;
/** Batches that all of them together send at most. */
const BATCHES_MAX = 600;

test("a client over its budget gets that, and 429 with Retry-After beyond it; another is not touched", {
  timeout: 60_000,
}, async () => {
  const budget = 40;
  const server = await startServer(["--threads", "1", "--rate-limit", `${budget}`]);
  const [greedy, modest] = [await RawConnection.open(server.port), await RawConnection.open(server.port)];
  const requests = 6 * budget;
  for (let sent = 0; sent < requests; sent++)
    greedy.send(post(metric("greedy"), { "X-Client-Id": "greedy" }));
  let taken = 0;
  for (let answered = 0; answered < requests; answered++) {
    if (answered % 40 === 0) {
      modest.send(post(metric("modest"), { "X-Client-Id": "modest" }));
      assert.equal((await modest.answer()).status, 200);
    }
    const { status, headers, head } = await greedy.answer();
    if (status === 200) taken++;
    else {
      assert.equal(status, 429);
      assert.ok(Number(headers.get("retry-after")) >= 1, head);
    }
  }
  assert.ok(taken >= 1 && taken < requests, `${taken} of ${requests} were taken`);
  assert.equal(storedAs(server.data, "greedy").length, taken);
  assert.equal((await readStats(server.port)).accounting.rejected.rate_limit, requests - taken);
  greedy.close();
  modest.close();
  assert.equal((await server.stop()).code, 0, server.error);
});

// A disk that is really slow takes root and a second; it is the same code on both runtimes.
const missing = IS_BUN ? "on Node only" : withoutThrottledDisk();
if (missing === null)
  describe("a disk that is too slow", () => {
    test("is 503 with Retry-After at once, stores what it said 200 for and nothing else, and is over with the load", {
      timeout: 60_000,
    }, async () => {
      const disk = ThrottledDisk.make(DISK_BYTES_PER_S);
      const server = await disk.startServer(["--threads", "1", "--rate-limit", "0"]);
      try {
        const stored: number[] = [];
        let [refused, sent] = [0, 0];
        const push = async (connection: RawConnection): Promise<void> => {
          while (refused < CONNECTIONS && sent < BATCHES_MAX) {
            const first = sent++ * METRICS;
            const metrics = Array.from({ length: METRICS }, (_, at) => ({ name: "slow", value: first + at }));
            connection.send(post(batch(metrics)));
            const { status, headers, head } = await connection.answer();
            if (status === 200) stored.push(first);
            else {
              assert.equal(status, 503, head);
              assert.ok(Number(headers.get("retry-after")) >= 1, head);
              refused++;
              connection.send(get("/health"));
              assert.equal((await connection.answer()).status, 200);
            }
          }
        };
        const connections = await Promise.all(
          Array.from({ length: CONNECTIONS }, () => RawConnection.open(server.port)),
        );
        await Promise.all(connections.map(push));
        assert.ok(refused > 0, `none of ${sent} batches was refused`);
        connections[0]!.send(post(metric("next")));
        assert.equal((await connections[0]!.answer()).status, 200);
        assert.equal((await readStats(server.port)).accounting.rejected.queue, refused);
        for (const connection of connections) connection.close();
        assert.equal((await server.stop()).code, 0, server.error);
        const lines = disk.readLog().split("\n").slice(0, -1);
        const values = lines.map((line) => JSON.parse(line) as Metric).filter(({ name }) => name === "slow");
        assert.deepEqual(
          values.map(({ value }) => value).sort((a, b) => a - b),
          stored
            .sort((a, b) => a - b)
            .flatMap((first) => Array.from({ length: METRICS }, (_, at) => first + at)),
        );
      } finally {
        await server.kill();
        disk.remove();
      }
    });
  });
