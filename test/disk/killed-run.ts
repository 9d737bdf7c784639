// SIGKILL at the boundaries of the server's own calls: as it begins its N-th write or sync, so that the call never
// happens, or right after, when the kernel has done it and the server does not know. Where the N-th call is one of the
// start's own (recovery's, the direct write's probe) the server dies in its start, and the next one begins from there.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Level, Verdict } from "../crash/ledger.ts";
import { randomFrom } from "../crash/random.ts";
import {
  eventually,
  newDataFolder,
  type ServerProcess,
  spawnServer,
  startServer,
} from "../support/server-process.ts";
import { DATA_SYNCS, DIRECTORY_SYNCS, type Injection, injecting, WRITES } from "./injection.ts";
import { TimedLoad } from "./timed-load.ts";
import { readTracedCalls, type TracedCall } from "./traced-calls.ts";

const FLAGS = ["--threads", "1", "--rate-limit", "0", "--segment-size", "64KiB"];
/** For the killer to come; the thread stands still between the call's end and its answer. The tracer ends no sooner. */
const DELAY_US = 700_000;
const KILL_MS_MAX = 30_000;

export interface Kill {
  readonly moment: "before" | "after";
  readonly calls: string;
  /** Of the thread that makes it. */
  readonly nth: number;
}

export interface KilledRun extends Verdict {
  kills: number;
  killsWhileStarting: number;
  /** "before pwrite64 3 of .jsonl": each place where the server died, once. */
  boundaries: string[];
  acknowledgedMetrics: number;
}

/** Every boundary up to the N-th write, sync of a file, sync of a folder. */
export function killsUpTo(nth: number): Kill[] {
  return Array.from({ length: nth }, (_, at) =>
    [WRITES, DATA_SYNCS, DIRECTORY_SYNCS].flatMap((calls) =>
      (["before", "after"] as const).map((moment): Kill => ({ moment, calls, nth: at + 1 })),
    ),
  ).flat();
}

/** All of them on one folder, one after the other; then the log is read back. */
export async function runKills(kills: readonly Kill[], level: Level, seed: number): Promise<KilledRun> {
  const data = newDataFolder();
  const load = new TimedLoad(level, randomFrom(seed));
  const boundaries = new Set<string>();
  let killsWhileStarting = 0;
  for (const [at, kill] of kills.entries()) {
    const log = join(dirname(data), `calls-${at}`);
    const server = spawnServer([...FLAGS, "--ack", level], {
      data,
      wrapper: injecting(log, [injectionOf(kill)]),
    });
    const hasStarted = await startOrDeath(server, kill, log);
    if (!hasStarted) killsWhileStarting++;
    else {
      load.start(server.port);
      await death(server, kill, log);
      await load.stop();
    }
    boundaries.add(boundaryOf(kill, readTracedCalls(log)));
  }
  const last = await startServer(FLAGS, { data });
  const exit = await last.stop();
  if (exit.code !== 0)
    throw new Error(`the last server ended with ${exit.code}: ${last.error}; seed ${seed}`);
  return {
    ...load.ledger.verify(data),
    kills: kills.length,
    killsWhileStarting,
    boundaries: [...boundaries].sort(),
    acknowledgedMetrics: load.ledger.acknowledgedMetrics,
  };
}

function injectionOf({ moment, calls, nth }: Kill): Injection {
  const fault = moment === "before" ? "signal=SIGKILL" : `delay_exit=${DELAY_US}`;
  return { calls, fault, when: `${nth}` };
}

/** True when it listens; false when it has died before. */
async function startOrDeath(server: ServerProcess, kill: Kill, log: string): Promise<boolean> {
  const outcome = await eventually(
    "the server listens, or dies in its start",
    () => {
      if (server.hasExited) return "dead";
      killAfterCall(server, kill, log);
      server.port = Number(/^tidemark listens on http:\/\/\S+:(\d+)$/m.exec(server.out)?.[1] ?? 0);
      return server.port > 0 && "listens";
    },
    KILL_MS_MAX,
  );
  return outcome === "listens";
}

async function death(server: ServerProcess, kill: Kill, log: string): Promise<void> {
  await eventually(
    `the server dies ${kill.moment} ${kill.calls} ${kill.nth}`,
    () => {
      killAfterCall(server, kill, log);
      return server.hasExited;
    },
    KILL_MS_MAX,
  );
  const exit = await server.exited;
  if (exit.signal !== "SIGKILL") throw new Error(`the server ended by itself: ${exit.code} ${server.error}`);
}

/** Kills it where the call has been made and its thread is being held back. */
function killAfterCall(server: ServerProcess, kill: Kill, log: string): void {
  if (kill.moment === "after" && heldCall(log)) server.signal("SIGKILL");
}

function heldCall(log: string): boolean {
  try {
    return readFileSync(log, "utf8").includes("(DELAYED)");
  } catch {
    return false;
  }
}

/** Names the call that the server died at, by its place in its life and by its kind of file. */
function boundaryOf({ moment, calls, nth }: Kill, traced: readonly TracedCall[]): string {
  const made = traced.filter(({ name }) => name === calls);
  const isIt =
    moment === "after" ? (call: TracedCall) => call.isDelayed : (call: TracedCall) => call.result === null;
  const at = made.findIndex(isIt);
  const path = made[at]?.path ?? `an unknown file, ${nth} of its thread`;
  return `${moment} ${calls} ${at + 1} of ${/\.\w+$/.exec(path)?.[0] ?? "a folder"}`;
}
