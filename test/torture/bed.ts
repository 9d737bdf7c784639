// What the faults are injected into: one data folder, the server on it (never more than one at a time), and clients that
// push numbered metrics without pause, through every death of the server, noting what was acknowledged.
//
//   open() ─▶ load ─▶ fault ─▶ serves() ─▶ rest(): the account ─▶ load ─▶ fault ─▶ … ─▶ close(): SIGTERM, the log read back

import assert from "node:assert/strict";
import { bodyOf, LEVELS, Ledger, type Level, type Verdict } from "../crash/ledger.ts";
import { type Pusher, startPusher } from "../crash/pusher.ts";
import { oneOf, type Random, wholeBetween } from "../crash/random.ts";
import { RawConnection } from "../support/raw-client.ts";
import { type Headers, post, readStats, type StatsPart } from "../support/requests.ts";
import {
  eventually,
  newDataFolder,
  pause,
  type ServerProcess,
  type StartOptions,
  spawnServer,
  startServer,
} from "../support/server-process.ts";
import { startBreakableServer } from "../support/thread-faults.ts";

const CLIENT = "torture";
const SYNCED: Headers = { Prefer: "ack=synced" };
/** The clients: single and pipelined, plain and compressed, with the server's own promise and a stronger one. */
const CLIENTS = [
  { headers: {}, pipelinedMax: 1, isCompressed: false },
  { headers: {}, pipelinedMax: 1, isCompressed: true },
  { headers: {}, pipelinedMax: 4, isCompressed: false },
  { headers: {}, pipelinedMax: 4, isCompressed: true },
  { headers: SYNCED, pipelinedMax: 1, isCompressed: false },
  { headers: SYNCED, pipelinedMax: 4, isCompressed: true },
];
/** From the end of a fault to a server that stores again on every thread, milliseconds: generous, the machine is shared. */
const SERVING_MS_MAX = 30_000;
/** A start, which takes seconds of processor time on Node and may share its core with many. */
const STARTING_MS_MAX = 90_000;
/** One try of it. */
const TRY_MS_MAX = 2_000;
/** Fresh connections that must be served in a row, for each thread: the kernel deals them out by chance. */
const TRIES_PER_THREAD = 2;

/** How a server is started; each fault that needs its own has one. */
export interface Setup {
  /** Its threads can be broken by thread-faults.ts. */
  readonly isBreakable?: boolean;
  readonly threadsMin?: number;
  readonly flags?: readonly string[];
  readonly options?: StartOptions;
}

const PLAIN: Setup = {};

export class Bed {
  readonly random: Random;
  /** A short run: the faults take their least time. */
  readonly isBrief: boolean;
  readonly data = newDataFolder();
  readonly ledger = new Ledger(CLIENT);
  threads = 1;
  private running: ServerProcess | null = null;
  private setup: Setup = PLAIN;
  private level: Level = "written";
  private port: number | null = null;
  private pushers: Pusher[] = [];
  private acknowledgedBefore = 0;

  private constructor(random: Random, isBrief: boolean) {
    this.random = random;
    this.isBrief = isBrief;
  }

  static async open(random: Random, isBrief: boolean): Promise<Bed> {
    const bed = new Bed(random, isBrief);
    await bed.start();
    return bed;
  }

  get server(): ServerProcess {
    assert.ok(this.running !== null, "no server is running");
    return this.running;
  }

  // ── the server's lives ────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts one on the folder, with settings of its own: what one life wrote the next one reads, whatever it is set to. */
  async start(setup: Setup = PLAIN): Promise<void> {
    this.setup = setup;
    this.threads = Math.max(setup.threadsMin ?? 1, oneOf(this.random, [1, 1, 2, 3]));
    this.level = oneOf(this.random, LEVELS);
    this.acknowledgedBefore = this.ledger.acknowledgedBatches;
    const start = setup.isBreakable === true ? startBreakableServer : startServer;
    this.running = await start([...this.flags(), ...(setup.flags ?? [])], {
      ...setup.options,
      data: this.data,
      startMsMax: STARTING_MS_MAX,
    });
    this.port = this.running.port;
  }

  /** A server that is not waited for. */
  spawn(): ServerProcess {
    return spawnServer(this.flags(), { data: this.data });
  }

  private flags(): string[] {
    const segment = oneOf(this.random, ["64KiB", "256KiB", "64MiB"]);
    return [
      ...["--ack", this.level, "--threads", `${this.threads}`],
      ...["--segment-size", segment, "--rate-limit", "0"],
    ];
  }

  /** Sees to it that the server is one of this kind; one that is not is ended under load and another started. */
  async use(setup: Setup): Promise<void> {
    if (this.setup === setup && this.running?.hasExited === false) return;
    await this.term();
    await this.start(setup);
  }

  /** SIGKILL; the clients go on asking. */
  async kill(): Promise<void> {
    this.port = null;
    await this.server.kill();
  }

  /** SIGTERM, and the good end that it must bring. */
  async term(): Promise<void> {
    const { server } = this;
    const exit = await server.stop();
    this.port = null;
    assert.deepEqual(exit, { code: 0, signal: null }, `after SIGTERM: ${tail(server.error)}`);
  }

  // ── the load ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets the clients push for some time; in a brief run for the least. */
  async load(msLeast: number, msMost: number): Promise<void> {
    this.startClients();
    await pause(this.between(msLeast, msMost));
  }

  /** From least to most by chance; in a brief run the least. */
  between(least: number, most: number): number {
    return this.isBrief ? least : wholeBetween(this.random, least, most);
  }

  private startClients(): void {
    if (this.pushers.length > 0) return;
    this.pushers = CLIENTS.map(({ headers, ...style }) =>
      startPusher(
        () => this.port,
        this.ledger,
        this.random,
        { "X-Client-Id": CLIENT, ...headers },
        {
          ...style,
          level: () => this.level,
        },
      ),
    );
  }

  private async stopClients(): Promise<void> {
    const { pushers } = this;
    this.pushers = [];
    await Promise.all(pushers.map((pusher) => pusher.stop()));
  }

  /** A batch of one metric, as bytes, and what is to be called when it is acknowledged. */
  batch(headers: Headers = {}): { bytes: Buffer; acknowledged(): void } {
    const first = this.ledger.take(1);
    const level = headers.Prefer === SYNCED.Prefer ? "synced" : this.level;
    return {
      bytes: post(bodyOf(first, 1), { "X-Client-Id": CLIENT, ...headers }),
      acknowledged: () => this.ledger.acknowledge(first, 1, level),
    };
  }

  // ── what must hold ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The server stores again, on fresh connections, without help; returns the milliseconds that it took. */
  async serves(): Promise<number> {
    const beganMs = performance.now();
    const { server } = this;
    let inARow = 0;
    await eventually(
      `it serves again; it said ${tail(server.error)}`,
      async () => {
        if (server.hasExited) throw new Error(`the server ended: ${tail(server.error)}`);
        const status = await this.store(server.port);
        if (status === 200) inARow++;
        // The load has the same name, so a limit may be used up: that is no answer of a server in trouble.
        else if (status !== 429) inARow = 0;
        return inARow >= TRIES_PER_THREAD * this.threads;
      },
      SERVING_MS_MAX,
    );
    return performance.now() - beganMs;
  }

  /** One batch on a connection of its own; the answer's status, null where none came. */
  private async store(port: number): Promise<number | null> {
    const connection = await RawConnection.open(port).catch(() => null);
    if (connection === null) return null;
    const { bytes, acknowledged } = this.batch();
    connection.send(bytes);
    const answer = await connection.answerOrEnd(false, TRY_MS_MAX).catch(() => null);
    connection.close();
    if (answer?.status === 200) acknowledged();
    return answer?.status ?? null;
  }

  /** Lets the clients rest and looks at the account: every batch once, as stored or as refused, and none under way. */
  async rest(): Promise<void> {
    await this.stopClients();
    const { received, stored, rejected } = await eventually("nothing is in flight", async () => {
      const { accounting } = await this.stats();
      return accounting.in_flight === 0 && accounting;
    });
    const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
    assert.equal(received, stored + refused, "received = stored + rejected");
    const acknowledged = this.ledger.acknowledgedBatches - this.acknowledgedBefore;
    assert.ok(stored >= acknowledged, `${stored} counted as stored, ${acknowledged} answered 200`);
  }

  stats(): Promise<StatsPart> {
    return readStats(this.server.port);
  }

  /** Threads that were replaced in this life of the server. */
  async restarts(): Promise<number> {
    const { threads } = await this.stats();
    return threads.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** Ends what is still running and reads the log back. */
  async close(): Promise<Verdict> {
    if (this.running?.hasExited === false) await this.term();
    await this.stopClients();
    // The last recovery is part of what is promised, and a good end must not change the log either.
    const last = await startServer(["--threads", "1"], { data: this.data });
    assert.equal((await last.stop()).code, 0, tail(last.error));
    return this.ledger.verify(this.data);
  }

  /** After a problem: whatever still runs is gone. */
  async abandon(): Promise<void> {
    this.port = null;
    await this.running?.kill();
    await this.stopClients().catch(() => {});
  }
}

/** The last of what a server said. */
export function tail(text: string): string {
  return text.slice(-1_500);
}
