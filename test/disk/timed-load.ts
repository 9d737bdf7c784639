// Load whose acknowledgements are noted with their time, to be laid beside the times of the server's own calls: a few
// connections, each sending batches one after the other, most of them small, some so large that a commit of them goes past
// the page cache.

import { bodyOf, Ledger, type Level } from "../crash/ledger.ts";
import { type Random, wholeBetween } from "../crash/random.ts";
import { RawConnection } from "../support/raw-client.ts";
import { post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";

const CLIENT = "disk";
const CONNECTIONS = 4;
const SMALL_METRICS_MAX = 20;
const LARGE_METRICS = 1000;
const LARGE_EVERY = 12;

export interface Acknowledgement {
  readonly first: number;
  readonly count: number;
  /** Wall clock, milliseconds; the 200 had come by then. */
  readonly atMs: number;
}

export class TimedLoad {
  readonly ledger = new Ledger(CLIENT);
  acknowledgements: Acknowledgement[] = [];
  refusals = 0;
  private readonly random: Random;
  private readonly level: Level;
  private running: Promise<void>[] = [];
  private isStopping = false;

  constructor(level: Level, random: Random) {
    this.level = level;
    this.random = random;
  }

  start(port: number, connections = CONNECTIONS): void {
    this.isStopping = false;
    this.running = Array.from({ length: connections }, () => this.push(port));
    // told by stop(); until then nobody listens
    for (const running of this.running) running.catch(() => {});
  }

  /** Rejects where an answer was wrong: neither 200 nor 503 with Retry-After. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  private async push(port: number): Promise<void> {
    const connection = await RawConnection.open(port).catch(() => null);
    if (connection === null) return;
    while (!this.isStopping && (await this.pushOnce(connection))) {}
    connection.close();
  }

  /** False where the connection has ended: the server has. */
  private async pushOnce(connection: RawConnection): Promise<boolean> {
    const isLarge = wholeBetween(this.random, 1, LARGE_EVERY) === 1;
    const count = isLarge ? LARGE_METRICS : wholeBetween(this.random, 1, SMALL_METRICS_MAX);
    const first = this.ledger.take(count);
    connection.send(post(bodyOf(first, count), { "X-Client-Id": CLIENT }));
    const answer = await connection.answerOrEnd();
    if (answer === null) return false;
    if (answer.status === 200) {
      // the clock says whole milliseconds, the beginning of this one
      this.acknowledgements.push({ first, count, atMs: Date.now() + 1 });
      this.ledger.acknowledge(first, count, this.level);
    } else if (answer.status === 503 && Number(answer.headers.get("retry-after")) >= 1) {
      this.refusals++;
      await pause(5);
    } else {
      throw new Error(`a good batch got ${answer.head}\n${answer.body}`);
    }
    return true;
  }
}
