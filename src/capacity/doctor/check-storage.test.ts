import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BatchDecoder, linesBytesMax } from "../../metric/batch-decoder.ts";
import {
  checkDataFolder,
  checkSpace,
  checkSyncSpeed,
  checkWriteSpeed,
  EXAMPLE_LINE,
  LINE_BYTES,
} from "./check-storage.ts";
import type { DataFolder, DiskSpace } from "./data-folder.ts";
import type { DiskTrial } from "./disk-trial.ts";
import { findFileSystem, kindOf, parseMountInfo } from "./file-system.ts";
import { BARE, commandsOf, linux, macos } from "./machine-bed.ts";

const GIB = 1024 ** 3;
const ROOMY: DiskSpace = { freeBytes: 500 * GIB, totalBytes: 1000 * GIB, freeInodes: 1e8, totalInodes: 1e8 };
const folderAt = (path: string, more: Partial<DataFolder> = {}): DataFolder => ({
  asked: "./data",
  path,
  exists: true,
  fault: null,
  space: ROOMY,
  ...more,
});
const trialOf = (msP50: number, msP99: number, bytesPerSecond = 100e6): DiskTrial => ({
  sync: { syncs: 200, msP50, msP99, msMax: msP99 },
  write: { bytes: bytesPerSecond, ms: 1000 },
  fault: null,
});
const FAILED: DiskTrial = { sync: null, write: null, fault: "EROFS" };

describe("the example line", () => {
  test("is what the server stores for such a metric", () => {
    const encoder = new TextEncoder();
    const { client: _, ...metric } = JSON.parse(EXAMPLE_LINE);
    const { ts: timestamp, ...fields } = metric;
    const body = encoder.encode(JSON.stringify({ metrics: [{ ...fields, timestamp }] }));
    const client = encoder.encode("agent-1");
    const out = new Uint8Array(linesBytesMax(body.length, 1, client.length));
    const decoder = new BatchDecoder(1);
    assert.equal(decoder.decode(body, 0, body.length, out, 0, 1, client), 1, decoder.describeRefusal());
    assert.equal(new TextDecoder().decode(out.subarray(0, decoder.outEnd)), EXAMPLE_LINE);
    assert.equal(LINE_BYTES, decoder.outEnd);
  });
});

describe("the file system", () => {
  test("is that of the deepest mount above the folder, and of two on one point the later", () => {
    const typeOf = (path: string) => findFileSystem(linux(), path)?.type;
    assert.equal(typeOf("/home/data"), "ext4");
    assert.equal(typeOf("/"), "ext4");
    assert.equal(typeOf("/mnt/a disk/data"), "xfs");
    assert.equal(typeOf("/run"), "tmpfs");
    assert.equal(typeOf("/running"), "ext4");
    assert.equal(typeOf("/srv/data"), "overlay");
    assert.equal(typeOf("/var/lib/nfs/data"), "nfs4");
    assert.equal(findFileSystem(BARE, "/"), null);
  });

  test("on macOS is read from mount", () => {
    assert.equal(findFileSystem(macos(), "/Volumes/share/data")?.kind, "network");
    assert.equal(findFileSystem(macos(), "/System/Volumes/Data/data")?.type, "apfs");
  });

  test("says whether a sync reaches a disk of this machine", () => {
    assert.deepEqual(["tmpfs", "overlay", "nfs4", "9p", "virtiofs", "fuse.sshfs", "cifs"].map(kindOf), [
      "memory",
      "layer",
      "network",
      "network",
      "network",
      "network",
      "network",
    ]);
    assert.deepEqual(["ext4", "xfs", "btrfs", "zfs", "apfs", "fuseblk"].map(kindOf), Array(6).fill("local"));
  });

  test("rows of mountinfo that are cut or foreign are passed over", () => {
    assert.deepEqual(parseMountInfo("nonsense\n22 27 0:21 / /proc rw"), []);
    assert.deepEqual(parseMountInfo(null), []);
  });
});

describe("the data folder", () => {
  const verdictAt = (path: string) => checkDataFolder(linux(), folderAt(path), trialOf(1, 2)).verdict;

  test("on a disk is fine; in memory, in a container's layer or over a network is a warning", () => {
    assert.equal(verdictAt("/home"), "ok");
    for (const path of ["/run/data", "/srv/data", "/var/lib/nfs"])
      assert.equal(verdictAt(path), "warn", path);
  });

  test("that is not there yet says which folder was looked at instead", () => {
    const finding = checkDataFolder(linux(), folderAt("/home", { exists: false }), trialOf(1, 2));
    assert.equal(finding.found, "./data is not there yet: looked at /home (ext4)");
  });

  test("that takes no file is bad, and says why", () => {
    const denied = checkDataFolder(linux(), folderAt("/home", { fault: "EACCES" }), FAILED);
    assert.equal(denied.verdict, "bad");
    assert.match(denied.means, /EACCES/);
    assert.equal(commandsOf(denied, "linux")[0], 'sudo install -d -o "$(id -un)" -m 700 "./data"');
    assert.equal(checkDataFolder(linux(), folderAt("/proc"), { ...FAILED, fault: "ENOENT" }).verdict, "bad");
  });

  test("on a file system that nobody names is unknown", () => {
    assert.equal(checkDataFolder(BARE, folderAt("/home"), trialOf(1, 2)).verdict, "unknown");
  });
});

describe("sync speed", () => {
  const check = (trial: DiskTrial, path = "/home") => checkSyncSpeed(linux(), folderAt(path), trial);

  test("is what --ack synced can do", () => {
    const finding = check(trialOf(0.5, 2));
    assert.equal(finding.verdict, "ok");
    assert.match(finding.means, /^--ack synced: 2,000 commits a second/);
    assert.deepEqual(finding.bounds, [{ kind: "syncs-per-second", amount: 2_000 }]);
  });

  test("slow, or slower than the background's own beat, is a warning", () => {
    assert.equal(check(trialOf(12, 40)).verdict, "warn");
    const behind = check(trialOf(5, 150));
    assert.equal(behind.verdict, "warn");
    assert.match(behind.means, /100 ms between background syncs/);
  });

  test("as fast as memory is doubted, unless it is memory", () => {
    assert.match(check(trialOf(0.02, 0.03)).means, /a cache/);
    assert.doesNotMatch(check(trialOf(0.02, 0.03), "/run").means, /a cache/);
  });

  test("is unknown where the folder could not be tried", () => {
    assert.equal(check(FAILED).verdict, "unknown");
    assert.match(check(FAILED).means, /EROFS/);
  });
});

describe("write speed", () => {
  test("is said in metrics", () => {
    const finding = checkWriteSpeed(trialOf(1, 2, LINE_BYTES * 50_000));
    assert.equal(finding.verdict, "ok");
    assert.deepEqual(finding.bounds, [{ kind: "metrics-per-second", amount: 50_000 }]);
    assert.equal(checkWriteSpeed(trialOf(1, 2, LINE_BYTES * 9_999)).verdict, "warn");
  });

  test("is unknown where there was no room or no right to try", () => {
    assert.match(checkWriteSpeed({ ...trialOf(1, 2), write: null }).means, /too little room/);
    assert.match(checkWriteSpeed(FAILED).means, /EROFS/);
  });
});

describe("free space", () => {
  const check = (space: Partial<DiskSpace>) =>
    checkSpace(folderAt("/home", { space: { ...ROOMY, ...space } }));

  test("is how long it lasts at 10,000 metrics a second", () => {
    const day = 86_400 * 10_000 * LINE_BYTES;
    assert.match(check({ freeBytes: 3 * day }).means, /^lasts 3 days/);
    assert.equal(check({ freeBytes: day }).verdict, "ok");
    const finding = check({ freeBytes: day - 1 });
    assert.equal(finding.verdict, "warn");
    assert.equal(commandsOf(finding, "linux")[0], "tidemark serve --retention-size 70GiB");
  });

  test("for less than the open segments is bad", () => {
    assert.equal(check({ freeBytes: 100 * 1024 ** 2 }).verdict, "bad");
  });

  test("ends with the inodes where these end first, and never where they are made as needed", () => {
    const few = check({ freeInodes: 200, totalInodes: 1e6 });
    assert.equal(few.verdict, "warn");
    assert.match(few.means, /inodes end before bytes/);
    assert.equal(check({ freeInodes: 0, totalInodes: 0 }).verdict, "ok");
  });

  test("is unknown where the file system does not tell", () => {
    assert.equal(checkSpace(folderAt("/home", { space: null })).verdict, "unknown");
  });
});
