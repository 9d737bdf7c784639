// The socket behind a data folder's lock: listening at a path of any length, and asking one who it is.
// An answer tells the dead from the silent: only the kernel's refusal of a connect means that nobody is there.
import { closeSync, openSync } from "node:fs";
import { connect, type Server } from "node:net";
import { join } from "node:path";
import { LOCK_ANSWER_MS_MAX } from "../limits.ts";

export type LockAnswer =
  | { is: "dead" }
  /** Connected, then closed without a line: it died while we asked, or has too many askers. */
  | { is: "cut" }
  | { is: "silent"; why: string }
  | { is: "starting" | "holding"; text: string };

/** Longest path that a socket address takes: 108 bytes with its end. */
const SOCKET_PATH_BYTES_MAX = 107;
/** A holder's line is about 150 bytes. */
const ANSWER_BYTES_MAX = 4096;

/** Calls `use` with a path to `name` that a socket address can hold, however deep the folder is. */
export async function withSocketPath<T>(
  directory: string,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return use(path);
  const descriptor = openSync(directory, "r");
  try {
    return await use(`/proc/self/fd/${descriptor}/${name}`);
  } finally {
    closeSync(descriptor);
  }
}

export function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Who listens at this path, in bounded time. */
export async function askAt(path: string): Promise<LockAnswer> {
  const answer = await askOnce(path);
  if (answer.is === "dead" && !(await isRefused(path))) return { is: "silent", why: "its queue is full" };
  return answer;
}

/**
 * Bun's node:net says ECONNREFUSED for every failed connect, also for the full queue of a live, stopped holder (EAGAIN);
 * its fetch tells the kernel's own word.
 */
async function isRefused(path: string): Promise<boolean> {
  if (process.versions.bun === undefined) return true;
  try {
    await fetch("http://localhost/", { unix: path, signal: AbortSignal.timeout(LOCK_ANSWER_MS_MAX) });
    return false;
  } catch (error) {
    return isRefusal(error);
  }
}

function isRefusal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ECONNREFUSED" || code === "ENOENT";
}

function askOnce(path: string): Promise<LockAnswer> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let line = "";
    const finish = (answer: LockAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish({ is: "silent", why: "it may be stopped" }), LOCK_ANSWER_MS_MAX);
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      line += text;
      if (line.includes("\n")) finish(decodeAnswer(line));
      else if (line.length > ANSWER_BYTES_MAX) finish({ is: "silent", why: "it says something else" });
    });
    socket.on("close", () => finish({ is: "cut" }));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (isRefusal(error)) finish({ is: "dead" });
      else if (error.code === "ECONNRESET" || error.code === "EPIPE") finish({ is: "cut" });
      else finish({ is: "silent", why: error.code ?? error.message });
    });
  });
}

function decodeAnswer(line: string): LockAnswer {
  try {
    const { stage, pid, address, since }: Record<string, unknown> = JSON.parse(line);
    const is = stage === "starting" ? "starting" : "holding";
    const place = address ? ` at ${address}` : "";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: another process's text must not steer a terminal
    return { is, text: `process ${pid}${place}, since ${since}`.replace(/[\x00-\x1f\x7f]/g, "?") };
  } catch {
    return { is: "silent", why: "it says something else" };
  }
}
