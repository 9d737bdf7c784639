// A target that now and then answers nobody: stopped from outside, and held up by a call of its own that blocks.

import { startForeign } from "../../support/foreign-server.ts";
import { startServer } from "../../support/server-process.ts";
import { type Plant, planted } from "../plant.ts";
import { ONE_LOOP } from "./processor.ts";

export const STALL_MS = 200;
export const STALL_EVERY_MS = 2_000;
/** A paced level of five seconds among the others, so that some stalls come whole. */
const CAPACITY_FLAGS = ["--ladder", "20"];

export const stallStopped: Plant = {
  id: "target-stall-stopped",
  title: `serve, stopped for ${STALL_MS} ms every ${STALL_EVERY_MS / 1000} s`,
  why: "a hypervisor, a snapshot or a debugger does this: nobody is answered, and nothing is used up",
  first: ["target-stall"],
  alsoTrue: [],
  missing: () => null,
  async start() {
    const server = await startServer(["--threads", "1"]);
    const stalls = setInterval(() => {
      server.signal("SIGSTOP");
      setTimeout(() => server.signal("SIGCONT"), STALL_MS);
    }, STALL_EVERY_MS);
    const stop = (): Promise<unknown> => {
      clearInterval(stalls);
      return server.kill();
    };
    return planted({ port: server.port, pid: server.child.pid! }, stop, { capacityFlags: CAPACITY_FLAGS });
  },
};

export const stallBlocked: Plant = {
  id: "target-stall-blocked",
  title: `one event loop, blocked for ${STALL_MS} ms every ${STALL_EVERY_MS / 1000} s`,
  why: "a call that blocks holds up the loop; the thread is asleep meanwhile, so no counter of CPU shows it",
  first: ["target-stall"],
  alsoTrue: [],
  missing: () => null,
  async start() {
    const words = ["0", `${STALL_MS}`, `${STALL_EVERY_MS}`];
    const server = await startForeign([process.execPath, ONE_LOOP, ...words]);
    return planted(server, () => server.stop(), { capacityFlags: CAPACITY_FLAGS });
  },
};
