// received = stored + Σ rejected, at every moment, and equal to what the clients saw.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { storedMetrics } from "../support/log-files.ts";
import { exchange, RawConnection } from "../support/raw-client.ts";
import { batch, get, type Headers, metric, post, readStats } from "../support/requests.ts";
import { eventually, startServer, stopServers } from "../support/server-process.ts";

after(stopServers);

/** What a client sends, and the reason that the server counts it under; "" for stored. */
const KINDS: readonly [reason: string, bytes: Buffer][] = [
  ["", post(metric("one"))],
  ["", post(batch([1, 2, 3].map((value) => ({ name: "three", value }))))],
  ["", post(metric("one"), { Prefer: "ack=synced" })],
  ["json", post("{")],
  ["batch", post('{"metrics":[]}')],
  ["media_type", post(metric("never"), { "Content-Type": "image/png" })],
  ["content_coding", post(metric("never"), { "Content-Encoding": "br" })],
  ["content_corrupt", post(metric("never"), { "Content-Encoding": "gzip" })],
  ["client_id", post(metric("never"), { "X-Client-Id": "a b" })],
  ["preference", post(metric("never"), { Prefer: "ack=maybe" })],
];

describe("accounting", () => {
  test("balances in every reading under load, and in the end is what the clients saw", {
    timeout: 90_000,
  }, async () => {
    const server = await startServer(["--threads", "2", "--rate-limit", "2000"]);
    const seen: Record<string, number> = {};
    let metrics = 0;
    let isOver = false;
    const load = Array.from({ length: 8 }, async (_, client) => {
      const headers: Headers = client < 4 ? { "X-Client-Id": "greedy" } : {};
      for (let connection = 0; connection < 3; connection++) {
        const socket = await RawConnection.open(server.port);
        for (let round = 0; round < 100; round++) {
          const kind = KINDS[(client * 7 + round) % KINDS.length]!;
          const requests = [kind, ["", post(metric("one"), headers)] as const, kind];
          socket.send(Buffer.concat(requests.map(([, bytes]) => bytes)));
          for (const [reason] of requests) {
            const answer = await socket.answer();
            const told = answer.status === 429 ? "rate_limit" : reason;
            assert.equal(answer.status === 200, told === "", `${answer.status} for ${reason}`);
            seen[told] = (seen[told] ?? 0) + 1;
            if (told === "") metrics += JSON.parse(answer.body).metrics_processed;
          }
        }
        socket.send("NONSENSE\r\n\r\n");
        assert.equal((await socket.answer()).status, 400);
        seen.bad_request = (seen.bad_request ?? 0) + 1;
        socket.close();
      }
    });
    const watch = (async () => {
      let readings = 0;
      while (!isOver) {
        assertBalanced((await readStats(server.port)).accounting);
        readings++;
      }
      return readings;
    })();
    await Promise.all(load);
    isOver = true;
    assert.ok((await watch) > 3);

    const { accounting, metrics_stored } = await readStats(server.port);
    assertBalanced(accounting);
    assert.equal(accounting.in_flight, 0);
    const { "": stored, ...rejected } = seen;
    assert.equal(accounting.stored, stored);
    assert.deepEqual(
      Object.fromEntries(Object.entries(accounting.rejected).filter(([, count]) => count > 0)),
      rejected,
    );
    assert.equal(metrics_stored, metrics);
    assert.equal(storedMetrics(server.data).length, metrics);
    assert.deepEqual(await prometheusAccount(server.port), { received: accounting.received, stored });
  });

  test("counts a connection over the cap and a body over the limit as rejected", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--connections-max", "2", "--body-max", "1KiB"]);
    const one = await RawConnection.open(server.port);
    one.send(post(Buffer.alloc(2000, " ")));
    assert.equal((await one.answer()).status, 413);
    one.close();
    await eventually(
      "the connection is gone",
      async () => (await readStats(server.port)).connections.open === 1,
    );
    const inside = await Promise.all([RawConnection.open(server.port), RawConnection.open(server.port)]);
    for (const connection of inside) {
      connection.send(get("/health"));
      assert.equal((await connection.answer()).status, 200);
    }
    assert.equal((await exchange(server.port, post(metric("never")))).status, 503);
    for (const connection of inside) connection.close();
    // Where there is no room yet, the answer is a 503 and no statistics.
    const accounting = await eventually(
      "there is room to ask",
      async () => (await readStats(server.port)).accounting,
    );
    assertBalanced(accounting);
    assert.equal(accounting.rejected.length, 1, JSON.stringify(accounting));
    assert.ok(accounting.rejected.connections! >= 1);
    assert.equal(accounting.stored, 0);
  });
});

function assertBalanced(accounting: {
  received: number;
  stored: number;
  rejected: Record<string, number>;
}): void {
  const rejected = Object.values(accounting.rejected).reduce((sum, count) => sum + count, 0);
  assert.equal(accounting.received, accounting.stored + rejected, JSON.stringify(accounting));
}

async function prometheusAccount(port: number): Promise<{ received: number; stored: number }> {
  const answer: Answer = await exchange(port, get("/metrics"));
  const figure = (name: string): number => {
    const line = answer.body.split("\n").find((text) => text.startsWith(`${name} `));
    assert.ok(line !== undefined, name);
    return Number(line.slice(name.length + 1));
  };
  return {
    received: figure("tidemark_batches_received_total"),
    stored: figure("tidemark_batches_stored_total"),
  };
}
