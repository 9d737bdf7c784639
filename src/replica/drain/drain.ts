// A running drain: one process that takes partitions of a stream and stores their blocks in its folder.
//
//     connected ─▶ stream found ─▶ own lanes cut ─▶ draining ─▶ (stop) ─▶ commits finished, partitions given up
//
// Once it is connected it never gives up by itself: NATS and the disk may go and come back. One thread.

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { TidemarkError } from "../../errors.ts";
import { DRAIN_CLOSE_MS_MAX, DRAIN_FIGURES_MS, PUBLISH_MS_MAX, RETENTION_INTERVAL_MS } from "../../limits.ts";
import type { LogFiles } from "../../log/files.ts";
import type { LaneEvent } from "../../log/lane-options.ts";
import { openNats } from "../../nats/connection.ts";
import { type NatsSettings, showServers } from "../../nats/nats-settings.ts";
import { DeadLetterFolder } from "./dead-letters.ts";
import { DrainBucket } from "./drain-bucket.ts";
import type { DrainContext, DrainLog, StoreSettings } from "./drain-context.ts";
import { figuresSince, noFigures } from "./drain-figures.ts";
import { readDrainId } from "./drain-identity.ts";
import { describeStreamTrouble, type FoundStream, findStream } from "./drained-stream.ts";
import { cutOwnLanes } from "./own-lanes.ts";
import { Ownership } from "./ownership.ts";
import { pause } from "./pause.ts";
import { retainStore } from "./store-retention.ts";

export interface DrainOptions {
  nats: NatsSettings;
  stream: string;
  /** Absolute; there, and held by the caller. */
  dataFolder: string;
  settings: StoreSettings;
  files: LogFiles;
  log: DrainLog;
  onLaneEvent(partition: number, event: LaneEvent): void;
  /** It drains from here on. */
  onReady(): void;
}

/** Until `stop`. Throws TidemarkError where it cannot begin. */
export async function runDrain(options: DrainOptions, stop: AbortSignal): Promise<void> {
  const id = readDrainId(options.files, options.dataFolder);
  const connection = await openNats(options.nats, `tidemark drain ${id}`);
  try {
    const manager = await jetstreamManager(connection, { timeout: PUBLISH_MS_MAX, checkAPI: false });
    const found = await findStream(manager, options.stream, options.log, stop);
    const bucket = found === null ? null : await openBucket(connection, options, found, stop);
    if (found === null || bucket === null) return;
    const { stream, dataFolder, settings, files, log, onLaneEvent } = options;
    const deadLetters = new DeadLetterFolder(files, dataFolder);
    const figures = noFigures();
    const context = {
      id,
      dataFolder,
      stream,
      files,
      settings,
      connection,
      manager,
      bucket,
      deadLetters,
      figures,
      log,
      onLaneEvent,
    };
    await cutOwnLanes(context, () => stop.aborted);
    options.onReady();
    await drainUntil(stop, context, options, found.partitions);
  } finally {
    await connection.close().catch(() => {});
  }
}

async function drainUntil(
  stop: AbortSignal,
  context: DrainContext,
  options: DrainOptions,
  partitions: number,
): Promise<void> {
  const { connection, figures, log } = context;
  const ownership = new Ownership(context, partitions);
  watchInBackground(connection, options, () => ownership.reconnected(), stop);
  ownership.runInBackground();
  let told = { ...figures };
  const tellFigures = () => {
    const news = figuresSince(told, figures);
    told = { ...figures };
    const pending = ownership.all.reduce((sum, drain) => sum + drain.pending, 0);
    if (news !== null) log("info", "drained", { ...news, partitions: ownership.all.length, pending });
  };
  const timers = [
    setInterval(tellFigures, DRAIN_FIGURES_MS),
    setInterval(() => tend(context, ownership), RETENTION_INTERVAL_MS),
  ];
  const isClosed = await untilStopped(stop, connection);
  for (const timer of timers) clearInterval(timer);
  if (isClosed)
    throw new TidemarkError(
      "cannot drain any more because the connection to NATS was closed; start it again",
    );
  await ownership.close(DRAIN_CLOSE_MS_MAX);
  tellFigures();
}

function tend(context: DrainContext, ownership: Ownership): void {
  try {
    for (const drain of ownership.all) drain.tendInBackground();
    retainStore(context, ownership.all);
  } catch (error) {
    context.log("error", "cannot delete what is past its retention; it is tried again", {
      error: String(error),
    });
  }
}

/** Made by the first drain of the stream; null where `stop` ends the wait for that. */
async function openBucket(
  connection: NatsConnection,
  { stream, log }: DrainOptions,
  { replicas }: FoundStream,
  stop: AbortSignal,
): Promise<DrainBucket | null> {
  let told = "";
  while (!stop.aborted) {
    try {
      return await DrainBucket.open(connection, stream, replicas);
    } catch (error) {
      const trouble = describeStreamTrouble(error, `KV_${stream}_drains`);
      if (trouble !== told) log("warn", trouble, {});
      told = trouble;
    }
    await pause(1_000);
  }
  return null;
}

/** Says once that NATS is away, and once that it is back. */
async function watchInBackground(
  connection: NatsConnection,
  { nats, log }: DrainOptions,
  onBack: () => void,
  stop: AbortSignal,
): Promise<void> {
  let isAway = false;
  for await (const { type } of connection.status()) {
    if (stop.aborted) return;
    if (type === "disconnect" && !isAway) {
      isAway = true;
      log(
        "warn",
        `cannot reach NATS at ${showServers(nats.servers)} because the connection was lost; blocks stay in the stream until it is back`,
        {},
      );
    }
    if (type === "reconnect") {
      if (isAway) log("info", "NATS is back", {});
      isAway = false;
      onBack();
    }
  }
}

/** True where the connection was closed for good before that. */
function untilStopped(stop: AbortSignal, connection: NatsConnection): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    stop.addEventListener("abort", () => resolve(false), { once: true });
    void connection.closed().then(() => resolve(!stop.aborted));
  });
}
