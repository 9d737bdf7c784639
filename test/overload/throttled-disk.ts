// A disk of a few megabytes a second, for real: a file system of its own on a loop device, mounted so that each write
// waits for the device (`-o sync`), in a mount name space of the server's own; and a control group (version 1) that holds
// the server's writes to the device down to a rate. Takes root; nothing of the machine's own is changed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { newDataFolder, type ServerProcess, startServer } from "../support/server-process.ts";

const GROUPS = "/sys/fs/cgroup/blkio";
const IMAGE_BYTES = 4 * 1024 ** 3;
/** A control group can go only when the last of its processes has; the kernel takes a moment over that. */
const REMOVAL_TRIES = 200;
const REMOVAL_TRY_MS = 10;

const OUTPUT_BYTES_MAX = 256 * 1024 ** 2;
const disks = new Set<ThrottledDisk>();
let made = 0;

export class ThrottledDisk {
  private readonly folder = dirname(newDataFolder());
  private readonly mount = join(this.folder, "slow-disk");
  private readonly group = join(GROUPS, `tidemark-test-${process.pid}-${++made}`);
  private readonly device: string;

  private constructor(bytesPerS: number) {
    const image = join(this.folder, "slow-disk.image");
    writeFileSync(image, "");
    truncateSync(image, IMAGE_BYTES);
    mkdirSync(this.mount);
    run("mkfs.ext4", ["-q", "-O", "^has_journal", image]);
    this.device = run("losetup", ["--show", "-f", image]).trim();
    disks.add(this);
    mkdirSync(this.group);
    const number = readFileSync(`/sys/block/${basename(this.device)}/dev`, "utf8").trim();
    writeFileSync(join(this.group, "blkio.throttle.write_bps_device"), `${number} ${bytesPerS}`);
  }

  /** Throws where it is not permitted. */
  static make(bytesPerS: number): ThrottledDisk {
    return new ThrottledDisk(bytesPerS);
  }

  startServer(flags: readonly string[], wrapper: readonly string[] = []): Promise<ServerProcess> {
    const script = 'mount "$0" "$1" && echo $$ > "$2/cgroup.procs" && shift 2 && exec "$@"';
    return startServer(flags, {
      data: join(this.mount, "data"),
      wrapper: ["unshare", "-m", "sh", "-c", script, this.device, this.mount, this.group, ...wrapper],
    });
  }

  /** What the log holds, as text; for when its server has ended. */
  readLog(): string {
    const script = 'mount "$0" "$1" && cat "$1"/data/lane-*/*.jsonl';
    return run("unshare", ["-m", "sh", "-c", script, this.device, this.mount]);
  }

  /** For when its server has ended. */
  remove(): void {
    disks.delete(this);
    spawnSync("losetup", ["-d", this.device]);
    for (let tries = 0; tries < REMOVAL_TRIES && existsSync(this.group); tries++) {
      try {
        rmdirSync(this.group);
      } catch {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REMOVAL_TRY_MS);
      }
    }
  }
}

/** Why no such disk can be made here, or null. */
export function withoutThrottledDisk(): string | null {
  try {
    ThrottledDisk.make(1_000_000).remove();
    return null;
  } catch (error) {
    return `no throttled disk here: ${(error as Error).message}`;
  }
}

function run(program: string, words: readonly string[]): string {
  const ended = spawnSync(program, words, {
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  if (ended.status !== 0) throw new Error(`${program}: ${ended.error?.message ?? ended.stderr.trim()}`);
  return ended.stdout;
}

process.on("exit", () => {
  for (const disk of disks) disk.remove();
});
