// Pools of blocking workers: one held by connections that are kept alive, as in the server that this project began with,
// and one whose workers are asleep in their requests. The processor has nothing to do in either.

import { fileURLToPath } from "node:url";
import { startForeign } from "../../support/foreign-server.ts";
import { without } from "../permitted.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";

export const WORKERS = 16;
/** The listen queue that the kernel left the origin's server. */
const BACKLOG = 128;
const SLEEP_MS = 20;
const POOL = fileURLToPath(new URL("../foreign/pool.pl", import.meta.url));

export const poolHeld: Plant = {
  id: "pool-held",
  title: `${WORKERS} blocking threads, each held by a connection kept alive, a backlog of ${BACKLOG}`,
  why: "the 17th client waits until one of the first 16 leaves, which none does; the queue fills up behind it",
  first: ["pool"],
  // Past 16 workers and 129 in the queue the kernel drops connects: true, and no cause.
  alsoTrue: ["listen-queue"],
  missing: () => without("perl"),
  async start() {
    const server = await startForeign(["perl", POOL, "threads", `${WORKERS}`, `${BACKLOG}`, "0", "0"]);
    return planted(server, () => server.stop(), { capacityFlags: ["--ladder", "40", ...PATIENT] });
  },
};

export const poolAsleep: Plant = {
  id: "pool-asleep",
  title: `${WORKERS} blocking processes, ${SLEEP_MS} ms asleep in each request`,
  why: "16 workers can answer 800 a second whatever the processor could do; more wait for a worker",
  first: ["pool"],
  alsoTrue: [],
  missing: () => without("perl"),
  async start() {
    const words = ["processes", `${WORKERS}`, "4096", `${SLEEP_MS}`, "1"];
    const server = await startForeign(["perl", POOL, ...words]);
    return planted(server, () => server.stop(), { capacityFlags: ["--ladder", "40"] });
  },
};
