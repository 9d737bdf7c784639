// What the plan for a fleet rests on: how fast blocks go into a stream of three NATS servers on this machine, and out of it.
// The servers are real, their disk too, the network is loopback; three servers, the one that fills and the one that empties
// share the machine's cores, so each rate is less than one of them alone would reach.
// Run as `npm run scale -- measure --seconds 3 --rounds 3`; it writes bench/results/scale-inputs.json.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, headers } from "@nats-io/transport-node";
import { DRAIN_GROUP_BYTES_MAX } from "../../src/limits.ts";
import {
  BLOCK_HEADER,
  type Block,
  type BlockMessage,
  decodeBlock,
  encodeBlock,
  MESSAGE_ID_HEADER,
} from "../../src/replica/block-message.ts";
import { blockSubject, partitionSubject, streamConfig } from "../../src/replica/stream-settings.ts";
import { type NatsCluster, startNatsCluster, stopNatsServers } from "../../test/support/nats-server.ts";
import { readMachine } from "../machine.ts";
import { formatMebibytes, formatRate, print } from "../print.ts";
import { readMachineTicks, readTreeCpuSeconds } from "../process-tree.ts";
import { median } from "../result.ts";
import { cutBlocks, messageNumber, sampleLines } from "./sample-blocks.ts";
import {
  type BlockFigures,
  type DrainFigures,
  type PublishFigures,
  type ScaleInputs,
  writeScaleInputs,
} from "./scale-inputs.ts";

const SERVERS = 3;
const PARTITIONS = 16;
const BLOCK_BYTES = [64 * 1024, 512 * 1024];
const SUBJECTS = [1, 2, 4, 8, 16];
const DRAIN_PARTITIONS = [1, 4, 16];
/** What a drain asks for at a time; it commits as often as ours do. */
const FETCH_BLOCKS = 32;
const DRAIN_BLOCKS = 480;
const COMMITS = 300;
const STREAM = "scale";

interface Bed {
  readonly cluster: NatsCluster;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly bucket: KV;
  readonly seconds: number;
}

const projectFolder = join(fileURLToPath(import.meta.url), "../../..");
/** So that no two messages of a run have one id. */
let messagesMade = 0;
await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "3" },
      rounds: { type: "string", default: "3" },
      out: { type: "string" },
    },
  });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const lines = sampleLines(Date.now());
  const blocksBySize = new Map(BLOCK_BYTES.map((bytes) => [bytes, cutBlocks(lines, bytes)]));
  const blocks = BLOCK_BYTES.map((bytes) => measureBlocks(bytes, blocksBySize.get(bytes)!));
  const cluster = await startNatsCluster(SERVERS);
  const connection = await connect({ servers: [...cluster.urls] });
  const before = readMachineTicks();
  const [startedMs, ownBefore] = [performance.now(), ownCpuSeconds(cluster)];
  try {
    const manager = await jetstreamManager(connection, { timeout: 30_000 });
    await manager.streams.add(
      streamConfig({ stream: STREAM, replicas: SERVERS, partitions: PARTITIONS, bytesMax: 0, ageMsMax: 0 }),
    );
    const client = jetstream(connection, { timeout: 30_000 });
    const bucket = await new Kvm(client).create("scale-commits", { replicas: SERVERS, history: 1 });
    const bed = { cluster, client, manager, bucket, seconds };
    const publish: PublishFigures[] = [];
    const drain: DrainFigures[] = [];
    for (const [bytes, sample] of blocksBySize) {
      for (const subjects of SUBJECTS)
        for (const isEncoding of [false, true])
          publish.push(
            await middleOf(rounds, "messageBytesPerSecond", () =>
              measurePublish(bed, bytes, sample, subjects, isEncoding),
            ),
          );
      for (const partitions of DRAIN_PARTITIONS)
        drain.push(
          await middleOf(rounds, "bytesPerSecond", () => measureDrain(bed, bytes, sample, partitions)),
        );
    }
    const commit = await measureCommits(bed);
    const wallSeconds = (performance.now() - startedMs) / 1000;
    const busy = readMachineTicks().busySeconds - before.busySeconds;
    const result: ScaleInputs = {
      title: "blocks through a stream of three replicas",
      date: new Date().toISOString(),
      runtime: process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.versions.node}`,
      machine: readMachine(projectFolder),
      settings: { seconds, rounds, servers: SERVERS },
      otherCores: Math.max(0, (busy - (ownCpuSeconds(cluster) - ownBefore)) / wallSeconds),
      blocks,
      publish,
      drain,
      commit,
    };
    writeScaleInputs(result, values.out);
  } finally {
    await connection.close();
    await stopNatsServers();
  }
}

/** The round with the middle rate. */
async function middleOf<K extends string, T extends { readonly [key in K]: number }>(
  rounds: number,
  key: K,
  measure: () => Promise<T>,
): Promise<T> {
  const all: T[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measure());
  return all.toSorted((a, b) => a[key] - b[key])[rounds >> 1]!;
}

function measureBlocks(blockBytes: number, blocks: readonly Block[]): BlockFigures {
  const messages = blocks.map(encodeBlock); // warms up too
  for (const { header, payload } of messages) decodeBlock(header, payload);
  const bytes = sum(blocks.map((block) => block.bytes.length));
  const metrics = sum(blocks.map(({ first, end }) => end - first));
  const encodeMs = timed(() => blocks.forEach((block) => void encodeBlock(block)));
  const decodeMs = timed(() => messages.forEach(({ header, payload }) => void decodeBlock(header, payload)));
  return {
    blockBytes,
    bytesPerMetric: bytes / metrics,
    messageBytesPerMetric: sum(messages.map(({ payload }) => payload.length)) / metrics,
    encodeBytesPerSecond: bytes / (encodeMs / 1000),
    decodeBytesPerSecond: bytes / (decodeMs / 1000),
  };
}

function timed(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return median(times)!;
}

/** One publish in flight for each subject, as each lane of a server has. */
async function measurePublish(
  bed: Bed,
  blockBytes: number,
  blocks: readonly Block[],
  subjects: number,
  isEncoding: boolean,
): Promise<PublishFigures> {
  const ready = blocks.map(encodeBlock);
  await bed.manager.streams.purge(STREAM);
  const tripsMs: number[] = [];
  let [bytes, messageBytes] = [0, 0];
  const costBefore = await readCosts(bed);
  const startMs = performance.now();
  const endMs = startMs + bed.seconds * 1000;
  const publishOn = async (subject: number): Promise<void> => {
    for (let count = subject; performance.now() < endMs; count++) {
      const block = blocks[count % blocks.length]!;
      const message = isEncoding ? encodeBlock(block) : ready[count % blocks.length]!;
      const sentMs = performance.now();
      await publish(bed.client, subject, message);
      tripsMs.push(performance.now() - sentMs);
      bytes += block.bytes.length;
      messageBytes += message.payload.length;
    }
  };
  await Promise.all(Array.from({ length: subjects }, (_, subject) => publishOn(subject)));
  const seconds = (performance.now() - startMs) / 1000;
  const sorted = tripsMs.toSorted((a, b) => a - b);
  const figures: PublishFigures = {
    blockBytes,
    subjects,
    isEncoding,
    blocksPerSecond: tripsMs.length / seconds,
    bytesPerSecond: bytes / seconds,
    messageBytesPerSecond: messageBytes / seconds,
    roundTripMsP50: sorted[sorted.length >> 1]!,
    roundTripMsP99: sorted[Math.floor(sorted.length * 0.99)]!,
    ...costsSince(costBefore, await readCosts(bed), bytes, messageBytes),
  };
  print(
    `  publish ${blockBytes / 1024} KiB × ${subjects}${isEncoding ? " encoding" : ""}: ${formatRate(figures.blocksPerSecond)} blocks/s, ` +
      `${formatMebibytes(figures.bytesPerSecond)}/s of lines, p50 ${figures.roundTripMsP50.toFixed(1)} ms`,
  );
  return figures;
}

async function publish(client: JetStreamClient, subject: number, message: BlockMessage): Promise<void> {
  const { id, header, payload } = messageNumber(message, messagesMade++);
  const carried = headers();
  carried.set(BLOCK_HEADER, header);
  carried.set(MESSAGE_ID_HEADER, id);
  await client.publish(blockSubject(STREAM, subject % PARTITIONS, "node", subject), payload, {
    headers: carried,
  });
}

/** A process that empties some partitions side by side: writes, syncs, commits and acknowledges a group of blocks at a time. */
async function measureDrain(
  bed: Bed,
  blockBytes: number,
  blocks: readonly Block[],
  partitions: number,
): Promise<DrainFigures> {
  await bed.manager.streams.purge(STREAM);
  const messages = blocks.map(encodeBlock);
  for (let count = 0; count < DRAIN_BLOCKS; count += PARTITIONS)
    await Promise.all(
      Array.from({ length: PARTITIONS }, (_, lane) =>
        publish(bed.client, lane % partitions, messages[(count + lane) % messages.length]!),
      ),
    );
  for (let partition = 0; partition < partitions; partition++)
    await bed.manager.consumers.add(STREAM, {
      durable_name: `drain-${partition}`,
      filter_subject: partitionSubject(STREAM, partition),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_ack_pending: 4 * FETCH_BLOCKS,
    });
  const folder = mkdtempSync(join(tmpdir(), "tidemark-scale-"));
  let [bytes, messageBytes] = [0, 0];
  const costBefore = await readCosts(bed);
  const startMs = performance.now();
  const drainOf = async (partition: number): Promise<void> => {
    const name = `drain-${partition}`;
    const consumer = await bed.client.consumers.get(STREAM, name);
    const file = openSync(join(folder, name), "w");
    let left = DRAIN_BLOCKS / partitions;
    let revision = await bed.bucket.put(name, "0");
    const groupBlocks = Math.max(1, Math.floor(DRAIN_GROUP_BYTES_MAX / blockBytes));
    const group: JsMsg[] = [];
    const commit = async (): Promise<void> => {
      fdatasyncSync(file);
      revision = await bed.bucket.update(name, String(left), revision);
      for (const message of group) message.ack();
      group.length = 0;
    };
    while (left > 0) {
      for await (const message of await consumer.fetch({
        max_messages: Math.min(FETCH_BLOCKS, left),
        expires: 5_000,
      })) {
        const block = decodeBlock(message.headers!.get(BLOCK_HEADER), message.data);
        if (typeof block === "string") throw new Error(`a block ${block}`);
        writeSync(file, block.bytes);
        bytes += block.bytes.length;
        messageBytes += message.data.length;
        left--;
        if (group.push(message) === groupBlocks) await commit();
      }
      if (group.length > 0) await commit();
    }
    closeSync(file);
  };
  await Promise.all(Array.from({ length: partitions }, (_, partition) => drainOf(partition)));
  const seconds = (performance.now() - startMs) / 1000;
  rmSync(folder, { recursive: true });
  for (let partition = 0; partition < partitions; partition++)
    await bed.manager.consumers.delete(STREAM, `drain-${partition}`);
  const figures: DrainFigures = {
    blockBytes,
    partitions,
    blocksPerSecond: DRAIN_BLOCKS / seconds,
    bytesPerSecond: bytes / seconds,
    ...costsSince(costBefore, await readCosts(bed), bytes, messageBytes),
  };
  print(
    `  drain ${blockBytes / 1024} KiB × ${partitions}: ${formatMebibytes(figures.bytesPerSecond)}/s of lines`,
  );
  return figures;
}

/** How a drain commits: the revision that it read must still be the last. */
async function measureCommits({ bucket }: Bed): Promise<ScaleInputs["commit"]> {
  let revision = await bucket.create("partition", "0");
  const tripsMs: number[] = [];
  for (let count = 0; count < COMMITS; count++) {
    const startMs = performance.now();
    revision = await bucket.update("partition", String(count), revision);
    tripsMs.push(performance.now() - startMs);
  }
  const roundTripMsP50 = median(tripsMs)!;
  return { perSecond: COMMITS / (sum(tripsMs) / 1000), roundTripMsP50 };
}

interface Costs {
  readonly servers: number;
  readonly leader: number;
  readonly own: number;
}

/** User and system seconds so far: of the three servers, of that which leads the stream, and of this process. */
async function readCosts({ cluster, manager }: Bed): Promise<Costs> {
  const leader = (await manager.streams.info(STREAM)).cluster?.leader ?? "";
  return {
    servers: serverCpuSeconds(cluster),
    leader: readTreeCpuSeconds(cluster.named(leader)!.pid!),
    own: cpuSecondsOfThisProcess(),
  };
}

function costsSince(before: Costs, after: Costs, bytes: number, messageBytes: number) {
  return {
    serverCpuSecondsPerGigabyte: (after.servers - before.servers) / (messageBytes / 1e9),
    leaderCpuSecondsPerGigabyte: (after.leader - before.leader) / (messageBytes / 1e9),
    bytesPerCpuSecond: bytes / (after.own - before.own),
  };
}

function cpuSecondsOfThisProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function serverCpuSeconds(cluster: NatsCluster): number {
  return sum(cluster.nodes.map(({ pid }) => readTreeCpuSeconds(pid!)));
}

function ownCpuSeconds(cluster: NatsCluster): number {
  return serverCpuSeconds(cluster) + cpuSecondsOfThisProcess();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
