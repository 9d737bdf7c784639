// A program of its own: N connections, each sending one batch every PACE ms for SECONDS, as the first capacity test
// of this kind of server did. One request is in flight a connection; one that is late is sent as soon as the answer
// before it is there, and the pace goes on from that, so that nobody ever sends faster than agreed. Latency counts
// from the send: what is asked here is whether everybody is answered. No X-Client-Id: to the server they are all one address.
// Usage: paced-client.ts PORT CLIENTS PACE_MS SECONDS BODY_FILE; prints one line of JSON.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { AnswerReader } from "./answer-reader.ts";

const ANSWER_MS_MAX = 10_000;

const [port, clientCount, paceMs, seconds] = process.argv.slice(2, 6).map(Number) as [
  number,
  number,
  number,
  number,
];
const body = readFileSync(process.argv[6]!);
const head = `POST /metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
const request = Buffer.concat([Buffer.from(head), body]);

let successes = 0;
let requests = 0;
let latestEndMs = 0;
const latenciesMs: number[] = [];
const failuresByClass: Record<string, number> = {};

class Client {
  readonly #socket: Socket;
  readonly #answers = new AnswerReader();
  readonly #ended: () => void;
  #timer: NodeJS.Timeout | null = null;
  #plannedMs: number;
  #sentMs = 0;
  #inFlight = false;

  constructor(startMs: number, ended: () => void) {
    this.#plannedMs = startMs;
    this.#ended = ended;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.once("connect", () => this.#waitForTurn());
    this.#socket.on("data", (bytes) => this.#read(bytes));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code ?? "error"));
    this.#socket.on("close", () => this.#fail("closed"));
  }

  #waitForTurn(): void {
    if (this.#plannedMs >= latestEndMs) {
      this.#end();
      return;
    }
    this.#timer = setTimeout(() => this.#send(), Math.max(0, this.#plannedMs - performance.now()));
  }

  #send(): void {
    this.#inFlight = true;
    this.#sentMs = performance.now();
    requests++;
    this.#timer = setTimeout(() => this.#fail("timeout"), ANSWER_MS_MAX);
    this.#socket.write(request);
  }

  #read(bytes: Buffer): void {
    const status = this.#answers.read(bytes);
    if (status === null) return;
    clearTimeout(this.#timer!);
    this.#inFlight = false;
    const nowMs = performance.now();
    latenciesMs.push(nowMs - this.#sentMs);
    if (status === 200) successes++;
    else countFailures(`status ${status}`, 1);
    this.#plannedMs = Math.max(this.#plannedMs + paceMs, nowMs);
    this.#waitForTurn();
  }

  /** A connection that fails takes its remaining turns with it, and each counts as failed. */
  #fail(reason: string): void {
    const turns = Math.max(1, Math.ceil((latestEndMs - this.#plannedMs) / paceMs));
    requests += this.#inFlight ? turns - 1 : turns;
    countFailures(reason, turns);
    this.#end();
  }

  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    this.#socket.resetAndDestroy(); // leaves no port in TIME_WAIT
    this.#ended();
  }
}

function countFailures(reason: string, count: number): void {
  failuresByClass[reason] = (failuresByClass[reason] ?? 0) + count;
}

// First turns are spread over one pace after everybody has had a moment to connect.
const startMs = performance.now() + 200 + clientCount / 5;
latestEndMs = startMs + seconds * 1000;
await new Promise<void>((resolve) => {
  let left = clientCount;
  const ended = () => {
    left--;
    if (left === 0) resolve();
  };
  for (let index = 0; index < clientCount; index++)
    new Client(startMs + (index * paceMs) / clientCount, ended);
});
latenciesMs.sort((a, b) => a - b);
const percentileUs = (share: number) =>
  Math.round((latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0) * 1000);
process.stdout.write(
  `${JSON.stringify({
    requests,
    successes,
    failuresByClass,
    latencyUsP50: percentileUs(0.5),
    latencyUsP99: percentileUs(0.99),
  })}\n`,
);
