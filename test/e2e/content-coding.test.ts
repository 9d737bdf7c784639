// Compressed batches: each coding that is taken, what is wrong with a coded body, and bodies that grow without end.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { storedAs } from "../support/log-files.ts";
import { exchange } from "../support/raw-client.ts";
import { batch, errorOf, metric, post, readStats, request } from "../support/requests.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

const CODINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  zstd: zstdCompressSync,
};
const MIB = 1024 * 1024;

let server: ServerProcess;

after(stopServers);

describe("a compressed batch", () => {
  before(
    async () => {
      server = await startServer(["--threads", "1"]);
    },
    { timeout: 60_000 },
  );

  for (const [coding, compress] of Object.entries(CODINGS)) {
    test(`in ${coding} is stored as if it had come plain`, async () => {
      const metrics = Array.from({ length: 500 }, (_, value) => ({ name: coding, value }));
      const body = compress(Buffer.from(batch(metrics)));
      for (const name of [coding, coding.toUpperCase()]) {
        const answer = await exchange(server.port, post(body, { "Content-Encoding": name }));
        assert.equal(answer.body, '{"success":true,"metrics_processed":500}', name);
      }
      const stored = storedAs(server.data, coding).map(({ value }) => value);
      assert.deepEqual(
        stored.slice(0, 500),
        metrics.map(({ value }) => value),
      );
      assert.equal(stored.length, 1000);
    });

    test(`in ${coding} may come in chunks`, async () => {
      const body = compress(Buffer.from(metric(`chunked_${coding}`)));
      const framed = Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from("\r\n0\r\n\r\n"),
      ]);
      const headers = { "Transfer-Encoding": "chunked", "Content-Encoding": coding };
      assert.equal((await exchange(server.port, request("POST", "/metrics", headers, framed))).status, 200);
      assert.equal(storedAs(server.data, `chunked_${coding}`).length, 1);
    });

    test(`in ${coding} that is cut, broken or followed by anything is 400`, async () => {
      const body = compress(Buffer.from(metric("never")));
      const broken = Buffer.from(body);
      broken[0]! ^= 0x55;
      for (const wrong of [
        body.subarray(0, -3),
        broken,
        Buffer.concat([body, Buffer.from("x")]),
        Buffer.from("{}"),
      ]) {
        const answer = await exchange(server.port, post(wrong, { "Content-Encoding": coding }));
        assert.equal(answer.status, 400, wrong.toString("hex"));
        assert.match(errorOf(answer), /decompress/);
      }
    });

    test(`in ${coding} that would grow past --body-max is 413 and costs no more memory than that`, {
      timeout: 60_000,
    }, async () => {
      const bomb = compress(Buffer.alloc(200 * MIB, " "));
      assert.ok(bomb.length < MIB, "the bomb itself is no large body");
      for (let round = 0; round < 4; round++) {
        const answer = await exchange(server.port, post(bomb, { "Content-Encoding": coding }));
        assert.equal(answer.status, 413);
      }
      const { memory } = await readStats(server.port);
      assert.equal(memory.budget_used_bytes, 0);
    });
  }

  test("in raw deflate is taken as deflate, for many clients mean that", async () => {
    const body = deflateRawSync(metric("raw_deflate"));
    assert.equal((await exchange(server.port, post(body, { "Content-Encoding": "deflate" }))).status, 200);
  });

  test("in another coding is 415 and says which are known", async () => {
    for (const coding of ["br", "compress", "gzip, gzip", "x"]) {
      const answer = await exchange(server.port, post(metric("never"), { "Content-Encoding": coding }));
      assert.equal(answer.status, 415, coding);
      assert.match(errorOf(answer), /gzip, deflate, zstd/);
    }
    assert.equal(
      (await exchange(server.port, post(metric("plain"), { "Content-Encoding": "identity" }))).status,
      200,
    );
    assert.deepEqual(storedAs(server.data, "never"), []);
  });
});
