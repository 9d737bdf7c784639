// Limits of the analyser's own side. Its figures then say nothing about the server, so the run must be void.

import { startServer } from "../../support/server-process.ts";
import { insideOf, startInNamespace } from "../namespace.ts";
import { withoutNetworkNamespace, withoutPinning } from "../permitted.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";
import { onCore, startRivals } from "../rival.ts";

export const PORTS = 100;
const FIRST_PORT = 40_000;

export const generatorSlow: Plant = {
  id: "generator",
  title: "an analyser that shares its core with four busy programs",
  why: "the server has a core to itself and the analyser a fifth of one: it cannot ask as fast as it is answered",
  first: ["generator"],
  alsoTrue: [],
  isVoid: true,
  missing: withoutPinning,
  async start() {
    const server = await startServer(["--threads", "1"], { wrapper: onCore(0) });
    const stopRivals = startRivals(1, 4);
    const stop = async (): Promise<void> => {
      await stopRivals();
      await server.stop();
    };
    return planted({ port: server.port, pid: server.child.pid! }, stop, {
      capacityFlags: ["--ladder", "60"],
      wrapper: onCore(1),
    });
  },
};

export const clientPorts: Plant = {
  id: "client-ports",
  title: `${PORTS} client ports`,
  why: "connections are not kept alive and each port rests for a minute after use: connect(2) finds none (EADDRNOTAVAIL)",
  first: ["client-ports"],
  alsoTrue: [],
  isVoid: true,
  missing: withoutNetworkNamespace,
  async start() {
    const settings = {
      "net/ipv4/ip_local_port_range": `${FIRST_PORT} ${FIRST_PORT + PORTS - 1}`,
      "net/ipv4/tcp_tw_reuse": "0",
    };
    const server = await startInNamespace(settings, ["--threads", "1"]);
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: ["--ladder", "16", "--keep-alive", "off", ...PATIENT],
      wrapper: insideOf(server),
    });
  },
};
