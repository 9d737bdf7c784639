// Who may send how much: tokens, names, rates, connections, memory. Everything is decided before the body is read.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { storedAs } from "../support/log-files.ts";
import { exchange, RawConnection } from "../support/raw-client.ts";
import { batch, errorOf, get, type Headers, metric, post, request } from "../support/requests.ts";
import { eventually, pause, startServer, stopServers } from "../support/server-process.ts";

after(stopServers);

describe("tokens:", () => {
  test("only those that are configured are admitted, and the token's name is the client", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--token", "web=s3cret-1", "--token", "db=s3cret-2"]);
    for (const [headers, client] of [
      [{ Authorization: "Bearer s3cret-1" }, "web"],
      [{ Authorization: "bearer s3cret-2" }, "db"],
      [{ Authorization: "Bearer s3cret-1", "X-Client-Id": "somebody-else" }, "web"],
    ] as const) {
      assert.equal((await exchange(server.port, post(metric(client), headers))).status, 200);
      assert.equal(storedAs(server.data, client).at(-1)!.client, client);
    }
    for (const headers of [
      {},
      { Authorization: "Bearer s3cret-3" },
      { Authorization: "Bearer s3cret-" },
      { Authorization: "Bearer s3cret-12" },
      { Authorization: "Bearer web" },
      { Authorization: "Basic s3cret-1" },
      { Authorization: "s3cret-1" },
      { Authorization: "" },
      { "X-Client-Id": "web" },
    ] as Headers[]) {
      const answer = await exchange(server.port, post(metric("never"), headers));
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.match(answer.headers.get("www-authenticate")!, /^Bearer/);
    }
    assert.deepEqual(storedAs(server.data, "never"), []);
    // A connection is no client: each request says for itself.
    const connection = await RawConnection.open(server.port);
    for (const [token, status] of [
      ["s3cret-1", 200],
      ["wrong", 401],
      ["s3cret-2", 200],
      ["", 401],
    ] as const) {
      connection.send(post(metric("shared"), token === "" ? {} : { Authorization: `Bearer ${token}` }));
      assert.equal((await connection.answer()).status, status);
    }
    connection.close();
    assert.deepEqual(
      storedAs(server.data, "shared").map(({ client }) => client),
      ["web", "db"],
    );
    assert.equal((await exchange(server.port, get("/health"))).status, 200);
  });
});

describe("names:", () => {
  test("without tokens X-Client-Id names the client, else a hash of Authorization, else the address", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1"]);
    const clientOf = async (headers: Headers): Promise<string> => {
      assert.equal((await exchange(server.port, post(metric("named"), headers))).status, 200);
      return storedAs(server.data, "named").at(-1)!.client;
    };
    assert.equal(await clientOf({ "X-Client-Id": "web-1.eu_west" }), "web-1.eu_west");
    assert.equal(await clientOf({ "x-client-id": "a", Authorization: "Bearer secret" }), "a");
    assert.equal(await clientOf({}), "127.0.0.1");
    const hashed = await clientOf({ Authorization: "Bearer secret" });
    assert.doesNotMatch(hashed, /secret|Bearer/);
    assert.equal(await clientOf({ Authorization: "Bearer secret" }), hashed);
    assert.notEqual(await clientOf({ Authorization: "Bearer secret2" }), hashed);
    for (const name of ["", "a b", "ä", "a/b", 'a"b', "x".repeat(65)]) {
      const answer = await exchange(server.port, post(metric("never"), { "X-Client-Id": name }));
      assert.equal(answer.status, 400, name);
      assert.match(errorOf(answer), /X-Client-Id/);
    }
    assert.equal(await clientOf({ "X-Client-Id": "x".repeat(64) }), "x".repeat(64));
  });
});

describe("the rate limit:", () => {
  for (const threads of [1, 4]) {
    test(`admits 50 a second and one second's worth ahead, exactly, over ${threads} threads`, {
      timeout: 60_000,
    }, async () => {
      const server = await startServer(["--threads", String(threads), "--rate-limit", "50"]);
      const headers = { "X-Client-Id": "eager" };
      const connections = await Promise.all(
        Array.from({ length: 12 }, () => RawConnection.open(server.port)),
      );
      // The server's first decision lies between the first two moments, its last one between the last two.
      const firstSentMs = performance.now();
      let firstAnsweredMs = 0;
      let lastSentMs = 0;
      let admitted = 0;
      let refused = 0;
      await Promise.all(
        connections.map(async (connection) => {
          while (performance.now() - firstSentMs < 1_500) {
            lastSentMs = performance.now();
            connection.send(post(metric("limited"), headers));
            const answer = await connection.answer();
            if (firstAnsweredMs === 0) firstAnsweredMs = performance.now();
            if (answer.status === 200) admitted++;
            else assertLimited(answer);
            refused += answer.status === 429 ? 1 : 0;
          }
          connection.close();
        }),
      );
      const lastAnsweredMs = performance.now();
      const most = 50 + ((lastAnsweredMs - firstSentMs) / 1000) * 50;
      const least = 50 + ((lastSentMs - firstAnsweredMs) / 1000) * 50;
      const told = `${admitted} admitted, ${refused} refused; bounds ${least} to ${most}`;
      assert.ok(admitted <= most + 1, told);
      assert.ok(admitted >= least - 1, told);
      assert.ok(refused > admitted, told);
      assert.equal(storedAs(server.data, "limited").length, admitted);

      const other = await exchange(server.port, post(metric("other"), { "X-Client-Id": "patient" }));
      assert.equal(other.status, 200, "another client has its own budget");
      assert.equal((await exchange(server.port, get("/health"))).status, 200, "pages are not limited");
    });
  }

  test("a client that comes back after Retry-After is admitted", { timeout: 60_000 }, async () => {
    const server = await startServer(["--threads", "1", "--rate-limit", "1"]);
    assert.equal((await exchange(server.port, post(metric("back")))).status, 200);
    const answer = await exchange(server.port, post(metric("back")));
    assertLimited(answer);
    await pause(Number(answer.headers.get("retry-after")) * 1000);
    assert.equal((await exchange(server.port, post(metric("back")))).status, 200);
  });
});

describe("the connection cap:", () => {
  test("one connection too many is told 503 and when to come back, and has room when another ends", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--connections-max", "4"]);
    const open = await Promise.all(Array.from({ length: 4 }, () => RawConnection.open(server.port)));
    for (const connection of open) {
      connection.send(post(metric("inside")));
      assert.equal((await connection.answer()).status, 200);
    }
    for (const sent of ["", post(metric("outside"))]) {
      const outside = await RawConnection.open(server.port);
      outside.send(sent);
      const answer = await outside.answer();
      assert.equal(answer.status, 503);
      assert.match(errorOf(answer), /--connections-max/);
      assert.ok(Number(answer.headers.get("retry-after")) >= 1);
      await outside.ended();
      outside.close();
    }
    open.pop()!.close();
    await eventually("a place is free", async () => {
      const outside = await RawConnection.open(server.port);
      outside.send(post(metric("inside")));
      const answer = await outside.answer();
      outside.close();
      return answer.status === 200;
    });
    for (const connection of open) {
      connection.send(post(metric("inside")));
      assert.equal((await connection.answer()).status, 200, "those inside notice nothing");
      connection.close();
    }
    assert.deepEqual(storedAs(server.data, "outside"), []);
  });
});

describe("the memory budget:", () => {
  test("bodies beyond --memory-max are 503 while it is used up, and taken again after", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1", "--memory-max", "1MiB", "--body-max", "256KiB"]);
    const body = batch(Array.from({ length: 1000 }, (_, value) => ({ name: "x".repeat(200), value })));
    const whole = post(body);
    const uploads = await Promise.all(Array.from({ length: 12 }, () => RawConnection.open(server.port)));
    for (const upload of uploads) upload.send(whole.subarray(0, whole.length - 10));
    // The health page answers whatever the memory is.
    assert.equal((await exchange(server.port, get("/health"))).status, 200);
    const refused = await eventually("some uploads are refused", () => {
      const ended = uploads.filter((upload) => upload.ending !== null || upload.unread.length > 0);
      return ended.length > 0 ? ended : undefined;
    });
    for (const upload of refused) {
      const answer = await upload.answer();
      assert.equal(answer.status, 503);
      assert.match(errorOf(answer), /--memory-max/);
      assert.ok(Number(answer.headers.get("retry-after")) >= 1, answer.head);
      upload.close();
    }
    const taken = uploads.filter((upload) => !refused.includes(upload));
    assert.ok(taken.length > 0);
    for (const upload of taken) upload.send(whole.subarray(whole.length - 10));
    for (const upload of taken) {
      assert.equal((await upload.answer()).status, 200);
      upload.close();
    }
    assert.equal((await exchange(server.port, whole)).status, 200);
  });
});

describe("Prefer:", () => {
  test("a request may ask for a stronger promise, and the answer says which it got", {
    timeout: 60_000,
  }, async () => {
    const server = await startServer(["--threads", "1"]);
    for (const [prefer, applied] of [
      ["ack=synced", "ack=synced"],
      ["ack=written", "ack=written"],
      ["ack=accepted", "ack=written"],
      ["respond-async, ack=synced; x=y", "ack=synced"],
      ["return=minimal", undefined],
    ] as const) {
      const answer = await exchange(server.port, post(metric("preferred"), { Prefer: prefer }));
      assert.equal(answer.status, 200, prefer);
      assert.equal(answer.headers.get("preference-applied"), applied, prefer);
    }
    const answer = await exchange(server.port, post(metric("never"), { Prefer: "ack=engraved" }));
    assert.equal(answer.status, 400);
    assert.match(errorOf(answer), /accepted, written, synced or replicated/);
  });

  test("each level is answered where it is the server's", { timeout: 60_000 }, async () => {
    for (const ack of ["accepted", "synced"]) {
      const server = await startServer(["--threads", "1", "--ack", ack]);
      const connection = await RawConnection.open(server.port);
      const requests = Array.from({ length: 50 }, () => post(metric(ack)));
      connection.send(
        Buffer.concat([...requests, request("POST", "/metrics", { Prefer: "ack=synced" }, metric(ack))]),
      );
      for (const _ of requests) assert.equal((await connection.answer()).status, 200);
      assert.equal((await connection.answer()).headers.get("preference-applied"), "ack=synced");
      connection.close();
      assert.equal((await server.stop()).code, 0);
      assert.equal(storedAs(server.data, ack).length, 51);
    }
  });
});

function assertLimited(answer: Answer): void {
  assert.equal(answer.status, 429, answer.head);
  assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  assert.match(errorOf(answer), /--rate-limit/);
}
