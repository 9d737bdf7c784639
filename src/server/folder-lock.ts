// One server to a data folder, and the second one is told who holds it. Runs on the main thread, at start-up.
//
// Neither runtime has flock, so what the kernel drops at death is a listening Unix socket: `lock-<pid>-<random>.sock`
// in the folder answers a connect with one line about its process; a refused connect is a dead one's leftover.
// Nothing is ever taken over. Names are never used twice, so a leftover can be deleted by anybody at any time, and
// there is no moment between "it is dead" and "it is mine" for a third to slip into:
//
//   1. listen under a name of one's own (bound as .tmp and renamed, for a socket that is bound but does not listen yet
//      looks dead), answering "starting"
//   2. list the folder and ask every other socket who it is
//        dead: delete it    holds: give up    silent: give up (it is stopped or busy, not dead)
//        starting too: the greater name gives up, the smaller waits until the other has given up or holds
//   3. answer "holds"
//
// Two never hold: both listened before they listed, so the later lister saw the other. One of many starters holds: the
// smallest name waits and nobody waits for it. A folder shared by containers works; one shared by machines does not.
import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { TidemarkError } from "../errors.ts";
import { LOCK_CONTEST_MS_MAX } from "../limits.ts";
import { askAt, listenAt, withSocketPath } from "./lock-socket.ts";

/** What a holder tells of itself. */
export interface LockHolder {
  pid: number;
  /** Where it takes requests; empty until it listens. */
  address: string;
}

export interface FolderLock {
  /** Changes what others are told, such as the address once it is known. */
  describe(changes: Partial<LockHolder>): void;
  /** Lets go. After it a second call does nothing. */
  release(): void;
}

/** Askers that are answered at once; one more is closed and asks again. */
const ASKERS_MAX = 64;
const CONTEST_POLL_MS = 10;
const LOCK_NAME = /^lock-(\d+)-[0-9a-f]+\.sock$/;
const UNFINISHED_NAME = /^lock-\d+-[0-9a-f]+\.tmp$/;

/**
 * Holds a folder that is there until `release` or the process's end, however it ends.
 * Throws a TidemarkError where another process holds it or is about to, or no socket can be made in it.
 */
export async function lockFolder(directory: string, holder: LockHolder): Promise<FolderLock> {
  const lock = new HeldFolder(directory, holder);
  try {
    await lock.listen();
    await lock.contest();
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

class HeldFolder implements FolderLock {
  readonly #directory: string;
  readonly #about: LockHolder & { since: string };
  readonly #askers = new Set<Socket>();
  #server: Server | undefined;
  #name = "";
  #stage: "starting" | "holding" = "starting";

  constructor(directory: string, holder: LockHolder) {
    this.#directory = directory;
    this.#about = { ...holder, since: new Date().toISOString() };
  }

  describe(changes: Partial<LockHolder>): void {
    Object.assign(this.#about, changes);
  }

  /** The name goes first: while it is there the socket answers. */
  release(): void {
    if (this.#name !== "") unlinkIfThere(join(this.#directory, this.#name));
    this.#name = "";
    this.#server?.close();
    this.#server = undefined;
    for (const asker of this.#askers) asker.destroy();
  }

  async listen(): Promise<void> {
    const base = `lock-${process.pid}-${randomBytes(6).toString("hex")}`;
    const server = createServer((asker) => this.#answer(asker));
    server.maxConnections = ASKERS_MAX;
    this.#server = server;
    try {
      await withSocketPath(this.#directory, `${base}.tmp`, (path) => listenAt(server, path));
      renameSync(join(this.#directory, `${base}.tmp`), join(this.#directory, `${base}.sock`));
    } catch (error) {
      // Only a new holder deletes .tmp files.
      if (isNotThere(error)) throw heldFolder(this.#directory, "another server has just started on it");
      throw cannotUse(this.#directory, `no Unix socket can be made there: ${describeCode(error)}`);
    }
    this.#name = `${base}.sock`;
    // The lock does not keep the process alive; it ends with it.
    server.unref();
  }

  async contest(): Promise<void> {
    const deadlineMs = performance.now() + LOCK_CONTEST_MS_MAX;
    const names = readdirSync(this.#directory);
    for (const name of names) {
      if (LOCK_NAME.test(name) && name !== this.#name) await this.#outlast(name, deadlineMs);
    }
    this.#stage = "holding";
    // Those who died between binding and renaming, and those who are there just now and will have to give up.
    for (const name of names) if (UNFINISHED_NAME.test(name)) unlinkIfThere(join(this.#directory, name));
  }

  /** Returns when the rival is dead or gone; throws where this starter has to give up. */
  async #outlast(rival: string, deadlineMs: number): Promise<void> {
    const pid = LOCK_NAME.exec(rival)?.[1];
    for (;;) {
      const answer = await withSocketPath(this.#directory, rival, askAt);
      if (answer.is === "dead") {
        unlinkIfThere(join(this.#directory, rival));
        return;
      }
      if (answer.is === "holding") throw heldFolder(this.#directory, `a server holds it: ${answer.text}`);
      if (answer.is === "silent") {
        throw heldFolder(this.#directory, `process ${pid} holds it and does not answer (${answer.why})`);
      }
      if (answer.is === "starting" && rival < this.#name) {
        throw heldFolder(this.#directory, `another server is starting on it: ${answer.text}`);
      }
      if (performance.now() > deadlineMs)
        throw heldFolder(this.#directory, `process ${pid} is still starting on it`);
      await new Promise((resolve) => setTimeout(resolve, CONTEST_POLL_MS));
    }
  }

  #answer(asker: Socket): void {
    this.#askers.add(asker);
    asker.on("error", () => {});
    asker.on("close", () => this.#askers.delete(asker));
    asker.unref();
    asker.end(`${JSON.stringify({ stage: this.#stage, ...this.#about })}\n`);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isNotThere(error)) throw error;
  }
}

function isNotThere(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

const CODE_TEXTS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "its file system does not allow it",
  EROFS: "its file system is read-only",
  ENOSPC: "its disk is full",
  ENOTDIR: "it is not a folder",
};

function describeCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return CODE_TEXTS[code] ?? code;
}

function cannotUse(directory: string, why: string): TidemarkError {
  return new TidemarkError(`cannot use --data ${directory} because ${why}`);
}

function heldFolder(directory: string, who: string): TidemarkError {
  return new TidemarkError(
    `cannot use --data ${directory} because ${who}; stop that one or try another folder`,
  );
}
