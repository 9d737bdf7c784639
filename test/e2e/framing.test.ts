// Requests as they come off real connections: in pieces, in crowds, in chunks, asking leave first; answers in order.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { storedAs } from "../support/log-files.ts";
import { RawConnection } from "../support/raw-client.ts";
import { batch, get, metric, post, readStats, request } from "../support/requests.ts";
import {
  eventually,
  pause,
  type ServerProcess,
  startServer,
  stopServers,
} from "../support/server-process.ts";

let server: ServerProcess;

after(stopServers);

describe("pipelining:", () => {
  before(begin, { timeout: 60_000 });

  test("a thousand batches in one write are answered in order, each with its own answer", {
    timeout: 60_000,
  }, async () => {
    const counts = Array.from({ length: 1000 }, (_, index) => 1 + (index % 7));
    const requests = counts.map((count, index) =>
      post(batch(Array.from({ length: count }, () => ({ name: "piped", value: index })))),
    );
    const connection = await RawConnection.open(server.port);
    connection.send(Buffer.concat(requests));
    const processed = [];
    for (const _ of counts) processed.push(JSON.parse((await connection.answer()).body).metrics_processed);
    assert.deepEqual(processed, counts);
    connection.close();
    const values = storedAs(server.data, "piped").map(({ value }) => value);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
  });

  test("pages among batches do not overtake them, and are not overtaken", { timeout: 60_000 }, async () => {
    const requests: Buffer[] = [];
    const expected: string[] = [];
    for (let index = 0; index < 200; index++) {
      const count = 1 + (index % 5);
      requests.push(post(batch(Array.from({ length: count }, () => ({ name: "mixed", value: index })))));
      expected.push(`200 ${count}`);
      if (index % 3 === 0) {
        requests.push(get("/health"));
        expected.push("200 healthy");
      }
      if (index % 7 === 0) {
        requests.push(post("{}"));
        expected.push("400");
      }
      if (index % 11 === 0) {
        requests.push(get("/nowhere"));
        expected.push("404");
      }
      if (index % 13 === 0) {
        requests.push(post(metric("mixed"), { Prefer: "ack=synced" }));
        expected.push("200 1 synced");
      }
      if (index % 17 === 0) {
        requests.push(post(metric("mixed"), { "Content-Type": "image/png" }));
        expected.push("415");
      }
    }
    const connection = await RawConnection.open(server.port);
    connection.send(Buffer.concat(requests));
    const got = [];
    for (const _ of expected) got.push(describeAnswer(await connection.answer()));
    assert.deepEqual(got, expected);
    connection.close();
  });

  test("a fault in the middle ends the connection after every answer before it", async () => {
    const connection = await RawConnection.open(server.port);
    const good = post(metric("before_fault"));
    connection.send(
      Buffer.concat([good, good, good, Buffer.from("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), good, good]),
    );
    const statuses = (await connection.answersToTheEnd()).map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200, 200, 400]);
    assert.equal(connection.ending, "fin");
    assert.equal(storedAs(server.data, "before_fault").length, 3);
  });

  test("a body too large in the middle, whole or still to come, ends it after every answer before it", async () => {
    for (const body of ["", "x".repeat(100)]) {
      const connection = await RawConnection.open(server.port);
      const good = post(metric("before_413"));
      const large = request("POST", "/metrics", { "Content-Length": "9999999" }, body);
      connection.send(Buffer.concat([good, get("/health"), good, large]));
      const statuses = (await connection.answersToTheEnd()).map(({ status }) => status);
      assert.deepEqual(statuses, [200, 200, 200, 413]);
      assert.equal(connection.ending, "fin");
    }
  });

  test("a refusal while its body is still on the way comes after every answer before it, and the connection goes on", async () => {
    const connection = await RawConnection.open(server.port);
    const good = post(metric("before_415"));
    const refused = post("0123456789", { "Content-Type": "image/png" });
    connection.send(Buffer.concat([good, good, refused.subarray(0, -5)]));
    const first = [await connection.answer(), await connection.answer(), await connection.answer()];
    connection.send(Buffer.concat([refused.subarray(-5), good]));
    const statuses = [...first, await connection.answer()].map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200, 415, 200]);
    connection.close();
  });

  test("Connection: close in the middle is the last request that is read", async () => {
    const connection = await RawConnection.open(server.port);
    const good = post(metric("last"));
    connection.send(Buffer.concat([good, post(metric("last"), { Connection: "close" }), good, good]));
    const answers = await connection.answersToTheEnd();
    assert.deepEqual(
      answers.map((answer) => [answer.status, answer.headers.get("connection")]),
      [
        [200, undefined],
        [200, "close"],
      ],
    );
    assert.equal(connection.ending, "fin");
    assert.equal(storedAs(server.data, "last").length, 2);
  });

  test("a client that has sent its FIN is still answered in full", async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(Buffer.concat(Array.from({ length: 50 }, () => post(metric("half_closed")))));
    connection.finish();
    assert.equal((await connection.answersToTheEnd()).length, 50);
    assert.equal(connection.ending, "fin");
  });

  test("a client that does not read is not read from, and loses nothing when it does", {
    timeout: 120_000,
  }, async () => {
    const connection = await RawConnection.open(server.port);
    connection.socket.pause();
    // Answers of some 9 KB: in all more than the kernel's buffers hold.
    const count = 3_000;
    const requestsBefore = (await readStats(server.port)).requests;
    connection.send(Buffer.concat(Array.from({ length: count }, () => get("/stats"))));
    const held = await eventually("the server has stopped reading", async () => {
      const { requests } = await readStats(server.port);
      await pause(50);
      return (await readStats(server.port)).requests - requests < 5 ? requests - requestsBefore : undefined;
    });
    assert.ok(held < count, `${held} of ${count} requests were read though nobody read the answers`);
    connection.socket.resume();
    for (let index = 0; index < count; index++) assert.equal((await connection.answer()).status, 200);
    connection.close();
  });
});

describe("framing:", () => {
  before(begin, { timeout: 60_000 });

  test("a request may come in two pieces, cut at any byte", { timeout: 120_000 }, async () => {
    const whole = Buffer.concat([
      post(metric("cut"), { "X-Client-Id": "cutter" }),
      request(
        "POST",
        "/metrics",
        { "Transfer-Encoding": "chunked" },
        `a;x=y\r\n${metric("cut").slice(0, 10)}\r\n${chunk(metric("cut").slice(10))}0\r\nTrailer: x\r\n\r\n`,
      ),
    ]);
    const connections = await Promise.all(
      Array.from(whole, async (_, cut) => {
        const connection = await RawConnection.open(server.port);
        connection.send(whole.subarray(0, cut));
        await pause(20);
        connection.send(whole.subarray(cut));
        const statuses = [(await connection.answer()).status, (await connection.answer()).status];
        connection.close();
        return statuses;
      }),
    );
    for (const [cut, statuses] of connections.entries())
      assert.deepEqual(statuses, [200, 200], `cut at ${cut}`);
    assert.equal(storedAs(server.data, "cut").length, 2 * whole.length);
  });

  test("a request may come byte by byte", { timeout: 60_000 }, async () => {
    const connection = await RawConnection.open(server.port);
    for (const byte of post(metric("drip"))) {
      connection.send(Uint8Array.of(byte));
      await pause(0);
    }
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  });

  test("a chunked batch may have any chunks, extensions and trailers", async () => {
    const body = batch(Array.from({ length: 20 }, (_, value) => ({ name: "chunks", value })));
    const single = [...body].map(chunk).join("");
    for (const chunks of [
      chunk(body),
      single,
      `${body.length.toString(16).toUpperCase().padStart(8, "0")}\r\n${body}\r\n`,
      `${body.length.toString(16)};name=value;other="quoted"\r\n${body}\r\n`,
    ]) {
      for (const end of ["0\r\n\r\n", "000;x\r\n\r\n", "0\r\nExpires: never\r\nX-Sum: 1\r\n\r\n"]) {
        const sent = request("POST", "/metrics", { "Transfer-Encoding": "chunked" }, chunks + end);
        const connection = await RawConnection.open(server.port);
        connection.send(Buffer.concat([sent, get("/health")]));
        assert.equal((await connection.answer()).body, '{"success":true,"metrics_processed":20}', chunks);
        assert.equal((await connection.answer()).status, 200);
        connection.close();
      }
    }
  });

  test("Expect: 100-continue is told to go on, once, when the batch will be taken", async () => {
    const body = metric("expected");
    const connection = await RawConnection.open(server.port);
    for (const headers of [
      { "Content-Length": String(body.length), Expect: "100-continue" },
      { "Transfer-Encoding": "chunked", Expect: "100-Continue" },
    ]) {
      connection.send(request("POST", "/metrics", headers));
      assert.equal((await connection.answer()).status, 100);
      connection.send("Content-Length" in headers ? body : `${chunk(body)}0\r\n\r\n`);
      assert.equal((await connection.answer()).status, 200);
    }
    connection.close();
    assert.equal(storedAs(server.data, "expected").length, 2);
  });

  test("Expect: 100-continue with the body already there is answered without a 100", async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(post(metric("expected_at_once"), { Expect: "100-continue" }));
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  });

  test("Expect: 100-continue is refused at once when the batch will not be taken", async () => {
    for (const [headers, status] of [
      [{ "Content-Length": "99999999" }, 413],
      [{ "Content-Length": "10", "Content-Type": "image/png" }, 415],
      [{ "Content-Length": "10", "Content-Encoding": "br" }, 415],
    ] as const) {
      const connection = await RawConnection.open(server.port);
      connection.send(request("POST", "/metrics", { ...headers, Expect: "100-continue" }));
      const answer = await connection.answer();
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("connection"), "close", "whether the body comes is anybody's guess");
      assert.equal(await connection.ended(), "fin");
      connection.close();
    }
  });

  test("any other expectation is 417", async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(post(metric("never"), { Expect: "the-unexpected" }));
    assert.equal((await connection.answer()).status, 417);
    connection.close();
  });

  test("HTTP/1.0 closes unless it is asked to keep alive, and needs no Host", async () => {
    const body = metric("old");
    const old = (headers: string) =>
      `POST /metrics HTTP/1.0\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
    const closing = await RawConnection.open(server.port);
    closing.send(old(""));
    const answers = await closing.answersToTheEnd();
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200],
    );
    assert.equal(closing.ending, "fin");
    const staying = await RawConnection.open(server.port);
    for (let round = 0; round < 2; round++) {
      staying.send(old("Connection: keep-alive\r\n"));
      const answer = await staying.answer();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("connection")?.toLowerCase(), "keep-alive");
    }
    staying.close();
  });

  test("HTTP/1.0 has no chunks", async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(
      `POST /metrics HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(metric("old"))}0\r\n\r\n`,
    );
    const answers = await connection.answersToTheEnd();
    assert.deepEqual(
      answers.map(({ status }) => Math.floor(status / 100)),
      [4],
    );
  });

  test("a head that is too long is 431, in fields, in bytes and in its request line's target 4xx", async () => {
    const fields = Array.from({ length: 101 }, (_, index) => `X-${index}: y\r\n`).join("");
    for (const [sent, statuses] of [
      [`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`, [431]],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(17_000)}\r\n\r\n`, [431]],
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(200_000)}`, [431]],
      [`GET /${"x".repeat(5_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [400, 414, 431]],
    ] as const) {
      const connection = await RawConnection.open(server.port);
      connection.send(sent);
      const { status } = await connection.answer();
      assert.ok((statuses as readonly number[]).includes(status), `${status} for ${sent.slice(0, 50)}…`);
      assert.equal(await connection.ended(), "fin");
      connection.close();
    }
  });

  test("an upload that is broken off leaves nothing behind", async () => {
    const whole = post(metric("broken_off"));
    for (const cut of [10, whole.length - 20, whole.length - 1]) {
      const connection = await RawConnection.open(server.port);
      connection.send(whole.subarray(0, cut));
      await pause(20);
      connection.socket.resetAndDestroy();
      const ending = await RawConnection.open(server.port);
      ending.send(whole.subarray(0, cut));
      ending.finish();
      assert.equal(await ending.ended(), "fin");
      ending.close();
    }
    assert.deepEqual(storedAs(server.data, "broken_off"), []);
  });
});

async function begin(): Promise<void> {
  server ??= await startServer(["--threads", "1", "--rate-limit", "0"]);
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function describeAnswer(answer: Answer): string {
  if (answer.status !== 200) return `${answer.status}`;
  const body = JSON.parse(answer.body);
  const applied = answer.headers.get("preference-applied")?.replace("ack=", " ") ?? "";
  return `200 ${body.status ?? body.metrics_processed}${applied}`;
}
