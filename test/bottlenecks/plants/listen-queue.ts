// A listen queue too short for connections that come in a burst: asked for so, or cut so by the kernel. Connections are
// not kept alive, so that every request is a connect; the server itself could take many times as many.

import { startServer } from "../../support/server-process.ts";
import { insideOf, startInNamespace } from "../namespace.ts";
import { withoutNetworkNamespace } from "../permitted.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";

export const BACKLOG = 8;
export const SOMAXCONN = 16;
const CAPACITY_FLAGS = ["--ladder", "60", "--keep-alive", "off", ...PATIENT];

export const backlogShort: Plant = {
  id: "listen-queue-backlog",
  title: `serve with a backlog of ${BACKLOG}`,
  why: "the kernel drops the connects that find the queue full, and each such client tries again after a second",
  first: ["listen-queue"],
  alsoTrue: [],
  missing: () => null,
  async start() {
    const server = await startServer(["--threads", "1", "--backlog", `${BACKLOG}`]);
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: CAPACITY_FLAGS,
    });
  },
};

export const somaxconnShort: Plant = {
  id: "listen-queue-somaxconn",
  title: `serve with a backlog of 4096, cut to ${SOMAXCONN} by net.core.somaxconn`,
  why: "the same, though the server asked for enough: the kernel's own bound is the shorter one",
  first: ["listen-queue"],
  alsoTrue: [],
  missing: withoutNetworkNamespace,
  async start() {
    const settings = { "net/core/somaxconn": `${SOMAXCONN}` };
    const server = await startInNamespace(settings, ["--threads", "1", "--backlog", "4096"]);
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: CAPACITY_FLAGS,
      wrapper: insideOf(server),
    });
  },
};
