// The oracle: clients note every batch that they got 200 for; the server is killed with SIGKILL at random under load, or
// while it starts, and started again on the same folder with other settings; at the end the log is read back and compared.
//
//   start ─▶ load ─▶ SIGKILL ─▶ (start ─▶ SIGKILL) ─▶ start ─▶ load ─▶ SIGKILL ─▶ … ─▶ start ─▶ SIGTERM ─▶ read the log
//
// The plan follows from the seed; the moments of the kills are real time and do not.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  newDataFolder,
  pause,
  type ServerProcess,
  spawnServer,
  startServer,
} from "../support/server-process.ts";
import { type CountByLevel, Ledger, type Level, type Verdict } from "./ledger.ts";
import { startPusher } from "./pusher.ts";
import { oneOf, type Random, randomFrom, wholeBetween } from "./random.ts";

const CLIENT = "oracle";
const CONNECTIONS = 6;
/** From the first byte of load to the kill, milliseconds. */
const LOAD_MS = { least: 5, most: 250 };
/** From the process's birth to the kill, where it is killed while it starts, milliseconds. */
const START_MS = { least: 30, most: 400 };
/** One restart in this many is killed before it has begun. */
const KILL_STARTING_EVERY = 5;

export interface OracleRun extends Verdict {
  seed: number;
  kills: number;
  killsWhileStarting: number;
  /** Those under load, by the server's own promise. */
  killsByLevel: CountByLevel;
  acknowledgedByLevel: CountByLevel;
  sentBatches: number;
  acknowledgedBatches: number;
  acknowledgedMetrics: number;
  quarantinedBytes: number;
}

/** Kills the server `kills` times under load, on one folder, and reads the log back. */
export async function runOracle(kills: number, seed: number): Promise<OracleRun> {
  const random = randomFrom(seed);
  const data = newDataFolder();
  const ledger = new Ledger(CLIENT);
  const killsByLevel: CountByLevel = { written: 0, synced: 0 };
  let killsWhileStarting = 0;
  for (let kill = 0; kill < kills; kill++) {
    if (kill % KILL_STARTING_EVERY === KILL_STARTING_EVERY - 1) {
      await killWhileStarting(data, random);
      killsWhileStarting++;
    }
    const level = kill % 2 === 1 ? "synced" : "written";
    // Mostly few: each thread costs a start some 100 ms on a busy machine.
    const threads = oneOf(random, ["1", "1", "2", "3"]);
    const segment = oneOf(random, ["64KiB", "256KiB", "64MiB"]);
    const server = await startServer(
      ["--ack", level, "--threads", threads, "--segment-size", segment, "--rate-limit", "0"],
      { data },
    );
    await killUnderLoad(server, level, ledger, random);
    killsByLevel[level]++;
  }
  // The last recovery is part of what is promised; a good end must not change the log either.
  const last = await startServer(["--threads", "1"], { data });
  const exit = await last.stop();
  if (exit.code !== 0) throw new Error(`the last server ended with ${exit.code}: ${last.error}`);
  const { sentBatches, acknowledgedBatches, acknowledgedMetrics } = ledger;
  return {
    ...ledger.verify(data),
    seed,
    kills: kills + killsWhileStarting,
    killsWhileStarting,
    killsByLevel,
    acknowledgedByLevel: {
      written: ledger.acknowledgedAt("written"),
      synced: ledger.acknowledgedAt("synced"),
    },
    sentBatches,
    acknowledgedBatches,
    acknowledgedMetrics,
    quarantinedBytes: bytesUnder(join(data), "quarantine"),
  };
}

async function killUnderLoad(
  server: ServerProcess,
  level: Level,
  ledger: Ledger,
  random: Random,
): Promise<void> {
  let port: number | null = server.port;
  const pushers = Array.from({ length: CONNECTIONS }, (_, connection) =>
    startPusher(
      () => port,
      ledger,
      random,
      { "X-Client-Id": CLIENT, ...(connection === 0 ? { Prefer: "ack=synced" } : {}) },
      { level: () => level, isCompressed: connection === 1 },
    ),
  );
  // Some kills shall fall between the first bytes and the first answer, others well into the load.
  await pause(wholeBetween(random, LOAD_MS.least, LOAD_MS.most));
  port = null;
  await server.kill();
  await Promise.all(pushers.map((pusher) => pusher.stop()));
}

async function killWhileStarting(data: string, random: Random): Promise<void> {
  const server = spawnServer(["--threads", "2"], { data });
  await pause(wholeBetween(random, START_MS.least, START_MS.most));
  await server.kill();
}

/** Bytes of all files in folders of this name, at any depth. */
function bytesUnder(folder: string, name: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.parentPath.endsWith(`/${name}`))
      bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
