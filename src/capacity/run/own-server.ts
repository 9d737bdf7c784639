// A server of the run's own: `tidemark serve` as a process, on a port of the kernel's choice, its data in a temporary
// folder that goes with it. Main thread. It is asked to end (SIGTERM) and made to where it does not; whatever happens to
// the analyser, the server does not outlive it.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TidemarkError } from "../../errors.ts";

export interface OwnServer {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process is gone and its folder removed; may be called again. */
  stop(): Promise<void>;
}

export interface OwnServerOptions {
  /** The words that run the command line: the runtime and the program. */
  readonly command: readonly string[];
  /** What the operator wants of `serve`, and behind it what a remedy adds: the later flag wins. */
  readonly flags: readonly string[];
  /** Limit of its descriptors, soft and hard; null leaves what we have. */
  readonly descriptors: number | null;
}

/** A start compiles the program and opens an empty log; the machine may be busy. */
const START_MS_MAX = 20_000;
/** The drain is done in under 5 s; past it something hangs. */
const STOP_MS_MAX = 8_000;
const OUTPUT_BYTES_MAX = 16 * 1024;
const ADDRESS = /^tidemark listens on (http:\/\/\S+)$/m;

/** Throws TidemarkError with what the server said where it does not start. */
export async function startOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-capacity-"));
  const words = [
    ...limited(options.descriptors),
    ...options.command,
    "serve",
    "--port",
    "0",
    "--data",
    join(folder, "data"),
    "--log-level",
    "warn",
    ...options.flags,
  ];
  const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const atExit = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", atExit);
  const gone = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= endChild(child, gone).then(() => {
      process.off("exit", atExit);
      rmSync(folder, { recursive: true, force: true });
    });
    return stopping;
  };
  try {
    const url = await waitForAddress(child, gone);
    return { url, pid: child.pid!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** sh's ulimit sets both limits and is everywhere; prlimit is not. */
function limited(descriptors: number | null): string[] {
  return descriptors === null ? [] : ["sh", "-c", `ulimit -n ${descriptors} && exec "$0" "$@"`];
}

function waitForAddress(child: ChildProcess, gone: Promise<void>): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => {
      clearTimeout(timer);
      reject(
        new TidemarkError(
          `cannot start a server to measure because ${why}${said === "" ? "" : `: ${said.trim()}`}`,
        ),
      );
    };
    const timer = setTimeout(
      () => refuse(`it was not listening after ${START_MS_MAX / 1000} s`),
      START_MS_MAX,
    );
    const listen = (text: string): void => {
      said = (said + text).slice(-OUTPUT_BYTES_MAX);
      const address = ADDRESS.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      // What it logs from now on is not ours to show, but must be read, or its pipe fills and it hangs.
      said = "";
      resolve(address);
    };
    child.stdout!.setEncoding("utf8").on("data", listen);
    child.stderr!.setEncoding("utf8").on("data", listen);
    gone.then(() => refuse(`it ended with ${child.exitCode ?? child.signalCode ?? "no exit code"}`));
  });
}

async function endChild(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await gone;
  clearTimeout(timer);
}
