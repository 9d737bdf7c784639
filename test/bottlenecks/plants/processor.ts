// Limits of the processor: one thread that has all the work, a quota, a rival on the same core, and nothing planted at
// all, where the processor is what remains.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePort } from "../../../bench/contender.ts";
import { startForeign } from "../../support/foreign-server.ts";
import { newDataFolder, startServer } from "../../support/server-process.ts";
import { ControlGroup, withoutControlGroup } from "../control-group.ts";
import { startNginx } from "../nginx-server.ts";
import { without, withoutPinning } from "../permitted.ts";
import { type Plant, planted } from "../plant.ts";
import { onCore, startRivals } from "../rival.ts";

export const ONE_LOOP = fileURLToPath(new URL("../foreign/one-loop.ts", import.meta.url));
/** Work of one request: many times what the generator spends on it, so that one core is plenty for the generator. */
export const WORK_US = 400;
/** Of one core. */
export const QUOTA_CORES = 0.2;

export const oneThread: Plant = {
  id: "one-thread",
  title: `one event loop, ${WORK_US} µs of work a request`,
  why: "the loop's thread is never idle while the other core is; a second thread would double the rate",
  first: ["one-thread"],
  alsoTrue: [],
  missing: withoutPinning,
  async start() {
    const server = await startForeign([process.execPath, ONE_LOOP, `${WORK_US}`]);
    return planted(server, () => server.stop(), { capacityFlags: ["--ladder", "8"] });
  },
};

export const cpuQuota: Plant = {
  id: "cpu-quota",
  title: `serve with a quota of ${QUOTA_CORES} cores`,
  why: "its group is held back in every period under load, while both cores have time to spare",
  first: ["cpu-quota"],
  alsoTrue: [],
  missing: withoutControlGroup,
  async start() {
    const group = ControlGroup.make(QUOTA_CORES);
    const server = await startServer(["--threads", "1"]);
    group.take(server.child.pid!);
    const stop = async (): Promise<void> => {
      await server.kill();
      group.remove();
    };
    return planted({ port: server.port, pid: server.child.pid! }, stop, {
      capacityFlags: ["--ladder", "30"],
    });
  },
};

export const rivalOnCore: Plant = {
  id: "cpu-rivals",
  title: "a server and three busy programs on one core",
  why: "the core is never idle and the server gets a quarter of it: the processor is the limit, though not its own work",
  first: ["all-cores", "cpu-quota", "one-thread"],
  alsoTrue: [],
  missing: withoutPinning,
  async start() {
    const server = await startForeign([...onCore(0), process.execPath, ONE_LOOP, `${WORK_US}`]);
    const stopRivals = startRivals(0, 3);
    const stop = async (): Promise<void> => {
      await stopRivals();
      await server.stop();
    };
    return planted(server, stop, { capacityFlags: ["--ladder", "8"], wrapper: onCore(1) });
  },
};

export const nothingOwn: Plant = {
  id: "nothing-own",
  title: "nothing: serve as the analyser starts it",
  why: "no limit is planted, so the processor is what is left",
  first: ["one-thread", "all-cores"],
  alsoTrue: ["one-thread", "all-cores"],
  missing: () => null,
  async start() {
    return {
      url: null,
      port: 0,
      pid: null,
      capacityFlags: ["--ladder", "30"],
      serveFlags: [],
      wrapper: [],
      stop: async () => {},
    };
  },
};

export const nothingNginx: Plant = {
  id: "nothing-nginx",
  title: "nothing: nginx, one worker, a constant",
  why: "one worker can use one core; where the generator is no faster, it must say so and not accuse the server",
  first: ["one-thread", "all-cores", "generator"],
  alsoTrue: ["one-thread", "all-cores", "generator"],
  mayDecline: true,
  missing: () => without("nginx"),
  async start() {
    const server = await startNginx();
    return planted(server, () => server.stop(), { capacityFlags: ["--ladder", "30"] });
  },
};

export const nothingPython: Plant = {
  id: "nothing-python",
  title: "nothing: python3 -m http.server",
  why: "a thread for each connection under one interpreter lock, and a listen queue of 5: several names would be right",
  first: ["one-thread", "all-cores", "listen-queue", "pool"],
  alsoTrue: ["one-thread", "all-cores", "listen-queue", "pool"],
  mayDecline: true,
  missing: () => without("python3"),
  async start() {
    const port = await findFreePort();
    const empty = dirname(newDataFolder());
    const words = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", empty, `${port}`];
    const server = await startForeign(["python3", ...words], { port });
    return planted({ port, pid: server.pid, path: "/" }, () => server.stop(), {
      capacityFlags: ["--ladder", "30", "--method", "GET"],
    });
  },
};
