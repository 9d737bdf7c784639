// The durable cursors of one follower: `<data>/followers/<name>.json`, one file for all lanes, replaced as a whole. It may lag
// behind what is done, never be ahead of it: after a crash some lines are followed twice, none is left out.
// The server reads these files too: what a follower still needs is not deleted by retention. To give a follower up, delete
// its file.

import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TidemarkError } from "../errors.ts";
import type { LogFiles } from "../log/files.ts";
import { replaceFile } from "../log/replace-file.ts";
import { LaneCursor } from "./lane-cursor.ts";

export const FOLLOWERS_FOLDER = "followers";
/** The name of the follower that `serve --replicate` is. */
export const REPLICATE_FOLLOWER = "replicate";

interface Stored {
  version: 1;
  /** Tells this folder's lines from those of any other, whatever the machines are called. */
  origin: string;
  /** Where a follower that looks after what it has done sends it. */
  destination?: string;
  /** `checked` only where the follower looks after what it has done. */
  lanes: Record<string, { fresh: number; late: [number, number][]; checked?: number }>;
}

export class CursorFile {
  private readonly files: LogFiles;
  private readonly folder: string;
  private readonly path: string;
  origin: string;
  private destination = "";
  /** By the lane's folder name. */
  readonly lanes = new Map<string, LaneCursor>();

  /** Reads what is there, or begins anew. Throws TidemarkError where the file is none of ours. */
  constructor(files: LogFiles, dataFolder: string, name: string) {
    this.files = files;
    this.folder = join(dataFolder, FOLLOWERS_FOLDER);
    this.path = join(this.folder, `${name}.json`);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const stored = readCursors(this.path);
    this.origin = stored?.origin ?? newOrigin();
    this.destination = stored?.destination ?? "";
    for (const [lane, { fresh, late, checked }] of Object.entries(stored?.lanes ?? {})) {
      const ranges = late.map(([from, to]) => ({ from, to }));
      this.lanes.set(lane, new LaneCursor(fresh, ranges, checked));
    }
    if (stored === null) this.save();
  }

  cursorOf(lane: string): LaneCursor {
    let cursor = this.lanes.get(lane);
    if (cursor === undefined) {
      cursor = new LaneCursor();
      this.lanes.set(lane, cursor);
    }
    return cursor;
  }

  /** From here on the lines count as another folder's: their numbers have been used before. */
  renew(): void {
    this.origin = newOrigin();
    this.forgetDone();
    this.save();
  }

  /** What was done goes somewhere else than it will: nobody there knows of it. */
  sendTo(destination: string): void {
    if (destination === this.destination) return;
    this.destination = destination;
    this.forgetDone();
    this.save();
  }

  /** What is done is not looked after any more. */
  private forgetDone(): void {
    for (const cursor of this.lanes.values()) cursor.checked = cursor.fresh;
  }

  /** On the disk when it returns. Throws the file system's error. */
  save(): void {
    const lanes: Stored["lanes"] = {};
    for (const [lane, { fresh, left, checked }] of this.lanes)
      lanes[lane] = { fresh, late: left.map(({ from, to }) => [from, to]), ...(checked > 0 && { checked }) };
    const { origin, destination } = this;
    const stored: Stored = { version: 1, origin, ...(destination !== "" && { destination }), lanes };
    const bytes = Buffer.from(`${JSON.stringify(stored)}\n`);
    replaceFile(this.files, this.path, bytes);
  }
}

/** The first line of the lane that some follower still needs; Infinity where none follows. A file or folder that cannot be read needs all. */
export function neededFrom(dataFolder: string, lane: string): number {
  let needed = Number.POSITIVE_INFINITY;
  try {
    for (const name of followerFiles(dataFolder)) {
      const stored = readCursors(join(dataFolder, FOLLOWERS_FOLDER, name));
      if (stored === null) continue;
      const cursor = stored.lanes[lane];
      needed = Math.min(needed, cursor?.late[0]?.[0] ?? cursor?.fresh ?? 0);
    }
  } catch {
    return 0;
  }
  return needed;
}

function followerFiles(dataFolder: string): string[] {
  try {
    return readdirSync(join(dataFolder, FOLLOWERS_FOLDER)).filter((name) => name.endsWith(".json"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Null where there is no such file. */
function readCursors(path: string): Stored | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new TidemarkError(`cannot read ${path} because of ${(error as NodeJS.ErrnoException).code}`);
  }
  const stored = tryParse(text);
  if (stored === null)
    throw new TidemarkError(
      `cannot use ${path} because it holds no cursors; delete it to follow the log from its beginning again`,
    );
  return stored;
}

function tryParse(text: string): Stored | null {
  try {
    const stored: Stored = JSON.parse(text);
    if (stored.version !== 1 || !/^[0-9a-f]{16}$/.test(stored.origin)) return null;
    if (typeof (stored.destination ?? "") !== "string") return null;
    const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
    const isGood = Object.values(stored.lanes).every(
      ({ fresh, late, checked = 0 }) =>
        isCount(fresh) && isCount(checked) && late.flat().every(isCount) && areApart(late, fresh),
    );
    return isGood ? stored : null;
  } catch {
    return null;
  }
}

/** Ranges as a cursor has them: ascending, none empty, none in another or behind `fresh`. */
function areApart(late: readonly [number, number][], fresh: number): boolean {
  return late.every(([from, to], at) => from < to && from >= (late[at - 1]?.[1] ?? 0) && to <= fresh);
}

function newOrigin(): string {
  return randomBytes(8).toString("hex");
}
