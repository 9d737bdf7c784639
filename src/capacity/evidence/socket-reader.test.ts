import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, describe, test } from "node:test";
import { openOsFiles } from "../../base/os-files.ts";
import { parseCap, readAcceptQueueCap } from "./accept-queue-cap.ts";
import { endScript, endScripts, RecordedFiles, startScript } from "./evidence-bed.ts";
import { ROWS_AT_ONCE, SocketReader } from "./socket-reader.ts";
import { openSocketTable, readListeners } from "./socket-table.ts";

after(endScripts);

const noTables = existsSync("/proc/net/tcp") ? false : "no /proc/net/tcp here";
const noSs = hasSs() ? false : "no `ss` here";
const PORT = 8080;
const LISTEN = "0A";
const ESTABLISHED = "01";
const TIME_WAIT = "06";
const CLOSE_WAIT = "08";

function hasSs(): boolean {
  try {
    return execFileSync("ss", ["-ltnH"], { encoding: "utf8" }).includes("") && process.platform === "linux";
  } catch {
    return false;
  }
}

const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

function row(index: number, local: number, remote: number, state: string, unread = 0, width = 8): string {
  const port = (number: number) => number.toString(16).toUpperCase().padStart(4, "0");
  const address = "0100007F".padStart(width, "0");
  const bytes = unread.toString(16).toUpperCase().padStart(8, "0");
  const rest = "00:00000000 00000000     0        0 4711 1 00000000c8eca9ba 100 0 0 10 0";
  return `${String(index).padStart(4)}: ${address}:${port(local)} ${address}:${port(remote)} ${state} 00000000:${bytes} ${rest}\n`;
}

function table(...rows: string[]): string {
  return HEADING + rows.join("");
}

const MIXED = table(
  row(0, PORT, 0, LISTEN, 3),
  row(1, PORT, 0, LISTEN, 42),
  row(2, 80, 0, LISTEN, 999),
  row(3, PORT, 40_001, ESTABLISHED, 100),
  row(4, PORT, 40_002, ESTABLISHED),
  row(5, PORT, 40_003, CLOSE_WAIT, 200),
  row(6, PORT, 40_004, TIME_WAIT),
  row(7, 40_001, PORT, ESTABLISHED, 7),
  row(8, 40_005, PORT, TIME_WAIT),
  row(10_000, 40_006, PORT, "02"),
  row(10_001, 50_000, 443, ESTABLISHED, 5_000),
);

describe("a table of sockets", () => {
  test("both ends of the port's connections are counted, and nobody else's", () => {
    const whole = openSocketTable(new RecordedFiles({ "/t": MIXED }), "/t", PORT)!;
    assert.equal(whole.advance(1_000), true);
    assert.deepEqual(whole.counts, {
      listeners: 2,
      acceptQueueMax: 42,
      established: 3,
      unreadBytes: 300,
      unreadSockets: 2,
      clientEnds: 3,
    });
  });

  test("rows of IPv6 are read alike", () => {
    const text = table(row(0, PORT, 0, LISTEN, 1, 32), row(1, PORT, 40_001, ESTABLISHED, 9, 32));
    const whole = openSocketTable(new RecordedFiles({ "/t": text }), "/t", PORT)!;
    whole.advance(1_000);
    assert.equal(whole.counts.acceptQueueMax, 1);
    assert.equal(whole.counts.unreadBytes, 9);
  });

  test("a row that is cut anywhere counts once and as it is", () => {
    for (let blockBytes = 1; blockBytes < 400; blockBytes += 7) {
      const files = new RecordedFiles({ "/t": MIXED });
      files.blockBytesMax = blockBytes;
      const whole = openSocketTable(files, "/t", PORT)!;
      assert.equal(whole.advance(1_000), true, `blocks of ${blockBytes}`);
      assert.equal(whole.counts.established, 3, `blocks of ${blockBytes}`);
      assert.equal(whole.counts.clientEnds, 3, `blocks of ${blockBytes}`);
      assert.equal(whole.counts.unreadBytes, 300, `blocks of ${blockBytes}`);
      assert.equal(files.openCount, 0);
    }
  });

  test("a part is read at a time, and nothing twice", () => {
    const rows = Array.from({ length: 500 }, (_, index) => row(index, PORT, 10_000 + index, ESTABLISHED));
    const part = openSocketTable(new RecordedFiles({ "/t": table(...rows) }), "/t", PORT)!;
    let parts = 1;
    while (!part.advance(50)) parts += 1;
    assert.ok(parts > 3, `${parts} parts`);
    assert.equal(part.counts.established, 500);
  });

  test("listeners are read without the rest, and the file is closed", () => {
    const rows = Array.from({ length: 500 }, (_, index) => row(index, PORT, 10_000 + index, ESTABLISHED));
    const files = new RecordedFiles({ "/t": table(row(0, PORT, 0, LISTEN, 4), ...rows) });
    const counts = readListeners(files, "/t", PORT)!;
    assert.equal(counts.acceptQueueMax, 4);
    assert.ok(counts.established < 100, `${counts.established} rows were read`);
    assert.equal(files.openCount, 0);
  });

  test("a table that is not there is not a table of nothing", () => {
    assert.equal(openSocketTable(new RecordedFiles(), "/t", PORT), null);
    assert.equal(readListeners(new RecordedFiles(), "/t", PORT), null);
  });
});

describe("the reader of sockets", () => {
  const nothing = {
    listeners: null,
    acceptQueueMax: null,
    established: null,
    unreadBytes: null,
    unreadSockets: null,
    clientEnds: null,
  };

  test("without tables nothing is known", () => {
    assert.deepEqual(new SocketReader(new RecordedFiles(), "/proc/net", PORT).read(), nothing);
  });

  test("a server of both families has its ends in the other table than its clients", () => {
    const files = new RecordedFiles({
      "/proc/net/tcp": table(row(0, 40_001, PORT, ESTABLISHED)),
      "/proc/net/tcp6": table(row(0, PORT, 0, LISTEN, 0, 32), row(1, PORT, 40_001, ESTABLISHED, 6, 32)),
    });
    const figures = new SocketReader(files, "/proc/net", PORT).read();
    assert.deepEqual(figures, {
      listeners: 1,
      acceptQueueMax: 0,
      established: 1,
      unreadBytes: 6,
      unreadSockets: 1,
      clientEnds: 1,
    });
  });

  test("the table of IPv6 is left alone where no socket is of it", () => {
    const files = new RecordedFiles({
      "/proc/net/tcp": MIXED,
      "/proc/net/tcp6": HEADING,
      "/proc/net/sockstat6": "TCP6: inuse 0\n",
    });
    new SocketReader(files, "/proc/net", PORT).read();
    assert.ok(!files.asked.includes("/proc/net/tcp6"));
  });

  test("what took long is not read again at once: the queue soon, the connections later", () => {
    let nowMs = 0;
    const files = new RecordedFiles({ "/proc/net/tcp": MIXED });
    const original = files.open.bind(files);
    files.open = (path) => {
      nowMs += 3; // each reading takes this long
      return original(path);
    };
    const reader = new SocketReader(files, "/proc/net", PORT, () => nowMs);
    assert.equal(reader.read().established, 3);
    const again = reader.read();
    assert.equal(again.established, null);
    assert.equal(again.acceptQueueMax, 42);
    assert.deepEqual(reader.read(), nothing);
    nowMs += 500;
    assert.equal(reader.read().acceptQueueMax, 42);
    nowMs += 2_000;
    assert.equal(reader.read().established, 3);
  });

  test("a long table is whole after some samples, and each of them has the queue of its moment", () => {
    const rows = Array.from({ length: 3 * ROWS_AT_ONCE }, (_, index) =>
      row(index, PORT, 1_024 + index, ESTABLISHED, 1),
    );
    const files = new RecordedFiles({ "/proc/net/tcp": table(row(0, PORT, 0, LISTEN, 1), ...rows) });
    const reader = new SocketReader(files, "/proc/net", PORT, () => 0);
    const seen = [reader.read(), reader.read()];
    assert.deepEqual(
      seen.map(({ established, acceptQueueMax }) => [established, acceptQueueMax]),
      [
        [null, 1],
        [null, 1],
      ],
    );
    files.texts.set("/proc/net/tcp", table(row(0, PORT, 0, LISTEN, 8)));
    let figures = reader.read();
    while (figures.established === null) figures = reader.read();
    assert.equal(figures.established, 3 * ROWS_AT_ONCE);
    assert.equal(figures.unreadBytes, 3 * ROWS_AT_ONCE);
    assert.equal(figures.acceptQueueMax, 8);
    assert.equal(files.openCount, 0);
  });

  test("closing it closes a table that is half read", () => {
    const rows = Array.from({ length: 2 * ROWS_AT_ONCE }, (_, index) => row(index, PORT, index, ESTABLISHED));
    const files = new RecordedFiles({ "/proc/net/tcp": table(...rows) });
    const reader = new SocketReader(files, "/proc/net", PORT, () => 0);
    reader.read();
    assert.equal(files.openCount, 1);
    reader.close();
    assert.equal(files.openCount, 0);
    assert.deepEqual(reader.read(), nothing);
  });
});

/** However many sockets there are on this machine. */
function readToTheEnd(port: number): ReturnType<SocketReader["read"]> {
  const reader = new SocketReader(openOsFiles(), "/proc/net", port, () => 0);
  let figures = reader.read();
  while (figures.established === null) figures = reader.read();
  return figures;
}

describe("real sockets", () => {
  test("connections that a server does not accept stand in its queue, up to its cap", {
    skip: noTables,
  }, async (t) => {
    const script = await startScript(
      "const server = require('node:net').createServer(() => {});" +
        "server.listen({ port: 0, host: '127.0.0.1', backlog: 7 }, () => console.log(server.address().port));",
    );
    const port = Number(script.said);
    process.kill(script.pid, "SIGSTOP"); // from here on the kernel alone takes connections
    const clients: Socket[] = [];
    for (let count = 0; count < 3; count++) {
      const client = connect(port, "127.0.0.1").on("error", () => {});
      clients.push(client);
      await once(client, "connect");
    }
    await new Promise((resolve) => clients[0]!.write("hello", resolve));
    const figures = readToTheEnd(port);
    assert.equal(figures.listeners, 1);
    assert.equal(figures.acceptQueueMax, 3);
    assert.equal(figures.established, 3);
    assert.equal(figures.unreadSockets, 1);
    assert.equal(figures.unreadBytes, 5);
    assert.equal(figures.clientEnds, 3);
    if (noSs === false) {
      const { cap, somaxconn } = await readAcceptQueueCap(openOsFiles(), port, null);
      // Bun listens with 512 whatever is asked for, and the kernel cuts at somaxconn.
      const asked = process.versions.bun === undefined ? 7 : 512;
      assert.equal(cap, Math.min(asked, somaxconn!));
    } else {
      t.diagnostic(noSs);
    }
    for (const client of clients) client.destroy();
    await endScript(script);
  });

  test("a connection that the client closed first leaves its port in time-wait", {
    skip: noTables,
  }, async (t) => {
    const server: Server = createServer((socket) => {
      socket.on("error", () => {}).resume();
    });
    t.after(() => server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const count = () => readToTheEnd(port).clientEnds!;
    const before = count();
    const accepted = once(server, "connection");
    const client = connect(port, "127.0.0.1");
    const [peer] = (await accepted) as [Socket];
    const ended = once(peer, "close");
    client.end();
    await Promise.all([ended, once(client, "close")]);
    assert.equal(count(), before + 1);
  });

  test("in another namespace than ours the cap is unknown where entering it fails", async () => {
    const cap = await readAcceptQueueCap(new RecordedFiles(), 8080, 0x7fff_fff0);
    assert.deepEqual(cap, { cap: null, somaxconn: null });
  });

  test("the cap is the listener's second figure, and the smallest where several listen", () => {
    const text =
      "LISTEN 0      128    0.0.0.0:2024 0.0.0.0:*\nLISTEN 3 512 *:8080 *:*\nLISTEN 9 64 [::1]:8080 [::]:*\n";
    assert.equal(parseCap(text, 2024), 128);
    assert.equal(parseCap(text, 8080), 64);
    assert.equal(parseCap(text, 80), null);
    assert.equal(parseCap(null, 80), null);
  });
});
