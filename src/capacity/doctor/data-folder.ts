// Where the server would store, as it is now: the folder itself, or the nearest of its parents that exists (the doctor
// makes none), and how much room is there. Reads only.

import fs from "node:fs";
import { dirname, resolve } from "node:path";

export interface DataFolder {
  /** As it was given. */
  readonly asked: string;
  /** The folder that is looked at: absolute, without symbolic links. */
  readonly path: string;
  /** False where a parent stands in for it. */
  readonly exists: boolean;
  /** Why it cannot be looked at ("it is not a folder", "EACCES"), or null; whether it takes a file, the trial shows. */
  readonly fault: string | null;
  readonly space: DiskSpace | null;
}

export interface DiskSpace {
  /** What an ordinary user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** 0 of 0 where the file system makes them as it needs them. */
  readonly freeInodes: number;
  readonly totalInodes: number;
}

export function lookAtDataFolder(asked: string): DataFolder {
  const wanted = resolve(asked);
  let path = wanted;
  while (isAbsent(path) && dirname(path) !== path) path = dirname(path);
  const exists = path === wanted;
  try {
    path = fs.realpathSync(path);
    if (!fs.statSync(path).isDirectory()) {
      return { asked, path, exists, fault: "it is not a folder", space: null };
    }

    return { asked, path, exists, fault: null, space: readSpace(path) };
  } catch (error) {
    return { asked, path, exists, fault: codeOf(error), space: readSpace(path) };
  }
}

/** As opposed to being there and hidden from us. */
function isAbsent(path: string): boolean {
  try {
    fs.statSync(path);
    return false;
  } catch (error) {
    return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
  }
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

function readSpace(path: string): DiskSpace | null {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = fs.statfsSync(path);
    return {
      freeBytes: bavail * bsize,
      // As df counts: what is kept for root is neither free nor ours.
      totalBytes: (blocks - bfree + bavail) * bsize,
      freeInodes: ffree,
      totalInodes: files,
    };
  } catch {
    return null;
  }
}
