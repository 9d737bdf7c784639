// The open and the paced loop on a clock that the test holds, over clients whose sockets are lists: when they send, what
// waits, and what is counted.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OutboundPeer, OutboundStream } from "../../net/transport.ts";
import { type ClientHost, LoadClient } from "./load-client.ts";
import type { LoadPlan } from "./load-plan.ts";
import { newLoadPlan } from "./load-plan-defaults.ts";
import { ERROR_CLASSES } from "./load-result.ts";
import { parseLoadUrl } from "./load-url.ts";
import { OpenLoop } from "./open-loop.ts";
import { PacedLoop } from "./paced-loop.ts";
import { Random } from "./random.ts";
import { buildRequests } from "./request-bytes.ts";
import type { LoopRun, RunLoop } from "./run-loop.ts";
import { Tally } from "./tally.ts";
import { UnpacedLoop } from "./unpaced-loop.ts";

const OK = new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

const STREAM: OutboundStream = {
  write() {},
  backlogBytes: () => 0,
  pause() {},
  resume() {},
  end() {},
  close() {},
  destroy() {},
  remoteAddress: () => "",
};

class Bed {
  /** stop() stops the timer and sends what is due by then: every send is the test's. */
  nowMs = 0;
  readonly peers: OutboundPeer[] = [];
  readonly tally = new Tally(true);
  readonly clients: LoadClient[] = [];
  readonly loop: RunLoop;
  readonly host: ClientHost;
  private isEnded = false;

  constructor(parts: Partial<LoadPlan>, makeLoop: (run: LoopRun) => RunLoop) {
    const plan = newLoadPlan({ url: "http://127.0.0.1:1/", timeoutMs: 500, ...parts });
    const bed = this;
    this.loop = makeLoop({
      plan,
      thread: 0,
      threads: 1,
      tally: this.tally,
      clients: this.clients,
      nap: { take() {} },
      nowMs: () => bed.nowMs,
      startMs: 0,
      get sendingEndMs() {
        return bed.isEnded ? bed.nowMs : 1000;
      },
      work: () => 0,
      dialling: () => bed.host.dialling,
      endSending: () => {
        bed.isEnded = true;
      },
    });
    this.host = {
      connect: (_options, peer) => {
        this.peers.push(peer);
        return { abandon() {} };
      },
      address: { host: "127.0.0.1", port: 1 },
      requests: buildRequests(plan, parseLoadUrl(plan.url)),
      random: new Random(1),
      tally: this.tally,
      nowMs: () => this.nowMs,
      isForHead: false,
      keepAlive: true,
      pipeline: 1,
      timeoutMs: plan.timeoutMs,
      plannedMs: new Float64Array(plan.clients),
      begunMs: new Float64Array(plan.clients),
      backingOff: 0,
      dialling: 0,
      loop: this.loop,
    };
    for (let index = 0; index < plan.clients; index++)
      this.clients.push(new LoadClient(this.host, index, index));
    this.tally.start(0, 1000);
  }

  get hasEnded(): boolean {
    return this.isEnded;
  }

  /** The newest attempts succeed, in order. */
  connectAll(): void {
    for (const peer of this.peers) peer.connected(STREAM);
  }

  answer(peer: number, atMs: number): void {
    this.nowMs = atMs;
    this.peers[peer]!.received(OK);
  }

  refuse(peer: number, atMs: number): void {
    this.nowMs = atMs;
    this.peers[peer]!.failed("ECONNREFUSED");
  }

  errors(): Record<string, number> {
    const found = ERROR_CLASSES.map((name, index) => [name, this.tally.errors[index]!] as const);
    return Object.fromEntries(found.filter(([, count]) => count > 0));
  }
}

/** Ten a second for a second: due at 0, 100, … 900 ms. */
function openBed(clients: number, parts: Partial<LoadPlan> = {}): Bed {
  const arrivals = { kind: "open", ratePerSecond: 10, rateEndPerSecond: 10 } as const;
  const bed = new Bed({ clients, arrivals, ...parts }, (run) => new OpenLoop(run, 10, 10, 1));
  bed.loop.start();
  bed.loop.stop(0);
  return bed;
}

describe("the open loop", () => {
  test("sends at once what is due when a client is free", () => {
    const bed = openBed(2);
    assert.equal(bed.tally.began, 1);
    assert.equal(bed.tally.sendLag.max(), 0);
    assert.equal(bed.tally.waitedForConnection, 0);
  });

  test("lets what is due wait for the next free client, and counts from the plan", () => {
    const bed = openBed(1);
    bed.connectAll();
    bed.answer(0, 350);
    // The one due at 0 is answered; 100, 200 and 300 were due meanwhile, and the first of them goes out.
    assert.equal(bed.tally.began, 2);
    assert.equal(bed.tally.waitedForConnection, 3);
    assert.ok(bed.loop.hasWaiting());
    bed.answer(0, 360);
    assert.equal(bed.tally.succeeded, 2);
    assert.equal(bed.tally.latency.max(), 350e6);
    assert.equal(bed.tally.latencyUncorrected.percentile(0.1) <= 10.1e6, true);
    assert.equal(bed.tally.sendLag.max(), 0, "it waited for a client, not for the generator");
  });

  test("gives up what has waited for a client as long as the timeout", () => {
    const bed = openBed(1);
    bed.connectAll();
    bed.answer(0, 450);
    bed.answer(0, 890);
    // Due at 0 and 100 were sent and answered; 200 and 300 were too old by then; 400 is on its way.
    assert.equal(bed.tally.succeeded, 2);
    assert.deepEqual(bed.errors(), { timeout: 2 });
    assert.equal(bed.tally.began, 3);
    assert.equal(bed.host.begunMs[0], 890);
    assert.equal(bed.host.plannedMs[0], 400);
  });

  test("fails what is due at once while every connection is refused, and what was waiting, too", () => {
    const bed = openBed(1);
    bed.loop.stop(150);
    assert.ok(bed.loop.hasWaiting());
    bed.refuse(0, 150);
    assert.deepEqual(bed.errors(), { refused: 2 });
    bed.loop.stop(350);
    assert.deepEqual(bed.errors(), { refused: 4 });
    assert.equal(bed.tally.began, 1);
    assert.equal(bed.loop.hasWaiting(), false);
  });

  test("uses its clients in turn", () => {
    const bed = openBed(3);
    for (const ms of [100, 200]) {
      bed.nowMs = ms;
      bed.loop.stop(ms);
    }
    assert.deepEqual(
      bed.clients.map(({ begun }) => begun),
      [1, 1, 1],
    );
    bed.connectAll();
    bed.answer(1, 210);
    bed.answer(0, 220);
    bed.loop.stop(300);
    bed.loop.stop(400);
    assert.deepEqual(
      bed.clients.map(({ begun }) => begun),
      [2, 2, 1],
    );
  });

  test("asked for what was due until the end, answered or not", () => {
    const bed = openBed(1);
    assert.equal(bed.loop.planned(), 10);
    bed.loop.stop(999);
    bed.loop.failWaiting(999);
    assert.equal(bed.tally.began + (bed.errors().timeout ?? 0), 10);
  });
});

function pacedBed(clients: number, requestsEach = Number.POSITIVE_INFINITY): Bed {
  const arrivals = { kind: "closed", paceMs: 100 } as const;
  const bed = new Bed({ clients, arrivals }, (run) => new PacedLoop(run, 100, requestsEach));
  bed.loop.start();
  bed.loop.stop(0);
  return bed;
}

describe("the paced loop", () => {
  test("owes a client the turns that it missed, and counts each from its turn", () => {
    const bed = pacedBed(1);
    bed.connectAll();
    bed.answer(0, 250);
    assert.equal(bed.tally.began, 2);
    bed.answer(0, 260);
    bed.answer(0, 270);
    assert.equal(bed.tally.succeeded, 3);
    assert.equal(bed.tally.began, 3, "the next turn is at 300 ms");
    assert.equal(bed.tally.latency.max(), 250e6);
    assert.ok(bed.tally.latencyUncorrected.percentile(0.6) <= 10.1e6);
  });

  test("ends the run when every client has had its requests", () => {
    const bed = pacedBed(1, 2);
    bed.connectAll();
    bed.answer(0, 120);
    assert.equal(bed.hasEnded, false);
    bed.answer(0, 130);
    assert.equal(bed.hasEnded, true);
    assert.equal(bed.clients[0]!.isFinished, true);
    assert.equal(bed.loop.planned(), 2);
  });
});

describe("the unpaced loop", () => {
  test("sends as soon as it is answered, and no more than each client's requests", () => {
    const bed = new Bed({ clients: 2 }, (run) => new UnpacedLoop(run, 2, 0));
    bed.loop.start();
    assert.equal(bed.tally.began, 2);
    bed.connectAll();
    bed.answer(0, 5);
    bed.answer(0, 9);
    assert.deepEqual(
      bed.clients.map(({ begun, isFinished }) => [begun, isFinished]),
      [
        [2, true],
        [1, false],
      ],
    );
    bed.answer(1, 10);
    assert.equal(bed.hasEnded, false);
    bed.answer(1, 11);
    assert.equal(bed.hasEnded, true);
    assert.equal(bed.tally.succeeded, 4);
  });

  test("counts a refused connection as one of the client's requests", () => {
    const bed = new Bed({ clients: 1 }, (run) => new UnpacedLoop(run, 2, 0));
    bed.loop.start();
    bed.refuse(0, 1);
    bed.clients[0]!.look(20);
    assert.equal(bed.tally.began, 2);
    bed.refuse(1, 21);
    assert.deepEqual(bed.errors(), { refused: 2 });
    assert.equal(bed.hasEnded, true);
  });
});
