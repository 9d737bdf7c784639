// A batch is taken whole or not at all, and a refusal says which metric, which field and why.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { logLines, storedAs } from "../support/log-files.ts";
import { exchange, RawConnection } from "../support/raw-client.ts";
import { batch, errorOf, metric, post } from "../support/requests.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";

/** What is wrong with a batch, and what the answer must say of it. */
const REFUSED: readonly [body: string, says: RegExp][] = [
  ["", /JSON/],
  ["null", /not JSON|must be an object/],
  ["[]", /must be an object|not JSON/],
  ["{}", /must have the key "metrics"/],
  ['{"metrics":[]}', /metrics: must hold at least one metric/],
  ['{"metrics":{}}', /metrics: must be an array/],
  ['{"metrics":[1]}', /metrics\[0\]: must be an object, not a number/],
  ['{"metrics":[{"name":"a","value":1}],"x":1}', /unknown key/],
  ['{"metrics":[{"value":1}]}', /metrics\[0\].*must have a name/],
  ['{"metrics":[{"name":"a"}]}', /metrics\[0\].*must have a value/],
  ['{"metrics":[{"name":"a","value":1},{"name":"","value":1}]}', /metrics\[1\]\.name.*must not be empty/],
  ['{"metrics":[{"name":5,"value":1}]}', /metrics\[0\]\.name.*must be a string, not a number/],
  ['{"metrics":[{"name":"a","value":"1"}]}', /metrics\[0\]\.value.*must be a finite number, not a string/],
  ['{"metrics":[{"name":"a","value":1e999}]}', /metrics\[0\]\.value.*too large/],
  ['{"metrics":[{"name":"a","value":NaN}]}', /not JSON at byte \d+/],
  ['{"metrics":[{"name":"a","value":01}]}', /not JSON at byte \d+/],
  [
    '{"metrics":[{"name":"a","value":1,"type":"meter"}]}',
    /metrics\[0\]\.type.*counter, gauge, histogram and summary/,
  ],
  [
    '{"metrics":[{"name":"a","value":1,"tags":{"k":1}}]}',
    /metrics\[0\]\.tags.*must be a string, not a number/,
  ],
  ['{"metrics":[{"name":"a","value":1,"tags":{"k":"v","k":"w"}}]}', /metrics\[0\]\.tags.*twice/],
  [
    '{"metrics":[{"name":"a","value":1,"timestamp":1.5}]}',
    /metrics\[0\]\.timestamp.*integer of milliseconds/,
  ],
  ['{"metrics":[{"name":"a","value":1,"timestamp":-1}]}', /metrics\[0\]\.timestamp.*integer of milliseconds/],
  ['{"metrics":[{"name":"a","name":"b","value":1}]}', /metrics\[0\].*twice/],
  ['{"metrics":[{"name":"a","value":1,"__proto__":{}}]}', /metrics\[0\].*unknown key/],
  ['{"metrics":[{"name":"\\ud800","value":1}]}', /metrics\[0\]\.name.*other half/],
  ['{"metrics":[{"name":"a","value":1}]', /not JSON/],
  ['{"metrics":[{"name":"a","value":1}]}x', /not JSON/],
  [`{"metrics":${"[".repeat(50_000)}`, /./],
];

let server: ServerProcess;

after(stopServers);

describe("a batch", () => {
  before(
    async () => {
      server = await startServer(["--threads", "1", "--batch-max", "100", "--body-max", "64KiB"]);
    },
    { timeout: 60_000 },
  );

  test("that is wrong is 400 with the metric, the field and the reason, and the connection goes on", {
    timeout: 60_000,
  }, async () => {
    const connection = await RawConnection.open(server.port);
    for (const [body, says] of REFUSED) {
      connection.send(post(body));
      const answer = await connection.answer();
      assert.equal(answer.status, 400, body);
      assert.match(errorOf(answer), says, body);
    }
    connection.send(post(metric("after_all_that")));
    assert.equal((await connection.answer()).status, 200);
    connection.close();
    assert.equal(storedAs(server.data, "a").length, 0);
  });

  test("of broken UTF-8 is 400, and of good UTF-8 is stored as it was sent", async () => {
    const name = 'température 🌡 \u0000 \u2028 \\ "';
    assert.equal((await exchange(server.port, post(metric(name)))).status, 200);
    assert.equal(storedAs(server.data, name).length, 1);
    const broken = Buffer.from(metric("a?")).map((byte) => (byte === 0x3f ? 0xc0 : byte));
    const answer = await exchange(server.port, post(broken));
    assert.equal(answer.status, 400);
    assert.match(errorOf(answer), /UTF-8/);
  });

  test("with one wrong metric among good ones leaves nothing behind", async () => {
    const lines = [...logLines(server.data)].length;
    const good = Array.from({ length: 50 }, (_, value) => ({ name: "half", value }));
    for (const at of [0, 25, 49]) {
      const metrics = [...good];
      metrics[at] = { name: "", value: 1 };
      const answer = await exchange(server.port, post(batch(metrics)));
      assert.equal(answer.status, 400);
      assert.match(errorOf(answer), new RegExp(`metrics\\[${at}\\]`));
    }
    assert.equal((await exchange(server.port, post(metric("whole")))).status, 200);
    assert.equal([...logLines(server.data)].length, lines + 1);
  });

  test("may have --batch-max metrics and no more", async () => {
    const metrics = Array.from({ length: 101 }, (_, value) => ({ name: "many", value }));
    const full = await exchange(server.port, post(batch(metrics.slice(1))));
    assert.equal(full.body, '{"success":true,"metrics_processed":100}');
    const over = await exchange(server.port, post(batch(metrics)));
    assert.equal(over.status, 400);
    assert.match(errorOf(over), /--batch-max/);
    assert.equal(storedAs(server.data, "many").length, 100);
  });

  test("may have names of 255 characters and 32 tags and no more", async () => {
    const tags = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, tag) => [`t${tag}`, "v"]));
    for (const [sent, status] of [
      [{ name: "é".repeat(255), value: 1 }, 200],
      [{ name: "🌡".repeat(255), value: 1 }, 200],
      [{ name: "é".repeat(256), value: 1 }, 400],
      [{ name: "tagged", value: 1, tags: tags(32) }, 200],
      [{ name: "tagged", value: 1, tags: tags(33) }, 400],
    ] as const) {
      assert.equal((await exchange(server.port, post(batch([sent])))).status, status);
    }
  });

  test("larger than --body-max is 413 before it is sent, and the server says how large it may be", async () => {
    const connection = await RawConnection.open(server.port);
    connection.send("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n");
    const answer = await connection.answer();
    assert.equal(answer.status, 413);
    assert.match(errorOf(answer), /--body-max/);
    assert.equal(answer.headers.get("connection"), "close");
    assert.equal(await connection.ended(), "fin");
    connection.close();
  });

  test("larger than --body-max is 413 however its bytes come, and its sender can read that", async () => {
    const body = Buffer.alloc(300_000, " ");
    const chunk = `${(1000).toString(16)}\r\n${" ".repeat(1000)}\r\n`;
    for (const sent of [
      post(body),
      Buffer.from(
        `POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(300)}0\r\n\r\n`,
      ),
    ]) {
      const connection = await RawConnection.open(server.port);
      connection.send(sent);
      assert.equal((await connection.answer()).status, 413);
      assert.equal(await connection.ended(), "fin");
      connection.close();
    }
  });

  test("of exactly --body-max is taken", async () => {
    const text = metric("brimful");
    const body = text.replace(/}$/, `${" ".repeat(64 * 1024 - text.length)}}`);
    assert.equal(Buffer.byteLength(body), 64 * 1024);
    assert.equal((await exchange(server.port, post(body))).status, 200);
  });
});
