// A disk that syncs slowly, and one that is full. The slow one is made by a tracer that holds up each sync before it
// begins and touches no other call; the full one is a small file system in memory, in a mount name space of the
// server's own, so that it goes when the server does.

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { newDataFolder, startServer } from "../../support/server-process.ts";
import { withoutMountNamespace, withoutTracing } from "../permitted.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";

export const SYNC_MS = 20;
const CALLS = "fdatasync,fsync";
const DISK_BYTES = 2 * 1024 * 1024;

export const slowSync: Plant = {
  id: "slow-sync",
  title: `serve --ack synced on a disk that takes ${SYNC_MS} ms to sync`,
  why: "an answer waits for a sync that may wait for the one before it; nothing else takes a tenth of that",
  first: ["slow-sync"],
  alsoTrue: [],
  missing: withoutTracing,
  async start() {
    // As a grandchild (-D) the tracer leaves the server's pid and parent as they would be; by the filter
    // (--seccomp-bpf) only the calls named stop the server.
    const words = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", `trace=${CALLS}`];
    const inject = ["-e", `inject=${CALLS}:delay_enter=${SYNC_MS * 1000}`];
    const server = await startServer(["--threads", "1", "--ack", "synced"], {
      wrapper: ["strace", ...words, ...inject],
    });
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: ["--ladder", "30", "--objective", "success>=99%,p99<=30ms"],
    });
  },
};

export const diskFull: Plant = {
  id: "disk-full",
  title: "serve on a disk that fills up",
  why: "after the first moments no batch finds room and all are answered 503",
  first: ["disk-full"],
  alsoTrue: [],
  missing: withoutMountNamespace,
  async start() {
    const mount = join(dirname(newDataFolder()), "small-disk");
    mkdirSync(mount);
    const script = `mount -t tmpfs -o size=${DISK_BYTES},mode=0700 tmpfs "$0" && exec "$@"`;
    const server = await startServer(["--threads", "1", "--segment-size", "256KiB"], {
      data: join(mount, "data"),
      wrapper: ["unshare", "-m", "sh", "-c", script, mount],
    });
    return planted({ port: server.port, pid: server.child.pid! }, () => server.kill(), {
      capacityFlags: ["--ladder", "16", ...PATIENT],
    });
  },
};
