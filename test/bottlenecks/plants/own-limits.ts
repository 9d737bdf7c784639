// Limits that the operator set: a rate for each client, and a budget of memory for what is in flight.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { newDataFolder, startServer } from "../../support/server-process.ts";
import { largeBody } from "../large-body.ts";
import { PATIENT, type Plant, planted } from "../plant.ts";

export const RATE_LIMIT = 50;
/** The least that the server starts with: with bodies of up to 4 MiB. */
const MEMORY = "9MiB";

export const rateLimit: Plant = {
  id: "rate-limit",
  title: `serve --rate-limit ${RATE_LIMIT}`,
  why: "each client may send 50 a second and could send thousands; the rest is answered 429",
  first: ["rate-limit"],
  alsoTrue: [],
  missing: () => null,
  async start() {
    const server = await startServer(["--threads", "1", "--rate-limit", `${RATE_LIMIT}`]);
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: ["--ladder", "12", ...PATIENT],
    });
  },
};

export const memorySmall: Plant = {
  id: "memory",
  title: `serve --memory-max ${MEMORY}, bodies of 4 MB`,
  why: "a body that has come in part is kept until it is whole: the third of them finds no room and is answered 503",
  first: ["memory"],
  alsoTrue: [],
  missing: () => null,
  async start() {
    const server = await startServer(["--threads", "1", "--memory-max", MEMORY, "--body-max", "4MiB"]);
    const payload = join(dirname(newDataFolder()), "payload.json");
    writeFileSync(payload, largeBody());
    return planted({ port: server.port, pid: server.child.pid! }, () => server.stop(), {
      capacityFlags: ["--ladder", "20", "--pace", "1s", ...PATIENT, ...payloadFlags(payload)],
    });
  },
};

function payloadFlags(path: string): readonly string[] {
  return ["--payload", path, "--header", "Content-Type: application/json"];
}
