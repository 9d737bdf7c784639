// Fastify on the pinned Node: what a careful team would write in an afternoon. See fastify-server.js.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { awaitListening, type Contender, findFreePort } from "../contender.ts";
import { spawnPinned } from "../pinned.ts";
import { findRuntime } from "../programs.ts";
import { encodeTidemark } from "../workload.ts";

export function fastify(projectFolder: string): Contender {
  const program = join(projectFolder, "bench/rivals/fastify-server.js");
  return {
    id: "fastify",
    label: "Fastify on Node",
    target: "/metrics",
    contentType: "application/json",
    encode: encodeTidemark,
    missing: () =>
      existsSync(join(projectFolder, "bench/node_modules/fastify")) ? null : "fastify is not installed",
    async start(folder) {
      const port = await findFreePort();
      const command = [
        findRuntime("node", projectFolder)!,
        program,
        String(port),
        join(folder, "metrics.jsonl"),
      ];
      const child = spawnPinned("server", command, {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, NODE_ENV: "production" },
      });
      await awaitListening(child, port, "fastify");
      return { child, port };
    },
  };
}
