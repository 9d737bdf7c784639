// Faults in the server's own system calls, made by a tracer (strace): the call does not happen and an error comes back, or
// it happens late, or the process is killed as it begins the call. Only calls with which the log changes its files are
// traced (CALLS); sockets, pipes and the runtimes' own files are written by others, and `injectedCalls` refuses a run
// where a fault went anywhere else.
//
// Two ways in: `startUnderInjection` starts a server with the faults from its first call on, at nearly no cost (but for signals),
// since a filter in the kernel stops the process for the named calls only; `attachInjection` brings them to a server that runs, and
// `detach` takes them away again. `when` ("3", "3+5", "1..4") counts each thread's calls by themselves.
//
// A short write cannot be made this way: a return value that is put in place of the call's own says that bytes were
// written which were not. `limitFileSize` makes fair ones: the kernel writes up to the limit, says how much that was, and
// refuses the rest with EFBIG, for as long as the limit stands. It counts for every file that the process writes.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { eventually, type ServerProcess, type StartOptions, startServer } from "../support/server-process.ts";

export const WRITES = "pwrite64";
export const DATA_SYNCS = "fdatasync";
export const DIRECTORY_SYNCS = "fsync";
const CALLS = [WRITES, DATA_SYNCS, DIRECTORY_SYNCS, "ftruncate"].join(",");

export interface Injection {
  /** Names of system calls, with commas. */
  readonly calls: string;
  /** As strace has it: "error=EIO", "delay_enter=200000" (microseconds), "signal=SIGKILL". */
  readonly fault: string;
  /** Which calls of each thread; all without it. */
  readonly when?: string;
}

const tracers = new Set<ChildProcess>();

process.on("exit", () => {
  for (const tracer of tracers) tracer.kill("SIGTERM");
});

function words(log: string, injections: readonly Injection[]): string[] {
  return [
    ...["-f", "-ttt", "-T", "-y", "-s", "0", "-o", log, "-e", `trace=${CALLS}`],
    ...injections.flatMap(({ calls, fault, when }) => [
      "-e",
      `inject=${calls}:${fault}${when === undefined ? "" : `:when=${when}`}`,
    ]),
  ];
}

/** Words before a server's command: it runs with these faults, and `log` has its calls once it has exited. */
export function injecting(log: string, injections: readonly Injection[]): readonly string[] {
  // As a grandchild (-D) the tracer leaves the server's pid as it would be. Behind the filter signals do not arrive.
  const filter = injections.some(({ fault }) => fault.startsWith("signal=")) ? [] : ["--seccomp-bpf"];
  return ["strace", "-D", ...filter, ...words(log, injections)];
}

export function startUnderInjection(
  log: string,
  injections: readonly Injection[],
  flags: readonly string[],
  options: StartOptions = {},
): Promise<ServerProcess> {
  return startServer(flags, {
    ...options,
    wrapper: [...injecting(log, injections), ...(options.wrapper ?? [])],
  });
}

export interface AttachedInjection {
  /** The calls since it was attached; whole after detach(). */
  readonly log: string;
  /** Resolves when the process runs as before; also where the process has died meanwhile. */
  detach(): Promise<void>;
}

/** Resolves when the faults hold for every thread of the process. */
export async function attachInjection(
  pid: number,
  log: string,
  injections: readonly Injection[],
): Promise<AttachedInjection> {
  const tracer = spawn("strace", [...words(log, injections), "-p", `${pid}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  tracers.add(tracer);
  let said = "";
  tracer.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      hasEnded = true;
      tracers.delete(tracer);
      resolve();
    };
    tracer.once("close", end).once("error", end);
  });
  await eventually("the tracer is attached", () => {
    if (hasEnded) throw new Error(`cannot trace process ${pid} because strace said: ${said}`);
    return /Process \d+ attached/.test(said);
  });
  return {
    log,
    detach() {
      if (!hasEnded) tracer.kill("SIGTERM");
      return ended;
    },
  };
}

/** No file of the process grows past `bytes` from now on; "unlimited" ends it. */
export function limitFileSize(pid: number, bytes: number | "unlimited"): void {
  const run = spawnSync("prlimit", ["--pid", `${pid}`, `--fsize=${bytes}:unlimited`], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`cannot limit the files of process ${pid}: ${run.stderr}`);
}
