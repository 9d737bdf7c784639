// For tests: a lane on the disk that a replicator in this process brings into a stream, and the stream read back as any client of
// NATS would. What the operator's log says is kept. For what needs a whole server there is startReplicating().

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { realClock } from "../../src/base/clock.ts";
import { realFiles } from "../../src/log/files.ts";
import { segmentPath } from "../../src/log/segment-name.ts";
import { type NatsSettings, NO_CREDENTIALS } from "../../src/nats/nats-settings.ts";
import { BLOCK_HEADER, type Block, decodeBlock } from "../../src/replica/block-message.ts";
import { Replicator } from "../../src/replica/replicator.ts";
import type { StreamSettings } from "../../src/replica/stream-settings.ts";
import { eventually } from "../support/server-process.ts";

export const STREAM: StreamSettings = {
  stream: "lines",
  replicas: 1,
  partitions: 2,
  bytesMax: 0,
  ageMsMax: 0,
};

export interface Said {
  level: string;
  text: string;
  fields: Record<string, unknown>;
}

const folders: string[] = [];
const open = new Set<{ close(): Promise<void> }>();

/** For `after`: ends what a failed test has left. */
export async function closeBeds(): Promise<void> {
  await Promise.all([...open].map((one) => one.close()));
}

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export class ReplicaBed {
  readonly data = mkdtempSync(join(tmpdir(), "tidemark-replica-"));
  readonly said: Said[] = [];
  private lines = 0;
  private replicator: Replicator | null = null;

  constructor() {
    folders.push(this.data);
    mkdirSync(join(this.data, "lane-0"));
  }

  /** Lines of a segment more; each has its number. */
  add(count: number, bytes = 100): void {
    const text = Array.from({ length: count }, (_, line) => lineOf(this.lines + line, bytes)).join("");
    writeFileSync(segmentPath(join(this.data, "lane-0"), this.lines), text);
    this.lines += count;
  }

  run(nats: Partial<NatsSettings> & { servers: string[] }, stream: Partial<StreamSettings> = {}): void {
    this.replicator = new Replicator({
      nats: { ...NO_CREDENTIALS, ...nats },
      stream: { ...STREAM, ...stream },
      node: "node",
      dataFolder: this.data,
      lanes: [{ lane: 0, positions: null, end: this.lines }],
      files: realFiles,
      clock: realClock,
      checkMs: 100,
      log: (level, text, fields) => this.said.push({ level, text, fields }),
    });
    open.add(this);
    this.replicator.runInBackground();
  }

  get linesBehind(): number {
    return this.replicator!.figures().linesBehind;
  }

  async caughtUp(): Promise<void> {
    await eventually(
      () => `all is replicated; it said ${JSON.stringify(this.said)}`,
      () => this.linesBehind === 0,
    );
  }

  async close(): Promise<void> {
    open.delete(this);
    await this.replicator?.close();
    this.replicator = null;
  }

  /** The first warning or error. */
  trouble(): Promise<Said> {
    return eventually("it tells what is wrong", () => this.said.find(({ level }) => level !== "info"));
  }

  deadLetters(): string {
    return readFileSync(join(this.data, "dead-letter", "replicate.jsonl"), "utf8");
  }
}

/** Its filling shrinks only by half, as text that means something does. */
export function lineOf(number: number, bytes = 100): string {
  const start = `{"ts":1,"name":"line.${number}","value":${number},"type":"gauge","tags":{},"client":"`;
  let filling = "";
  for (let part = 0; start.length + filling.length + 3 < bytes; part++)
    filling += createHash("sha512").update(`${number}.${part}`).digest("hex");
  return `${start}${filling.slice(0, Math.max(1, bytes - start.length - 3))}"}\n`;
}

/** The stream as a client of the test's own sees it. */
export class StreamReader {
  private readonly connection: NatsConnection;
  readonly manager: JetStreamManager;

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.connection = connection;
    this.manager = manager;
    open.add(this);
  }

  static async open(options: NodeConnectionOptions): Promise<StreamReader> {
    const connection = await connect({ reconnectTimeWait: 100, maxReconnectAttempts: -1, ...options });
    return new StreamReader(connection, await jetstreamManager(connection, { checkAPI: false }));
  }

  close(): Promise<void> {
    open.delete(this);
    return this.connection.close();
  }

  /** Every block, in the order of the stream. */
  async blocks(stream = STREAM.stream): Promise<Block[]> {
    const { state } = await this.manager.streams.info(stream);
    const blocks: Block[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await this.manager.streams.getMessage(stream, { seq });
      assert.ok(message !== null);
      const block = decodeBlock(message.header.get(BLOCK_HEADER), message.data);
      assert.ok(typeof block !== "string", String(block));
      blocks.push(block);
    }
    return blocks;
  }

  /** How often each metric is there, by its name: once, or it was sent under other numbers. */
  async metrics(stream = STREAM.stream): Promise<Map<string, number>> {
    const seen = new Map<string, Set<string>>();
    for (const { origin, lane, first, bytes } of await this.blocks(stream))
      for (const [at, text] of Buffer.from(bytes).toString().split("\n").slice(0, -1).entries()) {
        const { name } = JSON.parse(text) as { name: string };
        seen.set(name, (seen.get(name) ?? new Set()).add(`${origin}.${lane}.${first + at}`));
      }
    return new Map([...seen].map(([name, places]) => [name, places.size]));
  }
}
