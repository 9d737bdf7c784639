// The data folder's lock, with real processes: refused while its holder lives, free the moment it is dead, however it
// died; never two holders, however many start at once.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockFolder } from "./folder-lock.ts";

const LOCK_MODULE = fileURLToPath(new URL("folder-lock.ts", import.meta.url));
// Prints "held" or the refusal, and stays until it is killed or its input ends.
const STARTER = `
  const { lockFolder } = await import(${JSON.stringify(LOCK_MODULE)});
  const [directory, address] = process.argv.slice(-2);
  process.stdin.resume().on("end", () => process.exit(0));
  await lockFolder(directory, { pid: process.pid, address }).then(
    () => console.log("held"),
    (error) => console.log(error.message),
  );
`;

const root = mkdtempSync(join(tmpdir(), "tidemark-lock-"));
const STARTER_PATH = join(root, "starter.ts");
writeFileSync(STARTER_PATH, STARTER);
const children = new Set<ChildProcess>();
let folder = "";
let folderCount = 0;

beforeEach(() => {
  folderCount += 1;
  folder = join(root, `data-${folderCount}`);
  mkdirSync(folder);
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

interface Starter {
  readonly child: ChildProcess;
  /** "held", or why not. */
  readonly outcome: Promise<string>;
}

function start(directory: string, address: string): Starter {
  const child = spawn(process.execPath, [STARTER_PATH, directory, address], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  const outcome = new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes("\n")) resolve(text.trim());
    });
    child.once("exit", (code, signal) =>
      reject(new Error(`starter ended (${code ?? signal}) with: ${text}`)),
    );
  });
  outcome.catch(() => {});
  return { child, outcome };
}

async function kill(starter: Starter): Promise<void> {
  const gone = once(starter.child, "exit");
  starter.child.kill("SIGKILL");
  await gone;
}

function lockNames(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("lock-"));
}

describe("a data folder", () => {
  test("is refused while another process holds it, and the refusal says who, where and since when", async () => {
    const holder = start(folder, "http://127.0.0.1:4242");
    assert.equal(await holder.outcome, "held");
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), (error: Error) => {
      const pid = holder.child.pid;
      assert.match(
        error.message,
        new RegExp(`process ${pid} at http://127.0.0.1:4242, since \\d{4}-\\d\\d-\\d\\dT`),
      );
      assert.ok(
        error.message.startsWith(`cannot use --data ${folder} because a server holds it`),
        error.message,
      );
      return true;
    });
    assert.equal(lockNames().length, 1, "the one that was refused leaves nothing behind");
    await kill(holder);
  });

  test("is free at once when its holder was killed, and the leftover is cleared away", async () => {
    for (let round = 0; round < 3; round += 1) {
      const holder = start(folder, `round ${round}`);
      assert.equal(await holder.outcome, "held");
      assert.equal(lockNames().length, 1);
      await kill(holder);
      assert.equal(lockNames().length, 1, "a killed process leaves its name");
    }
    const lock = await lockFolder(folder, { pid: process.pid, address: "" });
    assert.equal(lockNames().length, 1);
    lock.release();
  });

  test("that was let go can be locked again by the same process, and a second release harms nobody", async () => {
    const first = await lockFolder(folder, { pid: process.pid, address: "" });
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), /a server holds it/);
    first.release();
    assert.deepEqual(lockNames(), []);
    const second = await lockFolder(folder, { pid: process.pid, address: "" });
    first.release();
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), /a server holds it/);
    second.release();
  });

  test("tells an address that became known after the lock was taken", async () => {
    const lock = await lockFolder(folder, { pid: process.pid, address: "" });
    lock.describe({ address: "http://127.0.0.1:5151" });
    assert.match(await start(folder, "").outcome, /at http:\/\/127.0.0.1:5151, since/);
    lock.release();
  });

  test("stays held by a process that is stopped, also when its queue of askers is full", async () => {
    const holder = start(folder, "");
    assert.equal(await holder.outcome, "held");
    holder.child.kill("SIGSTOP");
    const silent = new RegExp(`process ${holder.child.pid} holds it and does not answer`);
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), silent);
    const askers = await fillQueue(join(folder, lockNames()[0]!));
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), silent);
    assert.equal(lockNames().length, 1);
    for (const asker of askers) asker.destroy();
    holder.child.kill("SIGCONT");
    await untilRefusedWith(/a server holds it: process/);
    await kill(holder);
  });

  test("goes to exactly one of eight that start at once", async () => {
    for (let round = 0; round < 3; round += 1) {
      const starters = Array.from({ length: 8 }, (_, index) => start(folder, `starter ${index}`));
      const outcomes = await Promise.all(starters.map((starter) => starter.outcome));
      const held = outcomes.filter((outcome) => outcome === "held");
      assert.equal(held.length, 1, outcomes.join("\n"));
      for (const outcome of outcomes) assert.match(outcome, /^(held$|cannot use --data .* because )/);
      // The next round starts over the leftovers of this one.
      await Promise.all(starters.map(kill));
    }
  });

  test("goes to exactly one of eight in one process", async () => {
    for (let round = 0; round < 10; round += 1) {
      const tries = Array.from({ length: 8 }, () => lockFolder(folder, { pid: process.pid, address: "" }));
      const outcomes = await Promise.allSettled(tries);
      const held = outcomes.filter((outcome) => outcome.status === "fulfilled");
      assert.equal(held.length, 1);
      held[0]!.value.release();
      assert.deepEqual(lockNames(), []);
    }
  });

  test("may lie deeper than a socket's address is long", async () => {
    folder = join(root, "d".repeat(100), "e".repeat(100));
    mkdirSync(folder, { recursive: true });
    const holder = start(folder, "far down");
    assert.equal(await holder.outcome, "held");
    await assert.rejects(lockFolder(folder, { pid: process.pid, address: "" }), /at far down, since/);
    await kill(holder);
    (await lockFolder(folder, { pid: process.pid, address: "" })).release();
    assert.deepEqual(lockNames(), []);
  });

  test("with leftovers of half-started servers and files of others keeps the others' only", async () => {
    for (const name of ["lock-1-aa.sock", "lock-1-bb.tmp", "lock.txt", "lane-0"])
      writeFileSync(join(folder, name), "");
    const lock = await lockFolder(folder, { pid: process.pid, address: "" });
    assert.equal(lockNames().length, 1);
    lock.release();
    assert.deepEqual(readdirSync(folder).sort(), ["lane-0", "lock.txt"]);
  });

  test("that cannot be one is refused with the reason", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await assert.rejects(
      lockFolder(file, { pid: 1, address: "" }),
      /because no Unix socket can be made there: /,
    );
    assert.deepEqual(lockNames(), []);
  });
});

/** A process that was continued has its queue to work off first. */
async function untilRefusedWith(pattern: RegExp): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  let message = "";
  while (!pattern.test(message)) {
    assert.ok(performance.now() < deadlineMs, message);
    await lockFolder(folder, { pid: process.pid, address: "" }).then(
      () => assert.fail("the folder was free"),
      (error: Error) => {
        message = error.message;
      },
    );
  }
}

/** Connects to a stopped process until the kernel takes no more: its queue is 511 or 512 long. */
async function fillQueue(path: string): Promise<Socket[]> {
  const askers: Socket[] = [];
  for (let full = false; !full; ) {
    assert.ok(askers.length < 5000, "the queue has no end");
    const asker = connect(path);
    full = await new Promise<boolean>((resolve) => {
      asker.once("connect", () => resolve(false));
      asker.once("error", () => resolve(true));
    });
    if (!full) askers.push(asker);
  }
  return askers;
}
