// For tests: real files that fail, stall or write short when told to. It stands at the log's one seam, so that nothing of
// the log itself has to be faked.

import { type FileError, type LogFiles, realFiles, type SyncDone, type WriteDone } from "./files.ts";

export function fileError(code: string): FileError {
  return Object.assign(new Error(`cannot do it because the test said ${code}`), { code });
}

/** What becomes of one write: `bytes` are written (all, where left out), then `code` is reported, if any. */
export interface WriteFate {
  bytes?: number;
  code?: string;
}

export class FaultyFiles implements LogFiles {
  /** Decides the fate of each hot write and sync; null lets it be. */
  onWrite: (position: number, length: number, direct: boolean) => WriteFate | null = () => null;
  onSync: (fd: number) => string | null = () => null;
  onDirectorySync: () => string | null = () => null;
  /** Runs before each cold call that changes something; may throw in its place. */
  onStep: (call: string, path: string) => void = () => {};
  holdWrites = false;
  holdSyncs = false;
  readonly heldWrites: (() => void)[] = [];
  readonly heldSyncs: (() => void)[] = [];
  syncCount = 0;
  writesInFlight = 0;
  private readonly directFds = new Set<number>();
  private readonly pathOf = new Map<number, string>();

  releaseWrites(): void {
    for (const run of this.heldWrites.splice(0)) run();
  }

  releaseSyncs(): void {
    for (const run of this.heldSyncs.splice(0)) run();
  }

  path(fd: number): string {
    return this.pathOf.get(fd) ?? "";
  }

  /** Index files go their way unharmed: they are best effort, and tests would count their writes. */
  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: WriteDone,
  ): void {
    if (!this.path(fd).endsWith(".jsonl")) {
      realFiles.write(fd, buffer, offset, length, position, done);
      return;
    }
    this.writesInFlight++;
    const run = () => {
      const fate = this.onWrite(position, length, this.directFds.has(fd));
      realFiles.write(fd, buffer, offset, fate?.bytes ?? length, position, (error, bytes) => {
        this.writesInFlight--;
        if (fate?.code === undefined) done(error, bytes);
        else done(fileError(fate.code), 0);
      });
    };
    if (this.holdWrites) this.heldWrites.push(run);
    else run();
  }

  fdatasync(fd: number, done: SyncDone): void {
    if (!this.path(fd).endsWith(".jsonl")) {
      realFiles.fdatasync(fd, done);
      return;
    }
    const run = () => {
      this.syncCount++;
      const code = this.onSync(fd);
      realFiles.fdatasync(fd, (error) => done(code === null ? error : fileError(code)));
    };
    if (this.holdSyncs) this.heldSyncs.push(run);
    else run();
  }

  fsync(fd: number, done: SyncDone): void {
    const code = this.onDirectorySync();
    realFiles.fsync(fd, (error) => done(code === null ? error : fileError(code)));
  }

  create(path: string): number {
    this.onStep("create", path);
    return this.remember(realFiles.create(path), path);
  }

  createOrTruncate(path: string): number {
    this.onStep("create", path);
    return this.remember(realFiles.createOrTruncate(path), path);
  }

  openRead(path: string): number {
    return this.remember(realFiles.openRead(path), path);
  }

  openReadWrite(path: string): number {
    return this.remember(realFiles.openReadWrite(path), path);
  }

  openDirect(path: string): number {
    this.onStep("direct", path);
    const fd = this.remember(realFiles.openDirect(path), path);
    this.directFds.add(fd);
    return fd;
  }

  openDirectory(path: string): number {
    return this.remember(realFiles.openDirectory(path), path);
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return realFiles.read(fd, buffer, offset, length, position);
  }

  writeAll(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): void {
    this.onStep("write", this.path(fd));
    realFiles.writeAll(fd, buffer, offset, length, position);
  }

  sync(fd: number): void {
    this.onStep("sync", this.path(fd));
    realFiles.sync(fd);
  }

  ftruncate(fd: number, bytes: number): void {
    this.onStep("truncate", this.path(fd));
    realFiles.ftruncate(fd, bytes);
  }

  rename(from: string, to: string): void {
    this.onStep("rename", to);
    realFiles.rename(from, to);
  }

  unlink(path: string): void {
    this.onStep("unlink", path);
    realFiles.unlink(path);
  }

  readdir(path: string): string[] {
    return realFiles.readdir(path);
  }

  stat(path: string) {
    return realFiles.stat(path);
  }

  mkdir(path: string): void {
    this.onStep("mkdir", path);
    realFiles.mkdir(path);
  }

  fsyncDirectory(path: string): void {
    this.onStep("sync", path);
    realFiles.fsyncDirectory(path);
  }

  close(fd: number): void {
    if (this.writesInFlight > 0 && this.path(fd).endsWith(".jsonl") && this.heldWrites.length > 0)
      throw new Error("a segment was closed under a write");
    this.pathOf.delete(fd);
    this.directFds.delete(fd);
    realFiles.close(fd);
  }

  private remember(fd: number, path: string): number {
    this.pathOf.set(fd, path);
    return fd;
  }
}
