// A disk that is really full: a small file system of its own, in a mount name space of its own, which a holder process
// keeps. The server enters it by words before its command; the test reads and writes it through the holder's /proc. When
// the holder ends (and it does when this process does) the disk is gone, whatever happened.
//
// "memory" is a tmpfs; "ext4" is an ext4 on a file, through a loop device.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, truncateSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually, newDataFolder, pause } from "../support/server-process.ts";

export type DiskKind = "memory" | "ext4";

const MIB = 1024 * 1024;
const BLOCK = Buffer.alloc(MIB, "x");
/** The holder ends when its standard input does. */
const HOLD = "echo held; exec cat > /dev/null";

export class SmallDisk {
  private readonly holder: ChildProcess;
  private readonly mount: string;

  private constructor(holder: ChildProcess, mount: string) {
    this.holder = holder;
    this.mount = mount;
  }

  static async make(bytes: number, kind: DiskKind): Promise<SmallDisk> {
    const mount = join(dirname(newDataFolder()), "small-disk");
    mkdirSync(mount);
    const holder = spawn("unshare", ["-m", "sh", "-c", `${mounting(mount, bytes, kind)} && ${HOLD}`, mount], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [holder.stdout, holder.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    await eventually("the disk is mounted", () => {
      if (holder.exitCode !== null) throw new Error(`cannot make a ${kind} disk: ${said}`);
      return said.includes("held");
    });
    // an unread end would otherwise keep a test process alive
    holder.unref();
    for (const stream of holder.stdio) (stream as { unref?(): void } | null)?.unref?.();
    return new SmallDisk(holder, mount);
  }

  /** Words before a command that shall see the disk. */
  get wrapper(): readonly string[] {
    return ["nsenter", "-t", `${this.holder.pid}`, "-m"];
  }

  /** The data folder, as the server sees it. */
  get data(): string {
    return join(this.mount, "data");
  }

  /** The data folder, as this process sees it. */
  get dataFromHere(): string {
    return this.fromHere("data");
  }

  fromHere(name: string): string {
    return `/proc/${this.holder.pid}/root${join(this.mount, name)}`;
  }

  get bytesFree(): number {
    const { bavail, bsize } = statfsSync(this.fromHere(""));
    return bavail * bsize;
  }

  /** A foreign file takes all the room but `bytesLeft`. */
  fill(bytesLeft = 0): void {
    const fd = openSync(this.fromHere("ballast"), "a");
    try {
      for (;;) {
        const room = this.bytesFree - bytesLeft;
        if (room <= 0 || writeSync(fd, BLOCK, 0, Math.min(BLOCK.length, room)) === 0) return;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** The foreign file goes. Its room is there when this returns. */
  free(): void {
    rmSync(this.fromHere("ballast"), { force: true });
  }

  /** Ends it; nothing may use it any more. */
  async remove(): Promise<void> {
    this.holder.stdin!.end();
    while (this.holder.exitCode === null && this.holder.signalCode === null) await pause(5);
  }
}

function mounting(mount: string, bytes: number, kind: DiskKind): string {
  if (kind === "memory") return `mount -t tmpfs -o size=${bytes},mode=0700 tmpfs "$0"`;
  const image = `${mount}.img`;
  closeSync(openSync(image, "w"));
  truncateSync(image, bytes);
  const made = spawnSync("mkfs.ext4", ["-q", "-F", "-m", "0", image], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`cannot make an ext4 file system: ${made.error ?? made.stderr}`);
  return `mount -o loop "$0.img" "$0"`;
}
