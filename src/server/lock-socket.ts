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

export function askAt(path: string): Promise<LockAnswer> {
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
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") finish({ is: "dead" });
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
