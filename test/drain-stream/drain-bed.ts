// For tests: a stream whose blocks the test publishes itself, drains that are real processes, and their stores read back. Every
// line is a number of a lane used once, so that what was published can be looked up, and nothing else may be there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { BLOCK_HEADER, encodeBlock, MESSAGE_ID_HEADER } from "../../src/replica/block-message.ts";
import { blockSubject, streamConfig } from "../../src/replica/stream-settings.ts";
import { segmentFiles, storedMetrics } from "../support/log-files.ts";
import type { NatsNode } from "../support/nats-server.ts";
import { compileCache, eventually, newDataFolder, ServerProcess } from "../support/server-process.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
export const STREAM = "lines";
const NODE = "web1";
/** A lease, an election, and a busy machine. */
const DRAINED_MS_MAX = 60_000;

export interface DrainOptions {
  data?: string;
  /** Where this process finds it, if not there. */
  dataFromHere?: string;
  flags?: readonly string[];
  wrapper?: readonly string[];
  stream?: string;
}

export function spawnDrain(servers: string, options: DrainOptions = {}): ServerProcess {
  const data = options.data ?? newDataFolder();
  const words = ["drain", "--from", servers, "--stream", options.stream ?? STREAM, "--data", data];
  const command = [...(options.wrapper ?? []), process.execPath, MAIN, ...words, ...(options.flags ?? [])];
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env.PATH ?? "", ...compileCache() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new ServerProcess(child, data);
}

export class DrainBed {
  private readonly node: NatsNode;
  private readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly partitions: number;
  /** Of every lane that was published to: its lines, by number. */
  private readonly published = new Map<string, Set<number>>();
  private readonly stores = new Set<string>();

  private constructor(
    node: NatsNode,
    connection: NatsConnection,
    manager: JetStreamManager,
    partitions: number,
  ) {
    this.node = node;
    this.connection = connection;
    this.stream = jetstream(connection);
    this.manager = manager;
    this.partitions = partitions;
  }

  static async open(node: NatsNode, partitions: number): Promise<DrainBed> {
    const connection = await connect({
      servers: node.url,
      reconnectTimeWait: 100,
      maxReconnectAttempts: -1,
    });
    const manager = await jetstreamManager(connection);
    const settings = { stream: STREAM, replicas: 1, partitions, bytesMax: 0, ageMsMax: 0 };
    await manager.streams.add(streamConfig(settings));
    return new DrainBed(node, connection, manager, partitions);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /** One that drains when this resolves. */
  async drain(options: DrainOptions = {}): Promise<ServerProcess> {
    const drain = spawnDrain(this.node.url, options);
    this.stores.add(options.dataFromHere ?? drain.data);
    await eventually("the drain says that it drains", () => {
      if (drain.hasExited) throw new Error(`the drain ended: ${drain.error}`);
      return drain.out.includes(`tidemark drains ${STREAM} into ${drain.data}\n`);
    });
    return drain;
  }

  /** Lines [from, end) of a lane of the origin, as one block into the lane's partition. Never taken for a duplicate by the stream. */
  async publish(lane: number, from: number, end: number, origin = "00000000000000aa"): Promise<void> {
    const key = `${origin}.${lane}`;
    const numbers = this.published.get(key) ?? new Set();
    this.published.set(key, numbers);
    let text = "";
    for (let number = from; number < end; number++) {
      numbers.add(number);
      text += lineOf(key, number);
    }
    const block = encodeBlock({ origin, lane, from, first: from, end, bytes: Buffer.from(text) });
    const subject = blockSubject(STREAM, lane % this.partitions, NODE, lane);
    await this.send(subject, block.header, block.payload);
  }

  async send(subject: string, header: string | null, payload: Uint8Array): Promise<number> {
    const lines = headers();
    if (header !== null) lines.set(BLOCK_HEADER, header);
    lines.set(MESSAGE_ID_HEADER, crypto.randomUUID());
    // the server may be away: sent again it counts once, by its id
    const ack = await eventually("the message is published", () =>
      this.stream.publish(subject, payload, { headers: lines, timeout: 1_000 }).catch(() => undefined),
    );
    return ack.seq;
  }

  /** In all stores, committed or not. */
  get bytesStored(): number {
    let bytes = 0;
    for (const data of this.stores)
      if (existsSync(data)) for (const { file } of segmentFiles(data)) bytes += statSync(file).size;
    return bytes;
  }

  /** The store counts too, though another runs its drain. */
  reads(data: string): void {
    this.stores.add(data);
  }

  /** The lane's lines are not looked for. */
  forgets(origin: string, lane: number): void {
    this.published.delete(`${origin}.${lane}`);
  }

  /** Resolves when the stream is empty: everything in it is drained and acknowledged. */
  async emptied(what = "the stream is empty"): Promise<void> {
    await eventually(
      what,
      async () => {
        const info = await this.manager.streams.info(STREAM).catch(() => null);
        return info?.state.messages === 0;
      },
      DRAINED_MS_MAX,
    );
  }

  /** Every line that was published is in exactly one store, once, as it was; and nothing else is. */
  assertOnce(): void {
    const found = new Map<string, number>();
    for (const line of this.stored()) found.set(line, (found.get(line) ?? 0) + 1);
    const twice = [...found].filter(([, count]) => count > 1).map(([line]) => line);
    assert.deepEqual(twice.slice(0, 5), [], `${twice.length} lines are there more than once`);
    const lost: string[] = [];
    for (const [key, numbers] of this.published)
      for (const number of numbers) if (!found.delete(nameOf(key, number))) lost.push(nameOf(key, number));
    assert.deepEqual(lost.slice(0, 5), [], `${lost.length} lines are in no store`);
    assert.deepEqual([...found.keys()].slice(0, 5), [], `${found.size} lines were never published`);
  }

  /** The partitions that each drain has, by the records. */
  async owners(): Promise<string[]> {
    const owners: string[] = [];
    for (let partition = 0; partition < this.partitions; partition++) {
      const subject = `$KV.${STREAM}_drains.partition.${partition}`;
      const message = await this.manager.streams.getMessage(`KV_${STREAM}_drains`, { last_by_subj: subject });
      owners.push(message === null ? "" : message.json<{ owner: string }>().owner);
    }
    return owners;
  }

  /** The partition's record as it is stored. */
  async record(partition: number): Promise<string> {
    const subject = `$KV.${STREAM}_drains.partition.${partition}`;
    const message = await this.manager.streams.getMessage(`KV_${STREAM}_drains`, { last_by_subj: subject });
    return message?.string() ?? "";
  }

  /** The bucket as it was with that record alone, or with none; its revisions begin again. */
  async rollBack(partition: number, record: string | null): Promise<void> {
    const bucket = `KV_${STREAM}_drains`;
    const { config } = await this.manager.streams.info(bucket);
    await this.manager.streams.delete(bucket);
    await this.manager.streams.add(config);
    if (record !== null) await this.stream.publish(`$KV.${STREAM}_drains.partition.${partition}`, record);
  }

  /** Resolves when the owners are so many, each with so many partitions, in falling order. */
  async shared(...shares: number[]): Promise<string[]> {
    let owners: string[] = [];
    await eventually(
      `the partitions are shared ${shares.join(" : ")}`,
      async () => {
        owners = await this.owners().catch(() => []);
        const counts = new Map<string, number>();
        for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
        const found = [...counts.values()].sort((a, b) => b - a);
        return !owners.includes("") && found.join() === shares.join();
      },
      DRAINED_MS_MAX,
    );
    return owners;
  }

  private stored(): string[] {
    return [...this.stores]
      .filter((data) => existsSync(data))
      .flatMap((data) => storedMetrics(data))
      .map(({ name }) => name);
  }
}

function nameOf(key: string, number: number): string {
  return `${key}.${number}`;
}

function lineOf(key: string, number: number): string {
  return `{"ts":${1_700_000_000_000 + number},"name":"${nameOf(key, number)}","value":${number},"type":"gauge","tags":{},"client":"web"}\n`;
}
