// One ingest node of the bed: a name, a data folder, a server on it that replicates, and clients that push to it through all of
// its lives. It knows what its folder was promised for, so that this can be released when the folder is deleted.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { bodyOf, type Ledger, PROMISES_KEPT, type PromiseKept } from "../crash/ledger.ts";
import { type Notes, type Pusher, type PusherStyle, startPusher } from "../crash/pusher.ts";
import { oneOf, type Random } from "../crash/random.ts";
import { RawConnection } from "../support/raw-client.ts";
import { type Headers, post } from "../support/requests.ts";
import { newDataFolder, type ServerProcess, startServer } from "../support/server-process.ts";

export const CLIENT = "cluster";
const REPLICATED: Headers = { Prefer: "ack=replicated" };
const SYNCED: Headers = { Prefer: "ack=synced" };
const CLIENTS: readonly { headers: Headers; style: PusherStyle }[] = [
  { headers: REPLICATED, style: { pipelinedMax: 1 } },
  { headers: REPLICATED, style: { pipelinedMax: 4, isCompressed: true } },
  { headers: REPLICATED, style: { pipelinedMax: 4 } },
  { headers: SYNCED, style: { pipelinedMax: 2 } },
  { headers: {}, style: { pipelinedMax: 2 } },
];
/** Between two writes of a client, milliseconds: faults are wanted, not a full disk. */
const PAUSE_MS = 25;
/** A 504 comes after 10 s, and the machine is shared. */
const ANSWER_MS_MAX = 60_000;
const STARTING_MS_MAX = 90_000;

export class IngestNode {
  readonly name: string;
  private readonly ledger: Ledger;
  private readonly random: Random;
  private readonly streamFlags: readonly string[];
  private readonly data = newDataFolder();
  private server: ServerProcess | null = null;
  /** What it promises by itself. */
  level: PromiseKept = "written";
  /** Lines that the stream had lost, as its servers told. */
  linesSentAgain = 0;
  private pushers: Pusher[] = [];
  /** What only the folder keeps. */
  private folderHolds: { first: number; count: number }[] = [];
  private readonly notes: Notes;

  constructor(name: string, ledger: Ledger, random: Random, streamFlags: readonly string[]) {
    this.name = name;
    this.ledger = ledger;
    this.random = random;
    this.streamFlags = streamFlags;
    this.notes = {
      take: (count) => ledger.take(count),
      refuse: (first, count) => ledger.refuse(first, count),
      acknowledge: (first, count, level) => {
        ledger.acknowledge(first, count, level);
        if (level !== "replicated") this.folderHolds.push({ first, count });
      },
    };
  }

  get isRunning(): boolean {
    return this.server !== null;
  }

  /** On its folder, with settings of its own: what one life wrote the next one reads. */
  async start(): Promise<void> {
    this.level = oneOf(this.random, PROMISES_KEPT);
    const threads = oneOf(this.random, ["1", "1", "2"]);
    const segment = oneOf(this.random, ["64KiB", "256KiB", "64MiB"]);
    this.server = await startServer(
      [
        ...["--node", this.name, ...this.streamFlags],
        ...["--ack", this.level, "--threads", threads, "--segment-size", segment, "--rate-limit", "0"],
      ],
      { data: this.data, startMsMax: STARTING_MS_MAX },
    );
    this.pushers = CLIENTS.map(({ headers, style }) =>
      startPusher(
        () => (this.server?.hasExited === false ? this.server.port : null),
        this.notes,
        this.random,
        { "X-Client-Id": CLIENT, ...headers },
        { ...style, level: () => this.level, pauseMs: PAUSE_MS, answerMsMax: ANSWER_MS_MAX },
      ),
    );
  }

  /** SIGKILL; resolves when no answer of that life can come any more. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = null;
    await server?.kill();
    this.linesSentAgain += linesSentAgain(server?.error ?? "");
    await this.stopClients();
  }

  /** SIGTERM under load, and the good end that it must bring. */
  async term(): Promise<void> {
    const { server } = this;
    assert.ok(server !== null, `${this.name} does not run`);
    const exit = await server.stop();
    this.server = null;
    this.linesSentAgain += linesSentAgain(server.error);
    await this.stopClients();
    assert.deepEqual(exit, { code: 0, signal: null }, `${this.name} after SIGTERM: ${tail(server.error)}`);
  }

  /** The machine is lost: what its folder was promised for with it. */
  async lose(): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
    for (const { first, count } of this.folderHolds) this.ledger.release(first, count);
    this.folderHolds = [];
  }

  async stopClients(): Promise<void> {
    const pushers = this.pushers;
    this.pushers = [];
    await Promise.all(pushers.map((pusher) => pusher.stop()));
  }

  /** One batch at this level, on a connection of its own; the answer's status, null where none came. */
  async tryStore(level: "synced" | "replicated", msMax: number): Promise<number | null> {
    const { server, notes } = this;
    if (server === null) return null;
    if (server.hasExited) throw new Error(`${this.name} ended: ${tail(server.error)}`);
    const connection = await RawConnection.open(server.port).catch(() => null);
    if (connection === null) return null;
    const first = notes.take(1);
    connection.send(post(bodyOf(first, 1), { "X-Client-Id": CLIENT, Prefer: `ack=${level}` }));
    const answer = await connection.answerOrEnd(false, msMax).catch(() => null);
    connection.close();
    if (answer?.status === 200) notes.acknowledge(first, 1, level);
    return answer?.status ?? null;
  }

  /** The last that it said. */
  get said(): string {
    return tail(this.server?.error ?? "");
  }
}

function linesSentAgain(said: string): number {
  const told = said.split("\n").filter((line) => line.includes("the stream has lost lines"));
  return told.reduce((sum, line) => sum + Number(/"lines":(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** The last of what a program said. */
export function tail(text: string): string {
  return text.slice(-1_500);
}
