// The way to the stream: one connection to the cluster, kept for good, and the stream made or checked on it. Says when blocks can
// go through, and in words why not, once for each reason.
//
//     connecting ──▶ checking the stream ──▶ flowing ──▶ (disconnected, stream gone) ──▶ …
//          └── each failure: told once, tried again with backoff ──┘
//
// A server that is cut off from the others still speaks with us and knows nothing: after some failures another one is tried.
// Runs on the follower's thread.

import { JetStreamApiError, type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { TidemarkError } from "../errors.ts";
import { retryMs } from "../follow/backoff.ts";
import { FOLLOW_RETRY_MS_MAX, FOLLOW_RETRY_MS_MIN } from "../limits.ts";
import { describeConnectFailure, openNats } from "../nats/connection.ts";
import { type NatsSettings, showServers } from "../nats/nats-settings.ts";
import { type StreamSettings, streamConfig, streamDifferences } from "./stream-settings.ts";

const STREAM_NOT_FOUND = 10059;

export type AccessLog = (
  level: "info" | "warn" | "error",
  text: string,
  fields: Record<string, unknown>,
) => void;

export interface StreamAccessOptions {
  nats: NatsSettings;
  stream: StreamSettings;
  /** What the cluster's own lists show of us. */
  name: string;
  log: AccessLog;
  onFlowing(isFlowing: boolean): void;
}

export class StreamAccess {
  private readonly options: StreamAccessOptions;
  private connection: NatsConnection | null = null;
  /** What is asked for while it does not stand is lost, and its time waited out. */
  private isConnected = false;
  private client: JetStreamClient | null = null;
  private isClosed = false;
  /** The last trouble that was told; "" when all is well. */
  private told = "";
  /** Of which it was: only a publish that works shows that one of publishing is over. */
  private toldOf: "opening" | "publishing" = "opening";
  private failures = 0;
  private opening: Promise<void> | null = null;
  private readonly closed = Promise.withResolvers<void>();
  private wake: () => void = () => {};
  private wakeConnected: () => void = () => {};

  constructor(options: StreamAccessOptions) {
    this.options = options;
  }

  /** Bytes that a message may have, headers included. */
  get messageBytesMax(): number {
    return this.connection?.info?.max_payload ?? 1024 * 1024;
  }

  get isFlowing(): boolean {
    return this.client !== null;
  }

  /** The connection while blocks can go through. */
  get flowing(): NatsConnection | null {
    return this.client === null ? null : this.connection;
  }

  /** Resolves with the client when blocks can go through, however long that takes; null after close(). */
  async available(): Promise<JetStreamClient | null> {
    while (this.client === null && !this.isClosed) {
      this.opening ??= this.open().finally(() => {
        this.opening = null;
      });
      // A server that does not answer takes its time to be given up; nobody waits for that at the end.
      await Promise.race([this.opening, this.closed.promise]);
    }
    return this.isClosed ? null : this.client;
  }

  /** A publish failed: tells why, and looks again at what is there before the next. */
  failed(error: unknown): void {
    if (this.isClosed) return;
    // What the library calls "not enabled" of a publish is that nobody listens for the stream: it has no leader now.
    const said = error instanceof Error && error.name === "JetStreamNotEnabled" ? error.cause : error;
    this.tell(describePublishFailure(said, this.options.stream), "publishing");
    this.setClient(null);
  }

  /** A publish came through. */
  worked(): void {
    this.failures = 0;
    if (this.told === "") return;
    this.told = "";
    this.options.log("info", "the stream takes blocks again", {});
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.closed.resolve();
    this.setClient(null);
    this.wake();
    this.wakeConnected();
    await this.connection?.close().catch(() => {});
  }

  /** One try, after the wait that the failures before it ask for. */
  private async open(): Promise<void> {
    const { nats, stream, log } = this.options;
    if (this.failures > 0) await this.pause();
    if (this.isClosed) return;
    this.failures++;
    try {
      const connection = await this.connected();
      if (this.isClosed) return;
      await ensureStream(connection, stream);
      if (this.isClosed) return;
      if (this.toldOf === "opening") this.told = "";
      if (this.told === "")
        log("info", "replicating", { servers: showServers(nats.servers), stream: stream.stream });
      this.setClient(jetstream(connection, { timeout: STREAM_MS_MAX }));
    } catch (error) {
      const trouble = error instanceof TidemarkError ? error.message : describePublishFailure(error, stream);
      this.tell(trouble, "opening");
    }
  }

  /** The connection when it stands, made where there is none, and over another server where this one has failed us. */
  private async connected(): Promise<NatsConnection> {
    const { nats, name } = this.options;
    let { connection } = this;
    if (connection === null || connection.isClosed()) {
      connection = await openNats(nats, name);
      this.connection = connection;
      this.isConnected = true;
      this.watchInBackground(connection);
      if (this.isClosed) await connection.close();
    } else if (this.isConnected && this.failures > SERVER_TRIES_MAX) {
      this.isConnected = false;
      await connection.reconnect();
    }
    while (!this.isConnected && !this.isClosed && !connection.isClosed())
      await new Promise<void>((resolve) => {
        this.wakeConnected = resolve;
      });
    return connection;
  }

  private async watchInBackground(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") this.disconnected();
      // What a server says to one who comes back, such as that it does not know the user any more.
      if (status.type === "error" && !this.isConnected)
        this.tell(describeConnectFailure(status.error, this.options.nats), "opening");
      if (status.type !== "reconnect") continue;
      this.isConnected = true;
      this.wakeConnected();
      this.wake();
    }
    this.wakeConnected();
  }

  private disconnected(): void {
    this.isConnected = false;
    // Where blocks could not go through before, it is told why.
    if (this.client === null || this.isClosed) return;
    const servers = showServers(this.options.nats.servers);
    this.tell(`cannot reach NATS at ${servers} because the connection was lost`, "opening");
    this.setClient(null);
  }

  private setClient(client: JetStreamClient | null): void {
    const hasChanged = (client === null) !== (this.client === null);
    this.client = client;
    if (!hasChanged) return;
    this.options.onFlowing(client !== null);
    // Not only when there is a block to send: where every batch waits for the stream, none is taken until it is there.
    if (client === null) void this.available();
  }

  private tell(trouble: string, of: "opening" | "publishing"): void {
    if (trouble === this.told || this.isClosed) return;
    this.told = trouble;
    this.toldOf = of;
    this.options.log("warn", `${trouble}; batches stay in the log here until the stream takes them`, {});
  }

  private pause(): Promise<void> {
    const ms = retryMs(this.failures - 1, FOLLOW_RETRY_MS_MIN, FOLLOW_RETRY_MS_MAX, Math.random);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const STREAM_MS_MAX = 5_000;
/** Failures in a row on one server before another is tried: an election is over by then. */
const SERVER_TRIES_MAX = 3;

/** Makes the stream where it is not there. Throws TidemarkError where one of that name has other settings. */
async function ensureStream(connection: NatsConnection, settings: StreamSettings): Promise<void> {
  const wanted = streamConfig(settings);
  const manager = await jetstreamManager(connection, { timeout: STREAM_MS_MAX, checkAPI: false });
  try {
    const { config } = await manager.streams.info(settings.stream);
    checkStream(wanted, config as unknown as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    await manager.streams.add(wanted);
  }
}

function checkStream(
  wanted: ReturnType<typeof streamConfig>,
  found: Readonly<Record<string, unknown>>,
): void {
  const differences = streamDifferences(wanted, found);
  if (differences.length === 0) return;
  throw new TidemarkError(
    `cannot use the stream ${wanted.name} because it has ${differences.join(", ")}; try --replicas, --partitions, --stream-size and --stream-age as it has them, or another --stream`,
  );
}

/** What a JetStream error means for the operator. */
export function describePublishFailure(error: unknown, { stream, replicas }: StreamSettings): string {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  if (/insufficient storage/i.test(text))
    return `cannot make the stream ${stream} because the servers have not as much room as it may take; try a smaller --stream-size, or a larger max_file_store there`;
  if (
    /maximum (bytes|messages)|max_bytes|resource limits exceeded|^\S+ insufficient resources|store failed/i.test(
      text,
    )
  )
    return `cannot add to the stream ${stream} because it is full; try more drains, or a larger --stream-size or JetStream store`;
  if (/no suitable peers|replicas > 1|not enough/i.test(text))
    return `cannot make the stream ${stream} because the cluster has not ${replicas} servers with JetStream for it; try a smaller --replicas, or start them`;
  if (/subjects overlap/i.test(text))
    return `cannot make the stream ${stream} because another stream takes its subjects; try another --stream`;
  if (/not enabled|jetstream.*disabled/i.test(text))
    return "cannot use the NATS servers because JetStream is not enabled there; try nats-server -js, or an account that has it";
  if (/no ?responders|503|timeout|unavailable/i.test(text))
    return `cannot reach the stream ${stream} because no server answers for it; a majority of its replicas may be away`;
  if (/permission/i.test(text))
    return `cannot use the stream ${stream} because our user may not; see its permissions for ${stream}.> and $JS.API.>`;
  return `cannot add to the stream ${stream} because of ${text}`;
}
