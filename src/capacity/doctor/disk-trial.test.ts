// The disk trial and the folder it is made in, on a real file system; how fast that is, is nobody's claim here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { lookAtDataFolder } from "./data-folder.ts";
import { tryDisk } from "./disk-trial.ts";

const root = mkdtempSync(join(tmpdir(), "tidemark-doctor-"));
after(() => rmSync(root, { recursive: true, force: true }));
const LIMITS = { syncs: 5, syncMs: 10_000, writeBytes: 8 * 1024 ** 2, writeMs: 10_000 };

function newFolder(name: string): string {
  mkdirSync(join(root, name));
  return join(root, name);
}

describe("the disk trial", () => {
  test("ends at its limits and leaves nothing", async () => {
    const path = newFolder("bounded");
    let synced = 0;
    const trial = await tryDisk(lookAtDataFolder(path), LIMITS, async () => {
      synced += 1;
    });
    assert.equal(trial.fault, null);
    assert.equal(trial.sync?.syncs, 5);
    assert.equal(trial.write?.bytes, 8 * 1024 ** 2);
    assert.equal(synced, 5 + 2);
    assert.deepEqual(readdirSync(path), []);
  });

  test("syncs for real, and its percentiles are in order", async () => {
    const { sync } = await tryDisk(lookAtDataFolder(newFolder("real")), LIMITS);
    assert.ok(sync !== null && sync.msP50 > 0);
    assert.ok(sync.msP50 <= sync.msP99 && sync.msP99 <= sync.msMax);
  });

  test("stops when its time is over", async () => {
    const limits = { ...LIMITS, syncs: 1_000_000, syncMs: 0, writeMs: 0 };
    const trial = await tryDisk(lookAtDataFolder(newFolder("brief")), limits, async () => {});
    assert.equal(trial.sync?.syncs, 1);
    assert.equal(trial.write?.bytes, 0);
  });

  test("fills no more than an eighth of what is free", async () => {
    const folder = lookAtDataFolder(newFolder("small"));
    const space = { ...folder.space!, freeBytes: 40 * 1024 ** 2 };
    const trial = await tryDisk(
      { ...folder, space },
      { ...LIMITS, writeBytes: 64 * 1024 ** 2 },
      async () => {},
    );
    assert.equal(trial.write?.bytes, 4 * 1024 ** 2);
    const full = await tryDisk({ ...folder, space: { ...space, freeBytes: 1024 } }, LIMITS, async () => {});
    assert.equal(full.write, null);
  });

  test("that fails says why, keeps what it had, and leaves nothing", async () => {
    const path = newFolder("failing");
    let synced = 0;
    const trial = await tryDisk(lookAtDataFolder(path), LIMITS, async () => {
      synced += 1;
      if (synced > 5) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    });
    assert.equal(trial.sync?.syncs, 5);
    assert.equal(trial.write, null);
    assert.equal(trial.fault, "ENOSPC");
    assert.deepEqual(readdirSync(path), []);
  });

  test("interrupted in the middle of a sync removes its file and ends as the signal asks", {
    timeout: 60_000,
  }, async () => {
    const path = newFolder("interrupted");
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { lookAtDataFolder } from ${module("data-folder.ts")};
      import { tryDisk } from ${module("disk-trial.ts")};
      setInterval(() => {}, 1000);
      await tryDisk(lookAtDataFolder(${JSON.stringify(path)}), undefined, () => {
        process.stdout.write("syncing");
        return new Promise(() => {});
      });`;
    const file = join(root, "hold.mjs");
    writeFileSync(file, script);
    const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    assert.equal(readdirSync(path).length, 1);
    child.kill("SIGINT");
    const [code, signal] = await once(child, "exit");
    assert.deepEqual([code, signal], [null, "SIGINT"]);
    assert.deepEqual(readdirSync(path), []);
  });
});

describe("the data folder", () => {
  test("that is not there is looked at where its nearest parent is, and is not made", () => {
    const path = newFolder("parent");
    const folder = lookAtDataFolder(join(path, "not", "there"));
    assert.equal(folder.exists, false);
    assert.equal(folder.path, path);
    assert.equal(folder.fault, null);
    assert.ok(folder.space!.totalBytes > 0);
    assert.ok(!existsSync(join(path, "not")));
  });

  test("that is a file, or lies in one, cannot be used", () => {
    const file = join(newFolder("files"), "file");
    writeFileSync(file, "");
    assert.equal(lookAtDataFolder(file).fault, "it is not a folder");
    assert.equal(lookAtDataFolder(join(file, "data")).fault, "it is not a folder");
  });
});
