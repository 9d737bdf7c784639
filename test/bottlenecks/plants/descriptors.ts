// Too few descriptors: of our own server, whose cap on connections follows from its limit, and of a server that takes
// connections until accept(2) says EMFILE.

import { startServer } from "../../support/server-process.ts";
import { startNginx } from "../nginx-server.ts";
import { without, withoutDescriptorLimits } from "../permitted.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";

/** The soft limit of the plant; hard as well, since both runtimes raise the one to the other. */
export const DESCRIPTORS = 128;
/** nginx keeps few for itself, so the same number of clients finds too few. */
export const WORKER_DESCRIPTORS = 64;

export const descriptorsOwn: Plant = {
  id: "descriptors-own",
  title: `serve with ${DESCRIPTORS} descriptors`,
  why: "it keeps some descriptors for its files, so 40 connections are left; every further one is answered 503 and closed",
  first: ["descriptors"],
  alsoTrue: [],
  missing: withoutDescriptorLimits,
  async start() {
    const wrapper = ["prlimit", `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`];
    const server = await startServer(["--threads", "1"], { wrapper });
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: ["--ladder", "60", ...PATIENT],
    });
  },
};

export const descriptorsForeign: Plant = {
  id: "descriptors-nginx",
  title: `nginx, its worker with ${WORKER_DESCRIPTORS} descriptors`,
  why: "the worker's accept(2) fails with EMFILE; the master, whose pid is given, has thousands to spare",
  first: ["descriptors"],
  alsoTrue: [],
  missing: () => without("nginx"),
  async start() {
    const server = await startNginx({ workerDescriptors: WORKER_DESCRIPTORS });
    return planted(server, () => server.stop(), { capacityFlags: ["--ladder", "90", ...PATIENT] });
  },
};
