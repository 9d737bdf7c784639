// For tests: a file system in memory, behind the log's one seam, that can lose power. It knows what was written from what
// is on the disk (model-file.ts, model-directory.ts), and takes as long as it is told for what runs off the event loop.
//
//     what is written       is durable after fdatasync or fsync of its file, size and all; before that any of it may be
//     names                 are durable after fsync of their directory; before that each of them may be
//     a failed sync         reports its error once; what it did not store is clean, and lost with the power
//     past the page cache   is no more durable than through it, and wants offsets, lengths and memory aligned
//     a write in flight     is there whole, in part or not at all when the process dies or the power goes
//
// `onStep` runs before each change and between a hot call's parts: at any of them `afterKill` and `afterPowerCut` make the
// file system that the next run finds. Everything that chance decides comes from the `random` given.

import { basename, dirname } from "node:path";
import { fileError } from "./faulty-files.ts";
import type { FileStat, LogFiles, SyncDone, WriteDone } from "./files.ts";
import { ModelDirectory, type ModelNode } from "./model-directory.ts";
import { MODEL_PAGE_BYTES, ModelFile } from "./model-file.ts";
import type { ModelTime } from "./model-time.ts";

/** As on Node: a buffer's memory starts so far behind a page. */
const MEMORY_HEADER_BYTES = 16;
/** Whole writes of at least this many bytes may be cut in two by a crash. */
const DIVISIBLE_BYTES = 2;

/** So many writes are followed by the kernel storing some of the file at once. */
const WRITE_BACK_SHARE = 0.1;

export interface ModelFault {
  /** How much of the write is done all the same. */
  bytes?: number;
  code?: string;
}

interface OpenFile {
  readonly path: string;
  readonly node: ModelNode;
  readonly direct: boolean;
  /** Hot calls that are under way on it. */
  inFlight: number;
}

interface WriteInFlight {
  readonly file: ModelFile;
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

export class ModelFiles implements LogFiles {
  readonly time: ModelTime;
  readonly root: ModelDirectory;
  private readonly random: () => number;
  private readonly open = new Map<number, OpenFile>();
  private nextFd = 3;
  private readonly writes = new Set<WriteInFlight>();
  private syncs = 0;
  private syncingSinceMs = 0;
  private syncedMs = 0;

  /** Runs before each step; a cold one fails with what it throws. */
  onStep: (call: string, path: string) => void = () => {};
  /** What becomes of a hot write or sync; null lets it be. */
  onWrite: (path: string, length: number) => ModelFault | null = () => null;
  onSync: (path: string) => string | null = () => null;
  /** How long a hot call takes. */
  durationMs: (call: string, path: string) => number = () => 0.05;
  /** What was done against the rules of the seam: a file closed under a call, a descriptor used when closed. */
  readonly violations: string[] = [];

  constructor(time: ModelTime, random: () => number, root = new ModelDirectory()) {
    this.time = time;
    this.random = random;
    this.root = root;
  }

  /** What a process leaves that dies here: all it has written. */
  afterKill(random: () => number): ModelFiles {
    const clones = new Map<ModelNode, ModelNode>();
    const left = new ModelFiles(this.time, random, this.root.clone(clones));
    for (const write of this.writes) {
      const file = clones.get(write.file) as ModelFile | undefined;
      const bytes = random() < 0.3 ? 0 : random() < 0.3 ? write.length : Math.floor(random() * write.length);
      file?.write(write.buffer, write.offset, bytes, write.position);
    }
    return left;
  }

  /** What is on the disk when the power goes here. */
  afterPowerCut(random: () => number): ModelFiles {
    return new ModelFiles(this.time, random, this.afterKill(random).root.afterPowerCut(random));
  }

  /** For how long until now some segment or directory was being synced. */
  get syncingMs(): number {
    return this.syncedMs + (this.syncs > 0 ? this.time.monotonicMs() - this.syncingSinceMs : 0);
  }

  get openCount(): number {
    return this.open.size;
  }

  /** Every file below `path`, by its name from there. */
  contents(path: string): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const walk = (directory: ModelDirectory, prefix: string): void => {
      for (const [name, node] of directory.entries) {
        if (node instanceof ModelDirectory) walk(node, `${prefix}${name}/`);
        else found.set(prefix + name, node.content());
      }
    };
    const directory = this.find(path);
    if (directory instanceof ModelDirectory) walk(directory, "");
    return found;
  }

  /** Whether a power cut could take the file's name. */
  isNamePending(path: string): boolean {
    return this.directoryOf(path).isPending(basename(path));
  }

  /** The kernel stores some of what it has. */
  writeBack(): void {
    const walk = (directory: ModelDirectory): void => {
      for (const node of directory.entries.values()) {
        if (node instanceof ModelDirectory) walk(node);
        else node.writeBack(this.random);
      }
    };
    walk(this.root);
  }

  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: WriteDone,
  ): void {
    const open = this.begin(fd, "write");
    const file = open.node as ModelFile;
    const fault = this.onWrite(open.path, length);
    const misaligned = open.direct && !isAligned(offset, length, position);
    const bytes = misaligned ? 0 : Math.min(length, fault?.bytes ?? length);
    const code = misaligned ? "EINVAL" : fault?.code;
    const write = { file, buffer, offset, length: bytes, position };
    this.writes.add(write);
    this.later("write", open, () => {
      this.writes.delete(write);
      file.write(buffer, offset, bytes, position);
      file.modifiedMs = this.time.wallMs();
      if (this.random() < WRITE_BACK_SHARE) file.writeBack(this.random);
      this.onStep("written", open.path);
      if (code === undefined) done(null, bytes);
      else done(fileError(code), 0);
    });
  }

  fdatasync(fd: number, done: SyncDone): void {
    const open = this.begin(fd, "fdatasync");
    const file = open.node as ModelFile;
    const snapshot = file.snapshot();
    const counts = open.path.endsWith(".jsonl");
    if (counts) this.syncBegins();
    this.later("fdatasync", open, () => {
      if (counts) this.syncEnds();
      const code = this.onSync(open.path);
      if (code === null) file.settle(snapshot);
      else file.drop(snapshot);
      this.onStep("synced", open.path);
      done(code === null ? null : fileError(code));
    });
  }

  fsync(fd: number, done: SyncDone): void {
    const open = this.begin(fd, "fsync");
    if (open.node instanceof ModelFile)
      throw new Error("cannot fsync a file off the event loop; the log has no need");
    const directory = open.node;
    const snapshot = directory.snapshot();
    this.syncBegins();
    this.later("fsync", open, () => {
      this.syncEnds();
      const code = this.onSync(open.path);
      if (code === null) directory.settle(snapshot);
      this.onStep("synced", open.path);
      done(code === null ? null : fileError(code));
    });
  }

  create(path: string): number {
    this.onStep("create", path);
    if (this.find(path) !== null) throw fileError("EEXIST");
    return this.openNode(path, this.make(path));
  }

  createOrTruncate(path: string): number {
    this.onStep("create", path);
    const found = this.find(path);
    if (found instanceof ModelFile) found.truncate(0);
    return this.openNode(path, found ?? this.make(path));
  }

  openRead(path: string): number {
    return this.openNode(path, this.found(path));
  }

  openReadWrite(path: string): number {
    return this.openNode(path, this.found(path));
  }

  openDirect(path: string): number {
    this.onStep("direct", path);
    return this.openNode(path, this.found(path), true);
  }

  openDirectory(path: string): number {
    return this.openNode(path, this.found(path));
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return this.fileOf(fd).read(buffer, offset, length, position);
  }

  writeAll(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): void {
    const { path, direct } = this.of(fd);
    this.onStep("write", path);
    if (direct && !isAligned(offset, length, position)) throw fileError("EINVAL");
    const file = this.fileOf(fd);
    if (length >= DIVISIBLE_BYTES) {
      file.write(buffer, offset, Math.floor(this.random() * length), position);
      this.onStep("write", path);
    }
    file.write(buffer, offset, length, position);
    file.modifiedMs = this.time.wallMs();
  }

  sync(fd: number): void {
    const { node, path } = this.of(fd);
    this.onStep("sync", path);
    if (node instanceof ModelFile) node.settle(node.snapshot());
    else node.settle(node.snapshot());
  }

  ftruncate(fd: number, bytes: number): void {
    this.onStep("truncate", this.of(fd).path);
    const file = this.fileOf(fd);
    file.truncate(bytes);
    file.modifiedMs = this.time.wallMs();
  }

  rename(from: string, to: string): void {
    this.onStep("rename", to);
    this.found(from);
    this.directoryOf(from).rename(basename(from), basename(to));
  }

  unlink(path: string): void {
    this.onStep("unlink", path);
    this.found(path);
    this.directoryOf(path).remove(basename(path));
  }

  readdir(path: string): string[] {
    return [...(this.found(path) as ModelDirectory).entries.keys()];
  }

  stat(path: string): FileStat | null {
    const found = this.find(path);
    if (found === null) return null;
    return found instanceof ModelFile
      ? { bytes: found.bytes, modifiedMs: found.modifiedMs }
      : { bytes: 0, modifiedMs: 0 };
  }

  mkdir(path: string): void {
    this.onStep("mkdir", path);
    if (this.find(path) !== null) throw fileError("EEXIST");
    this.directoryOf(path).put(basename(path), new ModelDirectory());
  }

  fsyncDirectory(path: string): void {
    this.onStep("sync", path);
    const directory = this.found(path) as ModelDirectory;
    directory.settle(directory.snapshot());
  }

  close(fd: number): void {
    if (this.of(fd).inFlight > 0) this.violations.push(`${this.of(fd).path} was closed under a call`);
    this.open.delete(fd);
  }

  private begin(fd: number, call: string): OpenFile {
    const open = this.of(fd);
    this.onStep(call, open.path);
    open.inFlight++;
    return open;
  }

  private later(call: string, open: OpenFile, run: () => void): void {
    this.time.start(
      () => {
        this.onStep(`${call} ends`, open.path);
        open.inFlight--;
        run();
      },
      this.durationMs(call, open.path),
    );
  }

  private syncBegins(): void {
    if (this.syncs++ === 0) this.syncingSinceMs = this.time.monotonicMs();
  }

  private syncEnds(): void {
    if (--this.syncs === 0) this.syncedMs += this.time.monotonicMs() - this.syncingSinceMs;
  }

  private openNode(path: string, node: ModelNode, direct = false): number {
    const fd = this.nextFd++;
    this.open.set(fd, { path, node, direct, inFlight: 0 });
    return fd;
  }

  private of(fd: number): OpenFile {
    const open = this.open.get(fd);
    if (open !== undefined) return open;
    this.violations.push(`descriptor ${fd} was used when closed`);
    throw fileError("EBADF");
  }

  private fileOf(fd: number): ModelFile {
    return this.of(fd).node as ModelFile;
  }

  private make(path: string): ModelFile {
    const file = new ModelFile();
    file.modifiedMs = this.time.wallMs();
    this.directoryOf(path).put(basename(path), file);
    return file;
  }

  private find(path: string): ModelNode | null {
    let node: ModelNode | undefined = this.root;
    for (const name of path.split("/")) {
      if (name === "") continue;
      if (!(node instanceof ModelDirectory)) return null;
      node = node.entries.get(name);
    }
    return node ?? null;
  }

  private found(path: string): ModelNode {
    const node = this.find(path);
    if (node === null) throw fileError("ENOENT");
    return node;
  }

  private directoryOf(path: string): ModelDirectory {
    return this.found(dirname(path)) as ModelDirectory;
  }
}

function isAligned(offset: number, length: number, position: number): boolean {
  return (
    (offset + MEMORY_HEADER_BYTES) % MODEL_PAGE_BYTES === 0 &&
    length % MODEL_PAGE_BYTES === 0 &&
    position % MODEL_PAGE_BYTES === 0
  );
}
