// Nothing that was sent as one request is ever read as two. Every mixture of Content-Length and Transfer-Encoding that
// two readers might understand differently is sent with a second request hidden in its body; the answers are counted.
// The hidden one asks for a page that only it would get, so that one glance at the answers convicts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Answer } from "../support/answer.ts";
import { RawConnection } from "../support/raw-client.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

const HIDDEN = "GET /health HTTP/1.1\r\nHost: hidden\r\n\r\n";
/** A body that ends at once for a reader of chunks, and holds the hidden request for a reader of lengths. */
const CHUNKED_END_THEN_HIDDEN = `0\r\n\r\n${HIDDEN}`;

/** Header lines about framing that a strict reader refuses, whatever follows them. */
const REFUSED_FRAMINGS: readonly string[][] = [
  ["Content-Length: $N", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Content-Length: $N"],
  ["Transfer-Encoding: chunked", "Content-Length: 5"],
  ["Content-Length: $N", "Transfer-Encoding: Chunked"],
  ["Content-Length: $N", "Transfer-Encoding: xchunked"],
  ["Content-Length: $N", "Transfer-Encoding: chunked, identity"],
  ["Content-Length: $N", "Transfer-Encoding: identity, chunked"],
  ["Content-Length: $N", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: x", "Transfer-Encoding: chunked"],
  ["Content-Length: $N", "Transfer-Encoding : chunked"],
  ["Content-Length: $N", " Transfer-Encoding: chunked"],
  ["Content-Length: $N", "Transfer-Encoding:\r\n chunked"],
  ["Content-Length: $N", "Transfer-Encoding: \x0bchunked"],
  ["Content-Length: $N", "Transfer-Encoding: chunked\x00"],
  ["Content-Length: $N", "X: y\rTransfer-Encoding: chunked"],
  ["Content-Length: $N", "X: y\nTransfer-Encoding: chunked"],
  ["Content-Length: $N", "Content-Length: 5"],
  ["Content-Length: 5", "Content-Length: $N"],
  ["Content-Length: 5, $N"],
  ["Content-Length: +$N"],
  ["Content-Length: -5"],
  ["Content-Length: 0x5"],
  ["Content-Length: 5 5"],
  ["Content-Length: 5;"],
  ["Content-Length: 5.0"],
  ["Content-Length: 18446744073709551621"],
  ["Content-Length:"],
  ["Content-Length\x00: $N"],
];

/** Bodies of a chunked request that end too early for one reader and too late for another. */
const REFUSED_CHUNKS: readonly string[] = [
  `5\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `5\rhello\r\n0\r\n\r\n${HIDDEN}`,
  `5\r\nhello0\r\n\r\n${HIDDEN}`,
  `5\r\nhello\n0\r\n\r\n${HIDDEN}`,
  `5;\n\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `5;x=\n\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `0x5\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `5 \x00\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `-5\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `+5\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `5_\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `100000000000000005\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  `0\r\n\n${HIDDEN}`,
  `0\n\n${HIDDEN}`,
  `0\r\nX: y\n\r\n${HIDDEN}`,
  `0\r\n X: y\r\n\r\n${HIDDEN}`,
];

let server: ServerProcess;

after(stopServers);

describe("one request is never read as two:", () => {
  before(
    async () => {
      server = await startServer(["--threads", "1"]);
    },
    { timeout: 60_000 },
  );

  for (const method of ["POST /metrics", "GET /ready", "OPTIONS /metrics"]) {
    test(`${method} with framing that can be read in two ways`, { timeout: 60_000 }, async () => {
      for (const lines of REFUSED_FRAMINGS) {
        const length = String(Buffer.byteLength(CHUNKED_END_THEN_HIDDEN));
        const fields = lines.map((line) => `${line.replace("$N", length)}\r\n`).join("");
        const sent = `${method} HTTP/1.1\r\nHost: a\r\n${fields}\r\n${CHUNKED_END_THEN_HIDDEN}`;
        assertRefusedOnce(sent, await answersTo(sent));
      }
    });
  }

  test("chunks that can be read in two ways", { timeout: 60_000 }, async () => {
    for (const chunks of REFUSED_CHUNKS) {
      const sent = `POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`;
      assertRefusedOnce(sent, await answersTo(sent));
    }
  });

  test("a request hidden in a body that is framed well", { timeout: 60_000 }, async () => {
    const length = Buffer.byteLength(HIDDEN);
    for (const framed of [
      `Content-Length: ${length}\r\n\r\n${HIDDEN}`,
      `Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
      `Transfer-Encoding: chunked\r\n\r\n${length.toString(16)};ext="\r\n${HIDDEN}\r\n0\r\n\r\n`,
      `Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n`,
    ]) {
      for (const target of ["/metrics", "/", "/nowhere"]) {
        const sent = `POST ${target} HTTP/1.1\r\nHost: a\r\n${framed}`;
        const answers = await answersTo(sent);
        assert.equal(answers.length, 1, sent);
        assert.notEqual(answers[0]!.status, 200, sent);
      }
    }
  });

  test("a request behind one that is refused before its body is read", { timeout: 60_000 }, async () => {
    const length = Buffer.byteLength(HIDDEN);
    for (const refusal of ["Content-Type: application/xml", "Content-Encoding: br", "X-Client-Id: a b"]) {
      const sent = `POST /metrics HTTP/1.1\r\nHost: a\r\n${refusal}\r\nContent-Length: ${length}\r\n\r\n${HIDDEN}`;
      const answers = await answersTo(sent);
      assert.deepEqual(
        answers.map(({ status }) => Math.floor(status / 100)),
        [4],
        sent,
      );
    }
  });

  test("a length past 32 bits does not wrap around to a short one", async () => {
    for (const method of ["POST /metrics", "GET /ready"]) {
      const head = `${method} HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967301\r\n\r\n`;
      const answers = await answersTo(`${head}${CHUNKED_END_THEN_HIDDEN}`);
      assert.ok(answers.length <= 1, method);
      for (const { status } of answers) assert.equal(status, 413, method);
    }
  });

  test("a body that is longer than its length is another request, and no good one", async () => {
    const answers = await answersTo("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}{}");
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400],
    );
  });
});

/** All answers to these bytes, sent at once and then ended, until the server ends the connection too. */
async function answersTo(sent: string): Promise<Answer[]> {
  const connection = await RawConnection.open(server.port);
  connection.send(Buffer.from(sent, "latin1"));
  connection.finish();
  const answers = await connection.answersToTheEnd();
  assert.equal(connection.unread.length, 0, sent);
  connection.close();
  return answers;
}

function assertRefusedOnce(sent: string, answers: readonly Answer[]): void {
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.length, 1, `${JSON.stringify(sent)} → ${statuses}`);
  assert.ok(statuses[0]! >= 400 && statuses[0]! <= 501, `${JSON.stringify(sent)} → ${statuses}`);
  assert.equal(answers[0]!.headers.get("connection"), "close", JSON.stringify(sent));
}
