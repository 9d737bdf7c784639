// The words of `tidemark capacity`'s command line, checked, as options of a run. Pure apart from `readFile`.

import { TidemarkError } from "../../errors.ts";
import { readCount, readDurationMs, readHeader, readHttpUrl, readMethod, readOnOff } from "../flag-values.ts";
import { parseLadder } from "../search/ladder.ts";
import { OBJECTIVE_DEFAULT, parseObjective } from "../search/objective.ts";
import { parseSweeps } from "../search/sweep.ts";
import type { AskedTarget, CapacityOptions } from "./capacity-options.ts";

/** As the command line gives them. */
export interface CapacityFlags {
  readonly target?: string;
  readonly pid?: string;
  readonly method?: string;
  /** The NATS of agents that make the load. */
  readonly agents?: string;
  readonly header?: readonly string[];
  readonly payload?: string;
  readonly batch?: string;
  readonly ladder?: string;
  readonly pace?: string;
  readonly keepAlive?: string;
  readonly threads?: string;
  readonly timeout?: string;
  readonly levelTime?: string;
  readonly seed?: string;
  readonly objective?: string;
  readonly search?: boolean;
  readonly verify?: boolean;
  readonly comparePhases?: boolean;
  readonly sweep?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export interface FlagSurroundings {
  /** The words that run the command line itself. */
  readonly command: readonly string[];
  /** Names of serve's flags, for --sweep. */
  readonly serveSettings: readonly string[];
  readFile(path: string): Uint8Array;
}

export type AskedCapacity = Omit<
  CapacityOptions,
  "openGenerator" | "makeBatches" | "signal" | "commandText" | "version"
> & {
  readonly out: string;
  readonly batchMetrics: number;
};

/** Largest generator that anything here was tried with; more threads than cores only wait for each other. */
const THREADS_MAX = 64;
const PID_MAX = 4_194_304;
const SEED_MAX = 2 ** 31 - 1;
/** What a Tidemark takes in one batch by default. */
const BATCH_MAX = 1000;

/** Throws TidemarkError with exit code 2, one line that names the flag. */
export function readCapacityFlags(
  flags: CapacityFlags,
  serveFlags: readonly string[],
  surroundings: FlagSurroundings,
): AskedCapacity {
  const target = readTarget(flags, serveFlags, surroundings);
  const isOwn = target.kind === "own";
  if (!isOwn && flags.verify === true) throw ownOnly("--verify", "start it again with another setting");
  if (!isOwn && flags.comparePhases === true)
    throw ownOnly("--compare-phases", "start it in other architectures");
  if (!isOwn && flags.sweep !== undefined) throw ownOnly("--sweep", "start it with other settings");
  const ladder = flags.ladder === undefined ? null : parseLadder(flags.ladder);
  return {
    target,
    request: {
      method: flags.method === undefined ? null : readMethod("--method", flags.method),
      headers: (flags.header ?? []).map((text) => readHeader("--header", text)),
      bodies: flags.payload === undefined ? null : [readPayload(flags.payload, surroundings)],
    },
    ladder,
    runsLadder: ladder !== null || flags.search !== true,
    searches: ladder === null || flags.search === true,
    objective: parseObjective(flags.objective ?? OBJECTIVE_DEFAULT),
    paceMs: readDurationMs("--pace", flags.pace ?? "100ms", 1, 60_000),
    threads: readCount("--threads", flags.threads ?? "1", 1, THREADS_MAX),
    keepAlive: readOnOff("--keep-alive", flags.keepAlive ?? "on"),
    timeoutMs: readDurationMs("--timeout", flags.timeout ?? "2s", 10, 60_000),
    levelSeconds:
      flags.levelTime === undefined
        ? null
        : readDurationMs("--level-time", flags.levelTime, 200, 3_600_000) / 1000,
    verifies: flags.verify === true,
    comparesPhases: flags.comparePhases === true,
    sweeps: parseSweeps(flags.sweep ?? [], surroundings.serveSettings),
    seed: readCount("--seed", flags.seed ?? "1", 0, SEED_MAX),
    out: flags.out ?? "./capacity-report",
    batchMetrics: readCount("--batch", flags.batch ?? "3", 1, BATCH_MAX),
  };
}

function readTarget(
  flags: CapacityFlags,
  serveFlags: readonly string[],
  { command }: FlagSurroundings,
): AskedTarget {
  if (flags.target === undefined) {
    if (flags.pid !== undefined)
      throw new TidemarkError("cannot use --pid without --target: the run's own server is known to it", 2);
    if (flags.agents !== undefined)
      throw new TidemarkError(
        "cannot use --agents without --target because the run's own server listens on this machine's 127.0.0.1, where agents on others do not reach it; start tidemark serve with --host, and give --target the address that they reach",
        2,
      );
    return { kind: "own", command, flags: serveFlags };
  }
  if (serveFlags.length > 0)
    throw new TidemarkError(
      "cannot pass flags to serve because --target names a server that runs already; leave one out",
      2,
    );
  const pid = flags.pid === undefined ? null : readCount("--pid", flags.pid, 1, PID_MAX);
  return { kind: "url", url: readHttpUrl("--target", flags.target), pid };
}

function readPayload(path: string, { readFile }: FlagSurroundings): Uint8Array {
  try {
    return readFile(path);
  } catch (error) {
    throw new TidemarkError(`cannot read --payload ${path} because ${(error as Error).message}`, 2);
  }
}

function ownOnly(flag: string, what: string): TidemarkError {
  return new TidemarkError(
    `cannot use ${flag} with --target because the run would have to ${what}; leave --target out to measure a server of its own`,
    2,
  );
}
