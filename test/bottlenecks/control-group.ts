// A control group of this process's making with a CPU quota, for one process and what it starts. Version 1 has a tree
// for the CPU alone; version 2 has one tree, where the CPU's files are there only if the parent hands them on.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PERIOD_US = 100_000;
const PARENT_V1 = "/sys/fs/cgroup/cpu";
const PARENT_V2 = "/sys/fs/cgroup";
/** A group can go only when the last of its processes has; the kernel takes a moment over that. */
const REMOVAL_TRIES = 200;
const REMOVAL_TRY_MS = 10;

const groups = new Set<ControlGroup>();
let made = 0;

export class ControlGroup {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
    groups.add(this);
  }

  /** Throws where it is not permitted. */
  static make(cores: number): ControlGroup {
    const isV1 = existsSync(join(PARENT_V1, "cpu.cfs_quota_us"));
    const folder = join(isV1 ? PARENT_V1 : PARENT_V2, `tidemark-test-${process.pid}-${++made}`);
    mkdirSync(folder);
    const group = new ControlGroup(folder);
    try {
      if (isV1) {
        writeFileSync(join(folder, "cpu.cfs_period_us"), `${PERIOD_US}`);
        writeFileSync(join(folder, "cpu.cfs_quota_us"), `${PERIOD_US * cores}`);
      } else {
        if (!existsSync(join(folder, "cpu.max"))) throw new Error("the CPU is not handed on to groups here");
        writeFileSync(join(folder, "cpu.max"), `${PERIOD_US * cores} ${PERIOD_US}`);
      }
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }

  /** Takes in the process with all its threads; what it starts later is in it too. */
  take(pid: number): void {
    writeFileSync(join(this.folder, "cgroup.procs"), `${pid}`);
  }

  /** For when its processes have ended. */
  remove(): void {
    groups.delete(this);
    for (let tries = 0; tries < REMOVAL_TRIES && existsSync(this.folder); tries++) {
      try {
        rmdirSync(this.folder);
      } catch {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REMOVAL_TRY_MS);
      }
    }
  }
}

/** Periods in which the group of that process was held back so far. */
export function throttledPeriods(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  const v1 = /^\d+:cpu(?:,cpuacct)?:(.*tidemark-test.*)$/m.exec(groups)?.[1];
  const folder = v1 === undefined ? PARENT_V2 + /^0::(.*)$/m.exec(groups)![1]! : PARENT_V1 + v1;
  return Number(/^nr_throttled (\d+)$/m.exec(readFileSync(join(folder, "cpu.stat"), "utf8"))![1]);
}

let reason: string | null | undefined;

/** Why no group with a quota can be made here, or null. */
export function withoutControlGroup(): string | null {
  if (reason !== undefined) return reason;
  try {
    ControlGroup.make(1).remove();
    reason = null;
  } catch (error) {
    reason = `no control group with a CPU quota here: ${(error as Error).message}`;
  }
  return reason;
}

process.on("exit", () => {
  for (const group of groups) group.remove();
});
