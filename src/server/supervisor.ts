// The main thread of `serve`: takes the data folder, starts the ingest threads, watches the operating system, and ends
// it all in order. It never touches a request.
//
//   lock folder ─▶ port free? ─▶ ingest threads (each recovers its lane, then listens) ─▶ address line ─▶ … ─▶ drain

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import pino from "pino";
import { connectionsMaxFrom, readDescriptorLimits } from "../admission/connection-cap.ts";
import { allocateConnectionSlots } from "../admission/connection-slots.layout.ts";
import { allocateRateLimiter } from "../admission/rate-limiter.layout.ts";
import { RateLimiter } from "../admission/rate-limiter.ts";
import { realClock } from "../base/clock.ts";
import { openOsFiles } from "../base/os-files.ts";
import type { ServeConfig } from "../config.ts";
import { TidemarkError } from "../errors.ts";
import { REPLICATE_FOLLOWER } from "../follow/cursor-file.ts";
import { allocatePositions } from "../follow/lane-positions.layout.ts";
import {
  DRAIN_EXIT_MS_MAX,
  LIMITER_SWEEP_INTERVAL_MS,
  RATE_LIMIT_CLIENTS_MAX,
  RETENTION_INTERVAL_MS,
  THREAD_LOOK_INTERVAL_MS,
  THREADS_MAX,
} from "../limits.ts";
import { closeLeftOpen, OpenFiles } from "../log/open-files.layout.ts";
import { allocateTelemetry } from "../telemetry/counters.layout.ts";
import { allocateFollowerFigures } from "../telemetry/follower-figures.layout.ts";
import { type LogFigures, Probe } from "../telemetry/probe.ts";
import { readSnapshot } from "../telemetry/snapshot.ts";
import { openDataFolder } from "./data-folder.ts";
import { tuneEngine } from "./engine.ts";
import { exposureWarnings, type SettingsOrigin } from "./exposure.ts";
import { lockFolder } from "./folder-lock.ts";
import { FollowerThread } from "./follower-thread.ts";
import { warnOfForgottenFollowers } from "./forgotten-followers.ts";
import type { Forwarding } from "./forwarding.ts";
import { openLogStream } from "./log-stream.ts";
import type { IngestSettings, LogLevel } from "./messages.ts";
import { OrphanLanes } from "./orphan-lanes.ts";
import { Reload } from "./reload.ts";
import { Scrub } from "./scrub.ts";
import { readThreadSign, ThreadWatch } from "./thread-watch.ts";
import { type CheckedIdentity, readIdentity } from "./tls-identity.ts";
import { RUNTIME, VERSION } from "./version.ts";
import { WorkerThreads } from "./worker-threads.ts";

const THREAD_WAITS = "an ingest thread does not answer and uses no processor: the system keeps it waiting";

/** The settings, and how they came to be. */
export interface ServeOrigin extends SettingsOrigin {
  /** The settings as a start now would have them. Throws TidemarkError. */
  readSettings(): ServeConfig;
}

/** Runs the server until a signal ends it. Throws TidemarkError where it cannot start. */
export async function startServer(config: ServeConfig, origin: ServeOrigin): Promise<void> {
  // Whatever the umask was: modes are what is asked for, and nothing is for others.
  process.umask(0o077);
  const log = pino({ level: config.logLevel, base: { pid: process.pid } }, openLogStream());
  const startedAtMs = realClock.wallMs();
  const identity = identityOf(config);
  const dataFolder = resolve(config.dataDirectory);
  openDataFolder(dataFolder);
  const lock = await lockFolder(dataFolder, { pid: process.pid, address: "" });
  let forwarding: Forwarding | null = null;

  try {
    await checkPortIsFree(config.host, config.port);
    const threads =
      config.threads === "auto" ? Math.min(availableParallelism(), THREADS_MAX) : config.threads;
    const override = config.connectionsMax === "auto" ? 0 : config.connectionsMax;
    const connectionsMax = connectionsMaxFrom(readDescriptorLimits().soft, threads, override);
    const telemetry = allocateTelemetry(threads);
    const connectionSlots = allocateConnectionSlots(threads);
    const limiterMemory = allocateRateLimiter(RATE_LIMIT_CLIENTS_MAX);
    const limiter = new RateLimiter(limiterMemory, config.rateLimit, realClock);
    const seed = randomBytes(8);
    const logFigures: LogFigures = {
      scrubbedBytes: 0,
      scrubRounds: 0,
      damagedRecords: 0,
      quarantinedBytes: 0,
    };
    const tell = (level: LogLevel, text: string, fields: Record<string, unknown>) => log[level](fields, text);
    const orphans = new OrphanLanes(dataFolder, threads, logFigures, tell);
    const scrub = new Scrub({ dataFolder, bytesPerS: config.scrubBytesPerS, figures: logFigures, log: tell });

    for (const warning of [...exposureWarnings(config, origin, dataFolder), ...(identity?.warnings ?? [])])
      log.warn(warning);

    const reload = new Reload(
      {
        read() {
          const settings = origin.readSettings();
          return { config: settings, identity: identityOf(settings) };
        },
        apply: (now) => workers.reload(now.config, now.identity?.identity ?? null),
        log: (level, text, fields) => log[level](fields, text),
      },
      { config, identity },
    );
    process.on("SIGHUP", () => reload.requestInBackground());

    tuneEngine();
    // Node closes what a thread had open when it ends, Bun does not.
    const openFiles =
      process.versions.bun !== undefined ? Array.from({ length: threads }, () => new OpenFiles()) : [];
    if (config.forward !== "")
      forwarding = await (await import("./forwarding.ts")).openForwarding(config, dataFolder, tell);
    const isReplicating = config.replicate.length > 0;
    const positions = isReplicating ? allocatePositions(threads) : null;
    const replicaFigures = isReplicating ? allocateFollowerFigures() : null;
    const asked = [
      ...(isReplicating ? [REPLICATE_FOLLOWER] : []),
      ...(forwarding === null ? [] : [`forward-${config.forwardName}`]),
    ];
    warnOfForgottenFollowers(dataFolder, asked, (text, fields) => log.warn(fields, text));
    const workers = new WorkerThreads({
      settingsFor: (thread, port): IngestSettings => ({
        thread,
        threads,
        config: reload.current.config,
        tls: reload.current.identity?.identity ?? null,
        port,
        laneDirectory: join(dataFolder, `lane-${thread}`),
        dataFolder,
        positions,
        replicaFigures,
        forwardFigures: forwarding?.figures ?? null,
        openFiles: openFiles[thread]?.shared ?? null,
        connectionsMax,
        connectionSlots,
        telemetry,
        limiter: limiterMemory,
        hashSeedLow: seed.readInt32LE(0),
        hashSeedHigh: seed.readInt32LE(4),
        startedAtMs,
      }),
      log: (level, text, fields) => log[level](fields, text),
      onDeath: (thread) => closeLeftOpen(openFiles[thread]?.take() ?? []),
      onHopeless(error) {
        log.fatal(error.message);
        process.exit(1);
      },
    });
    // Heard from here on: a signal that comes while the threads start, or with the address line, is a drain too.
    const stopSignal = nextSignal();
    const port = await workers.start(threads, config.port);
    const replica =
      positions === null || replicaFigures === null
        ? null
        : new FollowerThread({
            does: "replicates",
            settings: { config, dataFolder, positions, orphans: orphans.ends, telemetry: replicaFigures },
            log: tell,
          });
    replica?.start();
    forwarding?.thread.start();
    const files = openOsFiles();
    const probe = new Probe(telemetry, files, realClock, {
      port,
      backlog: config.backlog,
      dataFolder,
      log: logFigures,
    });
    probe.start();
    const threadWatch = new ThreadWatch();
    const watch = setInterval(() => {
      for (const snapshot of readSnapshot(telemetry, realClock.wallMs()).threads) {
        const { thread } = snapshot;
        const verdict = threadWatch.look(thread, readThreadSign(files, snapshot));
        if (verdict === "alive") continue;
        log.error({ thread }, verdict === "spins" ? "an ingest thread spins and is ended" : THREAD_WAITS);
        if (verdict === "spins") workers.endSpinning(thread);
      }
    }, THREAD_LOOK_INTERVAL_MS);
    const sweep = setInterval(() => limiter.sweep(), LIMITER_SWEEP_INTERVAL_MS);
    const retention = setInterval(() => orphans.retain(realClock.wallMs(), config), RETENTION_INTERVAL_MS);

    const address = `${identity === null ? "http" : "https"}://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;
    lock.describe({ address });
    log.info({ version: VERSION, runtime: RUNTIME, threads, connectionsMax, data: dataFolder }, "serving");
    process.stdout.write(`tidemark listens on ${address}\n`);
    scrub.runInBackground();

    const signal = await stopSignal;
    log.info({ signal }, "draining");
    const giveUp = setTimeout(() => {
      log.error("cannot drain in time; what is left is cut");
      process.exit(1);
    }, DRAIN_EXIT_MS_MAX);
    await workers.drain();
    await Promise.all([replica?.close(), forwarding?.thread.close()]);
    clearTimeout(giveUp);
    clearInterval(watch);
    clearInterval(sweep);
    clearInterval(retention);
    probe.close();
    scrub.close();
    log.info("drained");
  } finally {
    forwarding?.release();
    lock.release();
  }
  process.exit(0);
}

function identityOf(config: ServeConfig): CheckedIdentity | null {
  return readIdentity(config, (path) => readFileSync(path, "utf8"), realClock.wallMs());
}

/**
 * The ingest threads share their port (SO_REUSEPORT), so the kernel would let a second server share it too, and deal
 * out connections between them. A plain bind first finds out.
 */
function checkPortIsFree(host: string, port: number): Promise<void> {
  if (port === 0) return Promise.resolve();
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const because =
        error.code === "EADDRINUSE" ? "another process listens there" : (error.code ?? error.message);
      reject(
        new TidemarkError(
          `cannot listen on ${host} port ${port} because ${because}; try another --host or --port`,
        ),
      );
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => settle()));
  });
}

function nextSignal(): Promise<string> {
  return new Promise((settle) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => settle(signal));
  });
}
