// What the faults are injected into: three NATS nodes with JetStream on disk, ingest nodes that replicate into a stream there,
// drains that store it, and clients that push numbered metrics through every death of any of them.
//
//     clients ─▶ a, b (serve --replicate) ─▶ NATS n1 n2 n3 ─▶ drains ─▶ a store each ─┐
//        └──────────── what was acknowledged, with which promise ────────────────▶ ledger.verify
//
// Each NATS node is alone in a network of its own where the system allows it, so that it can be cut off; else on loopback.

import assert from "node:assert/strict";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Ledger, type Verdict } from "../crash/ledger.ts";
import { type Random, randomFrom, wholeBetween } from "../crash/random.ts";
import { type NatsCluster, type NatsNode, startNatsCluster } from "../support/nats-server.ts";
import { eventually, pause } from "../support/server-process.ts";
import { CutNetwork, cutNetworkMissing } from "./cut-network.ts";
import { DrainNode } from "./drain-node.ts";
import { CLIENT, IngestNode, tail } from "./ingest-node.ts";

export const STREAM = "cluster";
const NATS_NODES = 3;
const INGEST_NODES = ["a", "b"];
const DRAINS = 2;
/** Few, so that each drain has some and each fault meets them. */
const PARTITIONS = 4;
/** From the end of a fault to a node that replicates again, milliseconds: elections, backoff, a shared machine. */
const SERVING_MS_MAX = 60_000;
/** One try of it; a 504 comes after 10 s. */
const TRY_MS_MAX = 20_000;
/** For a drain to store something, milliseconds, whatever the cluster goes through. */
const STORING_MS_MAX = 120_000;
/** For a NATS node to catch up by itself, and with help, milliseconds. */
const CAUGHT_UP_MS_MAX = 30_000;
const WHOLE_MS_MAX = 120_000;
/** From the last batch to empty stream and whole stores, milliseconds. */
const SETTLED_MS_MAX = 120_000;
const LOOK_MS = 250;
/** So that a client soon finds out that a server is cut off. */
const NATS_CONFIG = 'ping_interval: "1s"\nping_max: 2\nwrite_deadline: "2s"';

/** Why no cut can be made here; null where it can. Asked once. */
let cutMissing: Promise<string | null> | undefined;

export class Bed {
  readonly random: Random;
  /** A short run: the faults take their least time. */
  readonly isBrief: boolean;
  readonly ledger = new Ledger(CLIENT);
  readonly ingest: readonly IngestNode[];
  /** All that ever were: each has a store. */
  readonly drains: DrainNode[] = [];
  readonly nats: NatsCluster;
  /** Null where the nodes are on loopback. */
  readonly network: CutNetwork | null;
  readonly cutMissing: string | null;
  /** Times that a NATS node did not catch up until it was started again. */
  natsRepairs = 0;
  private readonly connection: NatsConnection;
  private readonly manager: JetStreamManager;

  private constructor(
    random: Random,
    isBrief: boolean,
    nats: NatsCluster,
    network: CutNetwork | null,
    missing: string | null,
    connection: NatsConnection,
    manager: JetStreamManager,
  ) {
    this.random = random;
    this.isBrief = isBrief;
    this.nats = nats;
    this.network = network;
    this.cutMissing = missing;
    this.connection = connection;
    this.manager = manager;
    const flags = ["--replicate", nats.url, "--stream", STREAM, "--replicas", `${NATS_NODES}`];
    const streamFlags = [...flags, "--partitions", `${PARTITIONS}`];
    this.ingest = INGEST_NODES.map((name) => new IngestNode(name, this.ledger, this.split(), streamFlags));
  }

  static async open(random: Random, isBrief: boolean): Promise<Bed> {
    cutMissing ??= cutNetworkMissing();
    const missing = await cutMissing;
    const network = missing === null ? await CutNetwork.open(NATS_NODES) : null;
    const nats = await startNatsCluster(NATS_NODES, {
      config: NATS_CONFIG,
      ...(network === null ? {} : { places: network.places }),
    });
    const connection = await connect({
      servers: [...nats.urls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      pingInterval: 1_000,
    });
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const bed = new Bed(random, isBrief, nats, network, missing, connection, manager);
    try {
      await Promise.all(bed.ingest.map((node) => node.start()));
      await Promise.all(Array.from({ length: DRAINS }, () => bed.addDrain()));
      await bed.serves();
    } catch (error) {
      await bed.abandon();
      throw error;
    }
    return bed;
  }

  /** A generator of its own for somebody who draws at moments of his own. */
  split(): Random {
    return randomFrom(Math.floor(this.random() * 2 ** 32));
  }

  /** From least to most by chance; in a brief run the least. */
  between(least: number, most: number): number {
    return this.isBrief ? least : wholeBetween(this.random, least, most);
  }

  load(msLeast: number, msMost: number): Promise<void> {
    return pause(this.between(msLeast, msMost));
  }

  async addDrain(): Promise<DrainNode> {
    const drain = new DrainNode(this.nats.url, STREAM);
    this.drains.push(drain);
    await drain.start();
    return drain;
  }

  get liveDrains(): readonly DrainNode[] {
    return this.drains.filter(({ isRunning }) => isRunning);
  }

  /**
   * The first drain that stores something after this call, and of which partitions: it is in the middle of a block. Not every
   * partition has lines, so not every drain has some to store.
   */
  drainAtWork(): Promise<{ drain: DrainNode; partitions: number[] }> {
    const before = new Map(this.liveDrains.map((drain) => [drain, drain.bytes()]));
    return eventually(
      () => `some drain stores something; they said ${this.drainsSaid}`,
      () => {
        for (const [drain, bytes] of before) {
          const partitions = drain.grownSince(bytes);
          if (partitions.length > 0) return { drain, partitions };
        }
        return false;
      },
      STORING_MS_MAX,
    );
  }

  // ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Who leads the stream now; undefined while nobody does. */
  async streamLeader(): Promise<NatsNode | undefined> {
    const info = await this.manager.streams.info(STREAM).catch(() => null);
    return this.nats.named(info?.cluster?.leader ?? "");
  }

  /**
   * The cluster is whole: all NATS nodes know each other, and each has caught up with what the stream and the drains' records
   * hold. One that does not catch up by itself is started again, as an operator would, and counted.
   */
  async whole(): Promise<void> {
    const deadline = performance.now() + WHOLE_MS_MAX;
    for (;;) {
      await this.nats.waitJoined();
      const behind = await this.laggard();
      if (behind === null) return;
      assert.ok(performance.now() < deadline, `${behind.name} does not catch up: ${tail(behind.said)}`);
      this.natsRepairs++;
      await behind.restart();
    }
  }

  /** A node that has not caught up in its time; null where all have. */
  private async laggard(): Promise<NatsNode | null> {
    let behind: NatsNode | undefined;
    const haveAll = async (): Promise<boolean> => {
      for (const stream of [STREAM, `KV_${STREAM}_drains`]) {
        const info = await this.manager.streams.info(stream).catch(() => null);
        const replicas = info?.cluster?.replicas ?? [];
        const late = replicas.find(({ current, offline }) => !current || offline === true);
        behind = late === undefined ? undefined : this.nats.named(late.name);
        if (late !== undefined || replicas.length !== NATS_NODES - 1) return false;
      }
      return true;
    };
    const isWhole = await eventually("every replica is current", haveAll, CAUGHT_UP_MS_MAX).catch(
      () => false,
    );
    return isWhole ? null : (behind ?? this.nats.nodes[0]!);
  }

  /** Blocks in the stream; null while it does not answer. */
  private async blocksLeft(): Promise<number | null> {
    const info = await this.manager.streams.info(STREAM).catch(() => null);
    return info?.state.messages ?? null;
  }

  // ── what must hold ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every ingest node stores and replicates, without help; returns the milliseconds that it took. */
  async serves(): Promise<number> {
    const beganMs = performance.now();
    await Promise.all(
      this.ingest.map((node) => {
        const got: (number | null)[] = [];
        return eventually(
          () => `${node.name} replicates; it answered ${got.slice(-20)}; it said ${node.said}`,
          async () => got.push(await node.tryStore("replicated", TRY_MS_MAX)) > 0 && got.at(-1) === 200,
          SERVING_MS_MAX,
        );
      }),
    );
    return performance.now() - beganMs;
  }

  /** Ends the load, lets everything reach the stores, ends everything, and reads the stores back. */
  async close(): Promise<Verdict> {
    await Promise.all(this.ingest.map((node) => node.stopClients()));
    await this.whole();
    // All stores are opened once more: what a drain that was killed had not yet committed goes then.
    for (const drain of this.drains) if (!drain.isRunning) await drain.start();
    const found: { blocks: number | null; lost: number | null } = { blocks: null, lost: null };
    const isSettled = async (): Promise<boolean> => {
      await pause(LOOK_MS);
      found.blocks = await this.blocksLeft();
      if (found.blocks === 0) found.lost = this.verdictNow()?.lost ?? null;
      return found.blocks === 0 && found.lost === 0;
    };
    await eventually(
      () =>
        `the stream is empty and the stores are whole: ${JSON.stringify(found)}; drains said ${this.drainsSaid}`,
      isSettled,
      SETTLED_MS_MAX,
    ).catch((error) => {
      // Where nothing is on its way any more, the verdict says more.
      if (found.blocks !== 0 || found.lost === null) throw error;
    });
    await Promise.all(this.ingest.map((node) => node.term()));
    for (const drain of this.drains) await drain.term();
    await this.end();
    return this.ledger.verify(...this.stores);
  }

  private get stores(): readonly string[] {
    return this.drains.map(({ data }) => data);
  }

  get drainsSaid(): string {
    return this.drains.map((drain) => drain.said).join("\n");
  }

  /** Null while a store ends in the middle of a line. */
  private verdictNow(): Verdict | null {
    try {
      return this.ledger.verify(...this.stores);
    } catch {
      return null;
    }
  }

  /** After a problem: whatever still runs is gone. */
  async abandon(): Promise<void> {
    await Promise.all([
      ...this.ingest.map((node) => node.kill().catch(() => {})),
      ...this.drains.map((drain) => drain.kill()),
    ]);
    await this.end();
  }

  private async end(): Promise<void> {
    await this.connection.close().catch(() => {});
    await Promise.all(this.nats.nodes.map((node) => node.kill()));
    this.network?.close();
  }
}

/** Fails with the fault's own words where the node is not there. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert.ok(value !== undefined && value !== null, what);
  return value;
}
