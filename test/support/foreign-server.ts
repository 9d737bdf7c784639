// A server that is not ours (nginx, a Perl script, a script of the test's), started for a test and ended with it. One
// that chooses its own port says "listening PORT" on its standard output; for the others the port is awaited in the
// kernel's table of listeners as the process's own network namespace shows it, so that nobody need connect to find out.
//
// Ended by SIGTERM first, because a pool has children to end; what is left after a moment is killed.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { pause } from "./server-process.ts";

export interface ForeignOptions {
  /** The port that the command was told to listen on; without it the program says which it took. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const START_MS_MAX = 20_000;
const EXIT_MS_MAX = 3_000;
/** State of a listening socket in /proc/net/tcp. */
const LISTEN = "0A";

const running = new Set<ForeignServer>();

export class ForeignServer {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  port: number;
  /** What it said so far, on both streams. */
  said = "";
  hasExited = false;

  constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
      });
    }
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        this.hasExited = true;
        running.delete(this);
        resolve();
      };
      child.once("exit", end);
      child.once("error", (error) => {
        this.said += error.message;
        end();
      });
    });
    running.add(this);
  }

  get pid(): number {
    return this.child.pid!;
  }

  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.child.kill("SIGCONT");
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), EXIT_MS_MAX);
    await this.exited;
    clearTimeout(timer);
  }
}

/** Starts the command and waits until it listens. */
export async function startForeign(
  command: readonly string[],
  options: ForeignOptions = {},
): Promise<ForeignServer> {
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env.PATH ?? "", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = new ForeignServer(child, options.port ?? 0);
  const deadline = Date.now() + START_MS_MAX;
  while (!listens(server, options.port)) {
    if (server.hasExited || Date.now() > deadline) {
      await server.stop();
      throw new Error(`${command.join(" ")} did not start: ${server.said}`);
    }
    await pause(5);
  }
  return server;
}

/** For `after`: ends what this file started. */
export async function stopForeignServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()));
}

process.on("exit", () => {
  for (const server of running) server.child.kill("SIGTERM");
});

function listens(server: ForeignServer, port: number | undefined): boolean {
  if (port !== undefined) return isListening(server.pid, port);
  const line = /^listening (\d+)$/m.exec(server.said);
  if (line !== null) server.port = Number(line[1]);
  return line !== null;
}

/** Whether something listens on the port in the network namespace of that process. */
function isListening(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  try {
    const table =
      readFileSync(`/proc/${pid}/net/tcp`, "utf8") + readFileSync(`/proc/${pid}/net/tcp6`, "utf8");
    return table
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN);
  } catch {
    return false; // not started yet, or ended
  }
}
