// A client over a socket that is a list: what it sends, what becomes of its requests, when it connects again.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OutboundPeer, OutboundStream } from "../../net/transport.ts";
import { type ClientHost, LoadClient } from "./load-client.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import { ERROR_CLASSES, type ErrorClass } from "./load-result.ts";
import { parseLoadUrl } from "./load-url.ts";
import { Random } from "./random.ts";
import { buildRequests } from "./request-bytes.ts";
import { Tally } from "./tally.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class FakeStream implements OutboundStream {
  readonly written: string[] = [];
  ending: "open" | "closed" | "destroyed" = "open";
  write(bytes: Uint8Array): void {
    this.written.push(new TextDecoder().decode(bytes));
  }
  backlogBytes(): number {
    return 0;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  close(): void {
    this.ending = "closed";
  }
  destroy(): void {
    this.ending = "destroyed";
  }
  remoteAddress(): string {
    return "";
  }
}

/** One client in a world of its own: `peers` are its attempts, oldest first. */
class Bed {
  nowMs = 1000;
  readonly peers: OutboundPeer[] = [];
  abandoned = 0;
  readonly freedAt: number[] = [];
  readonly tally = new Tally(true);
  readonly host: ClientHost;
  readonly client: LoadClient;

  constructor(
    parts: { pipeline?: number; keepAlive?: boolean; method?: string; namesClients?: boolean } = {},
  ) {
    const plan = newLoadPlan({ url: "http://127.0.0.1:1/x", timeoutMs: 500, ...parts });
    this.host = {
      connect: (_options, peer) => {
        this.peers.push(peer);
        return { abandon: () => this.abandoned++ };
      },
      address: { host: "127.0.0.1", port: 1 },
      requests: buildRequests(plan, parseLoadUrl(plan.url)),
      random: new Random(1),
      tally: this.tally,
      nowMs: () => this.nowMs,
      isForHead: plan.method === "HEAD",
      keepAlive: plan.keepAlive,
      pipeline: plan.pipeline,
      timeoutMs: plan.timeoutMs,
      plannedMs: new Float64Array(plan.pipeline),
      begunMs: new Float64Array(plan.pipeline),
      backingOff: 0,
      dialling: 0,
      loop: {
        freed: () => this.freedAt.push(this.nowMs),
        dialled: () => {},
      },
    };
    this.client = new LoadClient(this.host, 0, 42);
    this.tally.start(this.nowMs, 10_000);
  }

  /** The newest attempt succeeds. */
  connect(): FakeStream {
    const stream = new FakeStream();
    this.peers.at(-1)!.connected(stream);
    return stream;
  }

  receive(text: string): void {
    this.peers.at(-1)!.received(new TextEncoder().encode(text));
  }

  errors(): Partial<Record<ErrorClass, number>> {
    const found = ERROR_CLASSES.map((name, index) => [name, this.tally.errors[index]!] as const);
    return Object.fromEntries(found.filter(([, count]) => count > 0));
  }
}

describe("a client", () => {
  test("connects for its first request, sends it when connected, and counts from when it began", () => {
    const bed = new Bed();
    bed.client.begin(990, 1000);
    assert.equal(bed.peers.length, 1);
    bed.nowMs = 1004;
    const stream = bed.connect();
    assert.deepEqual(stream.written, ["GET /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"]);
    assert.equal(bed.tally.connect.max(), 4e6);
    bed.nowMs = 1010;
    bed.receive(OK);
    assert.equal(bed.tally.latency.max(), 20e6);
    assert.equal(bed.tally.latencyUncorrected.max(), 10e6);
    assert.equal(bed.tally.succeeded, 1);
    assert.equal(bed.tally.clientsAnswered, 1);
    assert.deepEqual(bed.freedAt, [1010]);
  });

  test("uses its connection again", () => {
    const bed = new Bed();
    bed.client.begin(1000, 1000);
    const stream = bed.connect();
    bed.receive(OK);
    bed.client.begin(1001, 1001);
    bed.receive(OK);
    assert.equal(stream.written.length, 2);
    assert.equal(bed.peers.length, 1);
    assert.equal(bed.tally.succeeded, 2);
    assert.equal(bed.tally.clientsAnswered, 1);
  });

  test("says its number in every request where clients are named", () => {
    const bed = new Bed({ namesClients: true });
    bed.client.begin(1000, 1000);
    assert.match(bed.connect().written[0]!, /\r\nX-Client-Id: load-42 {5}\r\n/);
  });

  test("that is refused fails the request and waits longer each time, up to 100 ms", () => {
    const bed = new Bed();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const from = bed.nowMs;
      bed.client.begin(bed.nowMs, bed.nowMs);
      bed.peers.at(-1)!.failed("ECONNREFUSED");
      assert.equal(bed.client.canBegin, false);
      while (!bed.client.canBegin) {
        bed.nowMs++;
        bed.client.look(bed.nowMs);
      }
      waits.push(bed.nowMs - from);
    }
    assert.deepEqual(waits, [10, 20, 40, 80, 100, 100]);
    assert.deepEqual(bed.errors(), { refused: 6 });
    assert.equal(bed.tally.connectsFailed, 6);
    assert.equal(bed.tally.inFlight, 0);
    assert.equal(bed.host.dialling, 0);
    assert.equal(bed.host.backingOff, 0);
  });

  test("that loses its connection before the answer fails all that was outstanding, once each", () => {
    const bed = new Bed({ pipeline: 3 });
    for (let request = 0; request < 3; request++) bed.client.begin(1000, 1000);
    assert.equal(bed.client.canBegin, false);
    const stream = bed.connect();
    assert.equal(stream.written.length, 3);
    bed.receive(`${OK}HTTP/1.1 200`);
    bed.peers[0]!.closed();
    assert.deepEqual(bed.errors(), { reset: 2 });
    assert.equal(bed.tally.succeeded, 1);
    assert.equal(bed.tally.inFlight, 0);
    assert.equal(bed.tally.open, 0);
  });

  test("whose server closes politely within an answer fails it; behind one it connects again without a failure", () => {
    const bed = new Bed();
    bed.client.begin(1000, 1000);
    bed.connect();
    bed.receive(OK);
    bed.peers[0]!.peerEnded();
    assert.deepEqual(bed.errors(), {});
    bed.client.begin(1001, 1001);
    assert.equal(bed.peers.length, 2);
    bed.connect();
    bed.receive("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf");
    bed.peers[1]!.peerEnded();
    assert.deepEqual(bed.errors(), { reset: 1 });
  });

  test("takes the close for the end of an answer that has no length", () => {
    const bed = new Bed();
    bed.client.begin(1000, 1000);
    const stream = bed.connect();
    bed.receive("HTTP/1.0 200 OK\r\n\r\nall of it");
    assert.equal(bed.tally.succeeded, 0);
    bed.peers[0]!.peerEnded();
    assert.equal(bed.tally.succeeded, 1);
    assert.deepEqual(bed.errors(), {});
    assert.equal(stream.ending, "closed");
  });

  test("closes behind an answer that says so, and with keep-alive off behind each", () => {
    for (const bed of [new Bed(), new Bed({ keepAlive: false })]) {
      bed.client.begin(1000, 1000);
      const stream = bed.connect();
      bed.receive(bed.host.keepAlive ? OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n") : OK);
      assert.equal(stream.ending, "closed");
      assert.equal(bed.tally.open, 0);
      bed.peers[0]!.closed();
      assert.deepEqual(bed.errors(), {});
      bed.client.begin(1000, 1000);
      assert.equal(bed.peers.length, 2);
    }
  });

  test("gives up an answer after the timeout, counts the time waited, and connects again at once", () => {
    const bed = new Bed();
    bed.client.begin(900, 1000);
    const stream = bed.connect();
    bed.nowMs = 1499;
    bed.client.look(bed.nowMs);
    assert.equal(stream.ending, "open");
    bed.nowMs = 1500;
    bed.client.look(bed.nowMs);
    assert.equal(stream.ending, "destroyed");
    assert.deepEqual(bed.errors(), { timeout: 1 });
    assert.equal(bed.tally.latency.max(), 600e6);
    assert.equal(bed.tally.latencyUncorrected.max(), 500e6);
    assert.equal(bed.client.canBegin, true);
    bed.receive(OK);
    assert.equal(bed.tally.succeeded, 0);
  });

  test("gives up a connection that is not made in time as such", () => {
    const bed = new Bed();
    bed.client.begin(1000, 1000);
    bed.nowMs = 1500;
    bed.client.look(bed.nowMs);
    assert.deepEqual(bed.errors(), { connect_timeout: 1 });
    assert.equal(bed.abandoned, 1);
    assert.equal(bed.host.dialling, 0);
    bed.client.begin(1500, 1500);
    assert.equal(bed.peers.length, 2);
  });

  test("drops a connection that answers what nobody asked, and fails what is no HTTP", () => {
    const bed = new Bed();
    bed.client.begin(1000, 1000);
    const first = bed.connect();
    bed.receive(`${OK}${OK}`);
    assert.equal(first.ending, "destroyed");
    assert.deepEqual(bed.errors(), {});
    bed.client.begin(1000, 1000);
    const second = bed.connect();
    bed.receive("SSH-2.0-OpenSSH\r\n");
    assert.equal(second.ending, "destroyed");
    assert.deepEqual(bed.errors(), { protocol: 1 });
    assert.equal(bed.client.canBegin, false, "it waits before it asks such a server again");
  });

  test("hears nothing any more of a connection that it has let go of", () => {
    const bed = new Bed({ keepAlive: false });
    bed.client.begin(1000, 1000);
    bed.connect();
    bed.receive(OK);
    bed.client.begin(1001, 1001);
    bed.connect();
    bed.peers[0]!.received(new TextEncoder().encode(OK));
    bed.peers[0]!.closed();
    assert.equal(bed.tally.succeeded, 1);
    assert.deepEqual(bed.errors(), {});
    bed.receive(OK);
    assert.equal(bed.tally.succeeded, 2);
  });

  test("knows of each request on a connection when it was planned", () => {
    const bed = new Bed({ pipeline: 3 });
    for (const plannedMs of [900, 950, 980]) bed.client.begin(plannedMs, 1000);
    bed.connect();
    const waits = [1, 2, 3, 4].map((turn) => {
      const before = bed.tally.latency.sum();
      bed.receive(OK);
      if (turn === 1) bed.client.begin(990, 1000);
      return (bed.tally.latency.sum() - before) / 1e6;
    });
    assert.deepEqual(waits, [100, 50, 20, 10]);
  });

  test("tells statuses apart", () => {
    const bed = new Bed();
    for (const status of [200, 204, 301, 404, 429, 500, 503]) {
      bed.client.begin(1000, 1000);
      if (bed.peers.length === 0) bed.connect();
      bed.receive(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`);
    }
    assert.equal(bed.tally.succeeded, 3);
    assert.deepEqual(bed.errors(), { rate_limited: 1, unavailable: 1, status_4xx: 1, status_5xx: 1 });
    assert.equal(bed.tally.latency.count(), 3);
    assert.equal(bed.tally.statuses[404], 1);
  });
});
