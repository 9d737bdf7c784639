// A server as a user starts it: a process of the runtime that runs the test, its port the kernel's choice, its data in
// a folder of its own. Every test file that starts one says `after(stopServers)`; whatever is still alive when the test
// process ends is killed then, so that nothing outlives a failed run. Only what was started here is ever signalled.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Where the log goes; a new folder without it. */
  data?: string;
  environment?: Readonly<Record<string, string>>;
  /** Words for the runtime, before the program. */
  runtimeFlags?: readonly string[];
  /** Words before the runtime: a program that changes something for the process and becomes it (prlimit, taskset). */
  wrapper?: readonly string[];
  /** Longest wait for its address, milliseconds; START_MS_MAX without it. */
  startMsMax?: number;
}

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
export const IS_BUN = process.versions.bun !== undefined;
/** A start reads no more than a few segments here, but the machine may be busy with other tests. */
const START_MS_MAX = 30_000;
const EXIT_MS_MAX = 20_000;

const servers = new Set<ServerProcess>();
const folders = new Set<string>();

export class ServerProcess {
  readonly data: string;
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  port = 0;
  /** What it said on its standard output and error so far. */
  out = "";
  error = "";
  hasExited = false;

  constructor(child: ChildProcess, data: string) {
    this.child = child;
    this.data = data;
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.error += text;
    });
    // "close" comes after the last of the output, "exit" may come before it.
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.hasExited = true;
        servers.delete(this);
        resolve({ code, signal });
      });
    });
    servers.add(this);
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<Exit> {
    return this.end("SIGTERM");
  }

  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<Exit> {
    return this.end("SIGKILL");
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) this.child.kill(signal);
  }

  private async end(signal: NodeJS.Signals): Promise<Exit> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), EXIT_MS_MAX);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

/** Starts `tidemark serve` and waits for the line with its address. */
export async function startServer(
  flags: readonly string[] = [],
  options: StartOptions = {},
): Promise<ServerProcess> {
  const server = spawnServer(flags, options);
  const deadline = Date.now() + (options.startMsMax ?? START_MS_MAX);
  for (;;) {
    const line = /^tidemark listens on https?:\/\/\S+:(\d+)$/m.exec(server.out);
    if (line !== null) {
      server.port = Number(line[1]);
      return server;
    }
    if (server.hasExited || Date.now() > deadline) {
      await server.kill();
      throw new Error(`the server did not start: ${server.error}${server.out}`);
    }
    await pause(5);
  }
}

/** As startServer, for one that is expected to refuse: waits for nothing. */
export function spawnServer(flags: readonly string[], options: StartOptions = {}): ServerProcess {
  const data = options.data ?? newDataFolder();
  const words = ["serve", "--port", "0", "--data", data, ...flags];
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...(options.runtimeFlags ?? []),
    MAIN,
    ...words,
  ];
  const child = spawn(command[0]!, command.slice(1), {
    env: { PATH: process.env.PATH ?? "", ...compileCache(), ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new ServerProcess(child, data);
}

/** Where Node keeps what it has made of our sources; scripts/tidemark.sh does the same for a user. */
export function compileCache(): Record<string, string> {
  const folder = process.env.NODE_COMPILE_CACHE;
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

export function newDataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  folders.add(folder);
  return join(folder, "data");
}

/** For `after`: ends what this file started and removes its folders. */
export async function stopServers(): Promise<void> {
  await Promise.all([...servers].map((server) => server.kill()));
  removeFolders();
}

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.on("exit", () => {
  for (const server of servers) server.signal("SIGKILL");
  removeFolders();
});

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Polls until `condition` gives something other than undefined or false; fails with `what` after the deadline. What can only be
 * said then, such as a program's last words, is a function.
 */
export async function eventually<T>(
  what: string | (() => string),
  condition: () => T | Promise<T>,
  deadlineMs = 20_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > deadline)
      throw new Error(`never came true: ${typeof what === "string" ? what : what()}`);
    await pause(10);
  }
}
