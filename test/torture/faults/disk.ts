import { spawnSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attachInjection, DATA_SYNCS, type Injection, limitFileSize, WRITES } from "../../disk/injection.ts";
import { segmentFiles } from "../../support/log-files.ts";
import type { Bed } from "../bed.ts";
import type { Fault } from "../fault.ts";

/** How long the disk behaves so, milliseconds. */
const FAULTY_MS = { least: 500, most: 2_500 };
/** What each file may still grow, bytes: the write that reaches it is a short one. */
const ROOM_BYTES_MAX = 50_000;

/** The server's own system calls fail, or are late, for a while; then the disk is as it was. */
function diskFault(name: string, what: string, promise: Fault["promise"], injection: Injection): Fault {
  return {
    name,
    what,
    injected: `strace attached to the running server: ${injection.calls}, ${injection.fault}`,
    promise,
    missing: () => (spawnSync("strace", ["-V"]).status === 0 ? null : "strace was not found"),
    async run(bed: Bed) {
      await bed.load(50, 300);
      const log = join(tmpdir(), `tidemark-torture-calls-${process.pid}`);
      const attached = await attachInjection(bed.server.child.pid!, log, [injection]);
      try {
        await bed.load(FAULTY_MS.least, FAULTY_MS.most);
      } finally {
        await attached.detach();
        rmSync(log, { force: true });
      }
    },
  };
}

export const WRITES_FAIL = diskFault("writes fail", "every second write fails with EIO", "false-200", {
  calls: WRITES,
  fault: "error=EIO",
  when: "1+2",
});
export const NO_ROOM = diskFault("no room", "every write says that the disk is full", "disk-full", {
  calls: WRITES,
  fault: "error=ENOSPC",
});
export const SYNCS_FAIL = diskFault("syncs fail", "every third sync fails with EIO", "soak", {
  calls: DATA_SYNCS,
  fault: "error=EIO",
  when: "1+3",
});
export const SYNCS_SLOW = diskFault("syncs slow", "every sync takes 0.2 s longer", "soak", {
  calls: DATA_SYNCS,
  fault: "delay_enter=200000",
});

/** The kernel writes a part, says how much that was, and refuses the rest. */
export const WRITES_SHORT: Fault = {
  name: "writes short",
  what: "no file may grow past a random size: a write ends in the middle of a line, the next one fails with EFBIG",
  injected: "prlimit(1) on the running server, for a while",
  promise: "false-200",
  missing: () => (spawnSync("prlimit", ["--version"]).status === 0 ? null : "prlimit was not found"),
  async run(bed) {
    await bed.load(50, 300);
    const pid = bed.server.child.pid!;
    const largest = Math.max(0, ...segmentFiles(bed.data).map(({ file }) => statSync(file).size));
    limitFileSize(pid, largest + bed.between(1, ROOM_BYTES_MAX));
    try {
      await bed.load(FAULTY_MS.least, FAULTY_MS.most);
    } finally {
      limitFileSize(pid, "unlimited");
    }
  },
};
