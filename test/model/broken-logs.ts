// Logs that are broken on purpose, to see that the simulation notices. Each break is put where the log meets its files, so
// that the log itself stays as it is: a sync that the log leaves out is one that does nothing here.

import type { LogFiles } from "../../src/log/files.ts";
import type { ModelFiles } from "../../src/log/model-files.ts";
import type { Between } from "./restart.ts";

type Break = (files: ModelFiles, opened: ReadonlyMap<number, string>) => Partial<LogFiles>;

/** The model's files with some calls replaced; `opened` says which file a descriptor is of. */
function broken(replace: Break): Between {
  return (files) => {
    const opened = new Map<number, string>();
    const remember = (path: string, fd: number): number => {
      opened.set(fd, path);
      return fd;
    };
    const whole: LogFiles = {
      write: (...call) => files.write(...call),
      fdatasync: (...call) => files.fdatasync(...call),
      fsync: (...call) => files.fsync(...call),
      create: (path) => remember(path, files.create(path)),
      createOrTruncate: (path) => remember(path, files.createOrTruncate(path)),
      openRead: (path) => remember(path, files.openRead(path)),
      openReadWrite: (path) => remember(path, files.openReadWrite(path)),
      openDirect: (path) => remember(path, files.openDirect(path)),
      openDirectory: (path) => remember(path, files.openDirectory(path)),
      read: (...call) => files.read(...call),
      writeAll: (...call) => files.writeAll(...call),
      sync: (fd) => files.sync(fd),
      ftruncate: (...call) => files.ftruncate(...call),
      rename: (...call) => files.rename(...call),
      unlink: (path) => files.unlink(path),
      readdir: (path) => files.readdir(path),
      stat: (path) => files.stat(path),
      mkdir: (path) => files.mkdir(path),
      fsyncDirectory: (path) => files.fsyncDirectory(path),
      close: (fd) => files.close(fd),
    };
    return { ...whole, ...replace(files, opened) };
  };
}

export const brokenLogs: Readonly<Record<string, Between>> = {
  "answers before the sync has returned": broken((files) => ({
    fdatasync: (fd, done) => {
      files.fdatasync(fd, () => {});
      files.time.schedule(() => done(null));
    },
  })),
  "does not sync a new segment's directory": broken((files) => ({
    fsync: (_fd, done) => files.time.schedule(() => done(null)),
  })),
  "tries a failed sync again": broken((files) => ({
    fdatasync: (fd, done) =>
      files.fdatasync(fd, (error) => (error === null ? done(null) : files.fdatasync(fd, done))),
  })),
  "takes a failed sync for a good one": broken((files) => ({
    fdatasync: (fd, done) => files.fdatasync(fd, () => done(null)),
  })),
  "does not sync within the interval": broken((files) => ({
    fdatasync: (fd, done) => {
      files.time.start(() => files.fdatasync(fd, done), 150);
    },
  })),
  "answers a write before it has returned": broken((files) => ({
    write: (fd, buffer, offset, length, position, done) => {
      files.write(fd, buffer.slice(), offset, length, position, () => {});
      files.time.schedule(() => done(null, length));
    },
  })),
  "takes a failed write for a good one": broken((files) => ({
    write: (fd, buffer, offset, length, position, done) =>
      files.write(fd, buffer, offset, length, position, () => done(null, length)),
  })),
  "takes a short write for a whole one": broken((files) => ({
    write: (fd, buffer, offset, length, position, done) =>
      files.write(fd, buffer, offset, length, position, (error) => done(error, length)),
  })),
  "does not cut a failed write off again": broken(() => ({ ftruncate: () => {} })),
  "does not sync what recovery has cut": broken((files, opened) => ({
    sync: (fd) => {
      if (!opened.get(fd)?.endsWith(".jsonl")) files.sync(fd);
    },
  })),
  "does not sync what it puts into quarantine": broken((files, opened) => ({
    sync: (fd) => {
      if (!opened.get(fd)?.includes("/quarantine/")) files.sync(fd);
    },
  })),
  "does not sync the names in the quarantine": broken((files) => ({
    fsyncDirectory: (path) => {
      if (!path.endsWith("/quarantine")) files.fsyncDirectory(path);
    },
  })),
  "does not sync the names that recovery changes": broken((files) => ({
    fsyncDirectory: (path) => {
      if (!path.endsWith("/lane-0")) files.fsyncDirectory(path);
    },
  })),
};
