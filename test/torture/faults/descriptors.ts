import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { RawConnection } from "../../support/raw-client.ts";
import { pause } from "../../support/server-process.ts";
import type { Bed } from "../bed.ts";
import type { Fault } from "../fault.ts";

/** Descriptors of a server that was given few from the start: a hundred is what its own files and three threads need. */
const FEW = 160;
/** Connections on top, more than fit. */
const CONNECTIONS = 120;
/** Descriptors left to a server whose limit is lowered while it runs. */
const LEFT = 4;
/** Small segments need descriptors all the time. */
const SEGMENTS = ["--segment-size", "64KiB"];
const FEW_AT_START = {
  flags: SEGMENTS,
  options: { wrapper: ["prlimit", `--nofile=${FEW}:${FEW}`] },
};
/** It would refuse connections long before, were it not told otherwise. */
const LOWERED = { flags: [...SEGMENTS, "--connections-max", "10000"] };

/** A server that knows how few it has keeps some for its files and says 503 to connections beyond. */
export const DESCRIPTORS_FEW: Fault = {
  name: "few descriptors",
  what: `${CONNECTIONS} connections more on a server that was started with ${FEW} descriptors`,
  injected: "prlimit(1) before the start, and connections that say nothing",
  promise: "overload",
  missing: prlimitMissing,
  async run(bed) {
    await bed.use(FEW_AT_START);
    await bed.serves();
    await bed.load(50, 300);
    await crowd(bed);
  },
};

/** The limit falls to what is open while the server runs: accepting fails, and so does opening the next segment. */
export const DESCRIPTORS_LOWERED: Fault = {
  name: "descriptors lowered",
  what: `the limit of descriptors lowered to ${LEFT} more than are open, and ${CONNECTIONS} connections more`,
  injected: "prlimit(2) on the running process, and connections that say nothing",
  promise: "overload",
  missing: prlimitMissing,
  async run(bed) {
    await bed.use(LOWERED);
    await bed.serves();
    await bed.load(50, 300);
    const pid = bed.server.child.pid!;
    limit(pid, `${readdirSync(`/proc/${pid}/fd`).length + LEFT}:`);
    await crowd(bed);
  },
};

/** Connections that take every descriptor there is, for a while. */
async function crowd(bed: Bed): Promise<void> {
  const opened = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RawConnection.open(bed.server.port).catch(() => null)),
  );
  await pause(bed.between(300, 2_000));
  for (const connection of opened) connection?.close();
}

function limit(pid: number, soft: string): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", `${pid}`, `--nofile=${soft}`]);
  if (status !== 0) throw new Error(`cannot lower the limit of ${pid}: ${stderr}`);
}

function prlimitMissing(): string | null {
  return spawnSync("prlimit", ["--version"]).status === 0 ? null : "prlimit was not found";
}
