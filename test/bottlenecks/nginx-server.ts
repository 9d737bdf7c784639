// nginx with one worker that answers a constant: a target whose own limits are known and can be set.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findFreePort } from "../../bench/contender.ts";
import { findProgram } from "../../bench/programs.ts";
import { type ForeignServer, startForeign } from "../support/foreign-server.ts";
import { newDataFolder } from "../support/server-process.ts";

export interface NginxOptions {
  /** Descriptors that the worker may open; the master keeps the machine's limit. */
  readonly workerDescriptors?: number;
  readonly wrapper?: readonly string[];
}

const WORKER_DESCRIPTORS = 16_384;

export async function startNginx(options: NginxOptions = {}): Promise<ForeignServer> {
  const folder = dirname(newDataFolder());
  const port = await findFreePort();
  const path = join(folder, "nginx.conf");
  writeFileSync(path, configure(folder, port, options.workerDescriptors ?? WORKER_DESCRIPTORS));
  const command = [findProgram("nginx")!, "-p", folder, "-c", path, "-e", "stderr"];
  return startForeign([...(options.wrapper ?? []), ...command], { port });
}

// It closes a connection after 1,000 requests unless told otherwise, and as root it would serve as nobody, who may not
// enter our folder.
function configure(folder: string, port: number, workerDescriptors: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${workerDescriptors};
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections ${WORKER_DESCRIPTORS}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_buffer_size 256k;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/json;
    location / { return 200 '{"success":true}'; }
  }
}
`;
}
