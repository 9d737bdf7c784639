// What the long runs found, kept as one JSON file a run and runtime, from which page.ts makes docs/reliability.md: so no
// figure there is typed. A run that is made again replaces its own file and no other.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type MachineRecord, readMachine } from "../../bench/machine.ts";
import { IS_BUN } from "../support/server-process.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
export const RUNS_FOLDER = join(PROJECT, "bench/results/reliability");
/** The runtime that the run, and the server in it, ran on. */
export const RUNTIME = IS_BUN ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;

/** The promises, in the order of the page, each in the words that an operator was given. */
export const PROMISES = {
  written: "200 at `written`: survives any death of the process",
  synced: "200 at `synced`: survives a power cut",
  replicated: "200 at `replicated`: survives the loss of the machine",
  drained: "what the stream took reaches the drains' stores, once",
  refused: "whatever is refused leaves nothing, and nothing is stored that was not sent",
  "false-200": "no 200 after a write or a sync that failed",
  "disk-full": "a full disk is 503 until there is room, with nothing to restart",
  corruption: "damage in the files is found; only what is damaged is lost",
  restart: "a restart is quick, and its memory bounded",
  thread: "a thread that dies, spins or runs out of memory is replaced; the others serve on",
  drain: "SIGTERM answers what was taken, resets nobody, and exits 0",
  reload: "SIGHUP takes a new certificate and new tokens, and drops nobody",
  overload: "a full server says so at once, and serves as much as before",
  fairness: "one client over its limit does not slow another",
  hostile: "slow, silent and flooding clients are cut; the others notice nothing",
  memory: "memory stays inside `--memory-max` and a stated base",
  framing: "a request begins where every server before us thinks it does",
  input: "no input crashes it or holds it up",
  secrets: "no secret and no control character gets out",
  accounting: "received = stored + rejected, at every moment",
  soak: "and so it goes on for as long as it runs",
  tests: "the tests would notice",
} as const;

export type PromiseName = keyof typeof PROMISES;

/** One row of the page. */
export interface ReliabilityRow {
  readonly promise: PromiseName;
  /** What was done to the server: "SIGKILL at a random moment under load". */
  readonly fault: string;
  /** How it was done: "kill(2) from the client's process". */
  readonly injected: string;
  readonly times: number;
  /** What was lost by it, in words with figures: "0 of 508,895 metrics". */
  readonly lost: string;
  /** The figure reached and the one asked for; "" where a count of losses says it all. */
  readonly measured: string;
  readonly asked: string;
  readonly holds: boolean;
}

export interface ReliabilityRun {
  readonly run: string;
  readonly runtime: string;
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly machine: MachineRecord;
  readonly rows: readonly ReliabilityRow[];
}

/** `run` names the file; `command` is what repeats it, with its seed. */
export function recordRun(
  run: string,
  command: string,
  seconds: number,
  rows: readonly ReliabilityRow[],
): void {
  const record: ReliabilityRun = {
    run,
    runtime: RUNTIME,
    date: new Date().toISOString().slice(0, 10),
    command,
    seconds: Math.round(seconds),
    machine: readMachine(PROJECT),
    rows,
  };
  mkdirSync(RUNS_FOLDER, { recursive: true });
  const name = `${run}.${IS_BUN ? "bun" : "node"}.json`;
  writeFileSync(join(RUNS_FOLDER, name), `${JSON.stringify(record, null, 2)}\n`);
}

export function readRuns(): ReliabilityRun[] {
  return readdirSync(RUNS_FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(RUNS_FOLDER, name), "utf8")) as ReliabilityRun);
}
