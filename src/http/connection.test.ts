// What a connection awaits and for how long, on a stream and a clock that the test holds: no test here waits. The deadlines
// are looked at as the ingest thread does it, by ticks of a coarse clock.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { REFUSAL, type Refusal } from "../errors.ts";
import {
  BODY_TIMEOUT_MS,
  DEADLINE_TICK_MS,
  HEAD_TIMEOUT_MS,
  IDLE_BEFORE_ROOM_MS,
  LINGER_MS,
  REQUESTS_PER_TURN_MAX,
  WRITE_TIMEOUT_MS,
} from "../limits.ts";
import { Answers } from "./answers.ts";
import { BodyPool } from "./body-pool.ts";
import { HttpConnection } from "./connection.ts";
import { ConnectionRegistry } from "./connection-registry.ts";
import type { Budget, ConnectionShared } from "./connection-shared.ts";
import { ADMIT_SKIP, ADMIT_TAKE, type Exchange, type Stream } from "./exchange.ts";
import { IdlePlaces } from "./idle-places.ts";
import { METHOD_POST, RequestHead } from "./request-head.ts";

const KEEP_ALIVE_MS = 75_000;
const MEMORY_BYTES = 100_000;
const POST_HEAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n";
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A kernel that takes what it has room for, and a peer that ends when the test says so. */
class FakeStream implements Stream {
  room = Number.POSITIVE_INFINITY;
  sent = "";
  unsent = "";
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  connection!: HttpConnection<null>;

  write(bytes: Uint8Array): void {
    this.unsent += Buffer.from(bytes).toString("latin1");
    this.flow();
  }

  /** The peer reads this many bytes. */
  reads(bytes: number): void {
    this.room += bytes;
    this.flow();
    if (this.unsent === "") this.connection.drained();
  }

  private flow(): void {
    const taken = Math.min(this.room, this.unsent.length);
    this.sent += this.unsent.slice(0, taken);
    this.unsent = this.unsent.slice(taken);
    this.room -= taken;
  }

  backlogBytes(): number {
    return this.unsent.length;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.connection.closed();
  }

  remoteAddress(): string {
    return "127.0.0.1";
  }

  get statuses(): number[] {
    return [...this.sent.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  }
}

class FakeBudget implements Budget {
  bytesUsed = 0;

  tryTake(bytes: number): boolean {
    if (this.bytesUsed + bytes > MEMORY_BYTES) return false;
    this.bytesUsed += bytes;
    return true;
  }

  give(bytes: number): void {
    this.bytesUsed -= bytes;
  }
}

let nowMs: number;
let shared: ConnectionShared<null>;
let budget: FakeBudget;
let refusals: Refusal[];
let handled: string[];
/** Requests to which the exchange owes its answer, as a group commit does. */
let owing: HttpConnection<null>[];
let owesPosts: boolean;

beforeEach(() => {
  nowMs = 1_000_000;
  refusals = [];
  handled = [];
  owing = [];
  owesPosts = false;
  budget = new FakeBudget();
  const answers = new Answers({ wallMs: () => 0, monotonicMs: () => nowMs });
  const exchange: Exchange<null> = {
    admit: (_connection, head) => (head.method === METHOD_POST ? ADMIT_TAKE : ADMIT_SKIP),
    handle(connection, bytes, start, end) {
      handled.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
      if (owesPosts && end > start) {
        connection.owe();
        owing.push(connection);
      } else connection.answer(answers.plain(200, "text/plain", "fine", { keepAlive: connection.keepAlive }));
    },
    refused(refusal) {
      refusals.push(refusal);
      return 0;
    },
  };
  shared = {
    head: new RequestHead(),
    exchange,
    answers,
    budget,
    pool: new BodyPool(),
    registry: new ConnectionRegistry<HttpConnection<null>>(() => {}),
    bodyBytesMax: 1024 * 1024,
    keepAliveTimeoutMs: KEEP_ALIVE_MS,
    keepAliveAllowed: true,
    coarseMs: nowMs,
    bytesRead: 0,
    bytesWritten: 0,
  };
});

function open(): { stream: FakeStream; connection: HttpConnection<null> } {
  const stream = new FakeStream();
  const connection = new HttpConnection<null>(stream, null, shared);
  stream.connection = connection;
  shared.registry.add(connection);
  return { stream, connection };
}

function receive(connection: HttpConnection<null>, text: string): void {
  connection.received(Buffer.from(text, "latin1"));
}

/** Time goes by, tick by tick; `eachTick` is what the client does meanwhile. */
function pass(ms: number, eachTick: () => void = () => {}): void {
  for (const endMs = nowMs + ms; nowMs < endMs; ) {
    nowMs += Math.min(DEADLINE_TICK_MS, endMs - nowMs);
    shared.coarseMs = nowMs;
    shared.registry.tick(nowMs);
    eachTick();
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("patience", () => {
  test("with a body that drips in ends BODY_TIMEOUT_MS after its head, however often a byte comes", () => {
    const { stream, connection } = open();
    receive(connection, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`);
    pass(BODY_TIMEOUT_MS, () => receive(connection, "x"));
    assert.deepEqual(stream.statuses, []);
    pass(DEADLINE_TICK_MS);
    assert.deepEqual(stream.statuses, [408]);
    assert.deepEqual(refusals, [REFUSAL.timeout]);
    assert.match(stream.sent, /Connection: close/);
    assert.equal(stream.isEnded, true);
    assert.equal(budget.bytesUsed, 0);
  });

  test("with a chunked body ends then too, though each chunk is whole", () => {
    const { stream, connection } = open();
    receive(connection, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    pass(BODY_TIMEOUT_MS + DEADLINE_TICK_MS, () => receive(connection, "1;a=b\r\nx\r\n"));
    assert.deepEqual(stream.statuses, [408]);
  });

  test("with trailers ends with the body's", () => {
    const { stream, connection } = open();
    receive(connection, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n`);
    pass(BODY_TIMEOUT_MS + DEADLINE_TICK_MS, () => receive(connection, "a:b\r\n"));
    assert.deepEqual(stream.statuses, [408]);
  });

  test("with a body that somebody asked leave for and never sends ends then", () => {
    const { stream, connection } = open();
    receive(connection, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n");
    assert.deepEqual(stream.statuses, [100]);
    pass(BODY_TIMEOUT_MS + DEADLINE_TICK_MS);
    assert.deepEqual(stream.statuses, [100, 408]);
  });

  test("with a head ends HEAD_TIMEOUT_MS after its first byte, however often a byte comes", () => {
    const { stream, connection } = open();
    pass(KEEP_ALIVE_MS / 2);
    receive(connection, "GET / HTTP/1.1\r\nX: ");
    pass(HEAD_TIMEOUT_MS, () => receive(connection, "x"));
    assert.deepEqual(stream.statuses, []);
    pass(DEADLINE_TICK_MS);
    assert.deepEqual(stream.statuses, [408]);
    assert.equal(budget.bytesUsed, 0);
  });

  test("with a peer that does not read ends WRITE_TIMEOUT_MS after the answer, with a cut", () => {
    const { stream, connection } = open();
    stream.room = 10;
    receive(connection, GET);
    assert.equal(stream.isPaused, true);
    pass(WRITE_TIMEOUT_MS);
    assert.equal(stream.isDestroyed, false);
    pass(DEADLINE_TICK_MS);
    assert.equal(stream.isDestroyed, true);
    assert.equal(shared.registry.count, 0);
  });

  test("with a peer that reads a byte a second ends then too", () => {
    const { stream, connection } = open();
    stream.room = 0;
    receive(connection, GET);
    pass(WRITE_TIMEOUT_MS + DEADLINE_TICK_MS, () => stream.reads(1));
    assert.equal(stream.isDestroyed, true);
    assert.ok(stream.sent.length >= WRITE_TIMEOUT_MS / DEADLINE_TICK_MS);
  });

  test("begins anew with each answer that a slow reader takes whole", () => {
    const { stream, connection } = open();
    for (let round = 0; round < 3; round++) {
      stream.room = 0;
      receive(connection, GET);
      pass(WRITE_TIMEOUT_MS - DEADLINE_TICK_MS);
      stream.reads(1_000);
      assert.equal(stream.isPaused, false);
    }
    pass(WRITE_TIMEOUT_MS + 2 * DEADLINE_TICK_MS);
    assert.deepEqual(stream.statuses, [200, 200, 200]);
    assert.equal(stream.isDestroyed || stream.isEnded, false, "then it is idle, and that may last longer");
  });

  test("with a last answer that nobody reads, and then with a FIN that does not come, ends too", () => {
    const { stream, connection } = open();
    stream.room = 5;
    receive(connection, "nonsense\r\n\r\n");
    pass(WRITE_TIMEOUT_MS - DEADLINE_TICK_MS);
    stream.reads(1_000);
    assert.deepEqual(stream.statuses, [400]);
    pass(LINGER_MS);
    assert.equal(stream.isDestroyed, false);
    pass(DEADLINE_TICK_MS);
    assert.equal(stream.isDestroyed, true);
  });

  test("with an idle connection is --keep-alive-timeout, and ends with a FIN and without a word", () => {
    const { stream, connection } = open();
    receive(connection, GET);
    pass(KEEP_ALIVE_MS);
    assert.equal(stream.isEnded, false);
    pass(DEADLINE_TICK_MS);
    assert.equal(stream.isEnded, true);
    assert.deepEqual(stream.statuses, [200]);
    assert.deepEqual(refusals, []);
  });

  test("is not that of a head where all that came is an empty line behind a request", () => {
    for (const stray of ["\r\n", "\r", "\r\n\r\n"]) {
      const { stream, connection } = open();
      receive(connection, `${GET}${stray}`);
      pass(HEAD_TIMEOUT_MS + 2 * DEADLINE_TICK_MS);
      assert.equal(stream.isEnded, false);
      receive(connection, stray === "\r" ? `\n${GET}` : GET);
      assert.deepEqual(stream.statuses, [200, 200]);
      receive(connection, stray);
      pass(KEEP_ALIVE_MS + DEADLINE_TICK_MS);
      assert.equal(stream.isEnded, true);
      assert.deepEqual(stream.statuses, [200, 200], "an idle connection is not told 408");
      assert.equal(budget.bytesUsed, 0);
    }
  });

  test("with empty lines that drip in is no longer than with silence", () => {
    const { stream, connection } = open();
    pass(KEEP_ALIVE_MS - DEADLINE_TICK_MS);
    receive(connection, "\r\n");
    pass(2 * DEADLINE_TICK_MS);
    assert.equal(stream.isEnded, true);
  });
});

describe("a request that comes in pieces", () => {
  test("is read right though each piece comes in the same memory", () => {
    const { stream, connection } = open();
    const readBuffer = Buffer.alloc(200);
    const text = `${POST_HEAD}12345678`;
    const cuts = [0, 3, 30, POST_HEAD.length - 1, POST_HEAD.length + 3, text.length];
    for (let piece = 1; piece < cuts.length; piece++) {
      const bytes = readBuffer.subarray(0, cuts[piece]! - cuts[piece - 1]!);
      bytes.write(text.slice(cuts[piece - 1], cuts[piece]), "latin1");
      connection.received(bytes);
      readBuffer.fill("~");
    }
    assert.deepEqual(stream.statuses, [200]);
    assert.deepEqual(handled, ["12345678"]);
  });

  test("takes memory for what has come of its body, not for what it promises", () => {
    const { connection } = open();
    receive(connection, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\nx`);
    assert.ok(budget.bytesUsed > 0 && budget.bytesUsed < 40_000, `${budget.bytesUsed} bytes are taken`);
    assert.deepEqual(refusals, []);
  });
});

describe("a crowd of requests in one write", () => {
  test("is taken some at a turn of the event loop, in order and whole", async () => {
    const { stream, connection } = open();
    const count = 3 * REQUESTS_PER_TURN_MAX + 7;
    receive(connection, GET.repeat(count));
    assert.equal(handled.length, REQUESTS_PER_TURN_MAX);
    assert.equal(stream.isPaused, true);
    assert.ok(budget.bytesUsed > 0, "what waits is charged");
    while (handled.length < count) await turnOfLoop();
    assert.equal(stream.isPaused, false);
    assert.equal(stream.statuses.length, count);
    assert.equal(budget.bytesUsed, 0);
  });

  test("is not taken further once its connection is gone", async () => {
    const { stream, connection } = open();
    receive(connection, GET.repeat(2 * REQUESTS_PER_TURN_MAX));
    stream.destroy();
    await turnOfLoop();
    await turnOfLoop();
    assert.equal(handled.length, REQUESTS_PER_TURN_MAX);
    assert.equal(budget.bytesUsed, 0);
  });

  test("keeps its turn however late that comes", async () => {
    const { stream, connection } = open();
    receive(connection, GET.repeat(REQUESTS_PER_TURN_MAX + 1));
    pass(2 * KEEP_ALIVE_MS);
    assert.equal(stream.isEnded, false);
    await turnOfLoop();
    assert.equal(stream.statuses.length, REQUESTS_PER_TURN_MAX + 1);
  });

  test("is answered to its end where the client has sent FIN behind it", async () => {
    const { stream, connection } = open();
    receive(connection, GET.repeat(REQUESTS_PER_TURN_MAX + 1));
    connection.peerEnded();
    await turnOfLoop();
    assert.equal(stream.statuses.length, REQUESTS_PER_TURN_MAX + 1);
    assert.equal(stream.isEnded, true);
  });

  test("that the memory budget cannot hold costs no earlier request its answer", () => {
    const { stream, connection } = open();
    owesPosts = true;
    receive(connection, `${POST_HEAD}12345678${GET}`);
    assert.equal(owing.length, 1);
    // The GET is handled once the POST's answer is out; a head behind it is more than the budget has.
    assert.equal(budget.tryTake(MEMORY_BYTES - budget.bytesUsed), true);
    receive(connection, GET);
    connection.gather(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));
    connection.flush();
    assert.deepEqual(stream.statuses, [200, 503]);
    assert.equal(stream.isEnded, true);
  });

  test("that breaks off with a fault answers what was deferred before it, not over it", () => {
    const { stream, connection } = open();
    owesPosts = true;
    // The second request's head is taken, its answer waits for the first one's; then its body does not fit.
    receive(connection, `${POST_HEAD}12345678`);
    receive(connection, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert.deepEqual(handled, ["12345678", ""]);
    assert.equal(budget.tryTake(MEMORY_BYTES - budget.bytesUsed), true);
    receive(connection, "more than there is room for");
    assert.deepEqual(stream.statuses, [], "the first answer is owed, the second waits for it");
    connection.gather(Buffer.from("HTTP/1.1 201 Created\r\n\r\n"));
    connection.flush();
    assert.deepEqual(stream.statuses, [201, 200]);
    assert.equal(stream.isEnded, true);
  });
});

describe("room for another connection", () => {
  test("is made by the one that was idle for longest, and by none with a request under way", () => {
    const slow = open();
    const oldest = open();
    pass(IDLE_BEFORE_ROOM_MS / 2);
    const younger = open();
    receive(slow.connection, "GET / HTTP/1.1\r\n");
    pass(IDLE_BEFORE_ROOM_MS / 2);
    const places = new IdlePlaces(shared.registry, KEEP_ALIVE_MS);
    pass(DEADLINE_TICK_MS);
    assert.equal(places.tryMakeRoom(shared.coarseMs), true);
    assert.equal(oldest.stream.isDestroyed, true);
    assert.equal(places.tryMakeRoom(shared.coarseMs), false, "the others are not idle for so long");
    assert.equal(shared.registry.count, 2);
    pass(IDLE_BEFORE_ROOM_MS / 2);
    assert.equal(places.tryMakeRoom(shared.coarseMs), true);
    assert.equal(younger.stream.isDestroyed, true);
    assert.equal(places.tryMakeRoom(shared.coarseMs), false);
    assert.equal(slow.stream.isDestroyed, false);
  });

  test("is not made by one that was used since it was found", () => {
    const used = open();
    const silent = open();
    pass(DEADLINE_TICK_MS);
    receive(used.connection, GET);
    pass(IDLE_BEFORE_ROOM_MS + DEADLINE_TICK_MS);
    const places = new IdlePlaces(shared.registry, KEEP_ALIVE_MS);
    assert.equal(places.tryMakeRoom(shared.coarseMs), true);
    assert.equal(silent.stream.isDestroyed, true, "the order is that of their last use");
    receive(used.connection, GET);
    assert.equal(places.tryMakeRoom(shared.coarseMs), false);
    assert.equal(used.stream.isDestroyed, false);
  });

  test("is looked for once a tick, however many ask", () => {
    for (let count = 0; count < 3; count++) open();
    pass(IDLE_BEFORE_ROOM_MS + DEADLINE_TICK_MS);
    let looks = 0;
    const counting = {
      idleBefore(deadlineMs: number) {
        looks++;
        return shared.registry.idleBefore(deadlineMs);
      },
    };
    const places = new IdlePlaces(counting, KEEP_ALIVE_MS);
    const made = Array.from({ length: 10 }, () => places.tryMakeRoom(shared.coarseMs));
    assert.equal(made.filter((was) => was).length, 3);
    assert.equal(looks, 1);
  });
});
