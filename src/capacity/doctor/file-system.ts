// Which file system a folder is on, and of what kind: whether a sync there reaches a disk of this machine at all.
// Formats: /proc/self/mountinfo of proc(5); what mount(8) prints on macOS. Pure but for the seam.

import type { Machine } from "./machine.ts";

export interface FileSystem {
  /** "ext4", "apfs", "nfs4", "fuse.sshfs" … */
  readonly type: string;
  readonly mountPoint: string;
  readonly kind: FileSystemKind;
}

export type FileSystemKind =
  | "local"
  /** Gone at the next start of the machine; a sync does nothing. */
  | "memory"
  /** A container's own layer: gone with the container, and slower than a volume. */
  | "layer"
  /** A sync goes over a network, or to a host outside this virtual machine. */
  | "network";

const MEMORY = ["tmpfs", "ramfs", "rootfs"];
const LAYER = ["overlay", "overlayfs", "aufs"];
const NETWORK =
  /^(nfs\d?|cifs|smb\d?|smbfs|afpfs|webdav|9p|virtiofs|vboxsf|ceph|glusterfs|lustre|gpfs|beegfs|afs|ocfs2|gfs2|fuse(\..*)?|macfuse|osxfuse)$/;

export function findFileSystem(machine: Machine, path: string): FileSystem | null {
  const mounts =
    machine.platform === "macos"
      ? parseMount(machine.run("mount", []))
      : parseMountInfo(machine.readText("/proc/self/mountinfo"));
  let best: Mount | null = null;
  for (const mount of mounts) {
    const isAbove = path === mount.point || path.startsWith(mount.point === "/" ? "/" : `${mount.point}/`);
    // Of two on one point the later covers the earlier.
    if (isAbove && (best === null || mount.point.length >= best.point.length)) best = mount;
  }
  return best === null ? null : { type: best.type, mountPoint: best.point, kind: kindOf(best.type) };
}

export function kindOf(type: string): FileSystemKind {
  if (MEMORY.includes(type)) return "memory";
  if (LAYER.includes(type)) return "layer";
  // fuseblk is a disk of this machine (ntfs-3g, exfat).
  return NETWORK.test(type) ? "network" : "local";
}

export interface Mount {
  readonly point: string;
  readonly type: string;
}

/** `27 1 254:0 / /mnt/a\040b rw,relatime - ext4 /dev/vda rw`: optional fields stand before the dash. */
export function parseMountInfo(text: string | null): Mount[] {
  const mounts: Mount[] = [];
  for (const row of (text ?? "").split("\n")) {
    const match = /^\d+ \d+ \S+ \S+ (\S+) .*?- (\S+) \S+ \S+$/.exec(row);
    if (match === null) continue;
    const point = match[1]!.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    // The seam reads bytes; a path of the runtime's is text.
    mounts.push({
      point: Buffer.from(point, "latin1").toString("utf8"),
      type: match[2]!,
    });
  }
  return mounts;
}

/** `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)`. */
function parseMount(text: string | null): Mount[] {
  const rows = (text ?? "").matchAll(/^.+? on (\/.*) \(([^,)]+)[^)]*\)$/gm);
  return [...rows].map((row) => ({ point: row[1]!, type: row[2]! }));
}
