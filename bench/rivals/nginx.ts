// nginx with one worker answering a constant: what reading a request and writing an answer costs, and nothing else.
// It reads the body and drops it; it checks and stores nothing.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { awaitListening, type Contender, findFreePort } from "../contender.ts";
import { spawnPinned } from "../pinned.ts";
import { findProgram } from "../programs.ts";
import { encodeTidemark } from "../workload.ts";

export const nginx: Contender = {
  id: "nginx",
  label: "nginx, a constant",
  target: "/metrics",
  contentType: "application/json",
  encode: encodeTidemark,
  missing: () => (findProgram("nginx") === null ? "nginx is not installed" : null),
  async start(folder) {
    const port = await findFreePort();
    const path = join(folder, "nginx.conf");
    writeFileSync(path, configure(folder, port));
    const command = [findProgram("nginx")!, "-p", folder, "-c", path, "-e", "stderr"];
    const child = spawnPinned("server", command, { stdio: ["ignore", "ignore", "inherit"] });
    await awaitListening(child, port, "nginx");
    return { child, port };
  },
};

// Header and body buffers hold a whole small request, so that it takes one read; nginx closes a connection after
// 1,000 requests unless told otherwise. As root it would serve as nobody, who may not enter our folder.
function configure(folder: string, port: number): string {
  return `
${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_header_buffer_size 4k;
  client_body_buffer_size 256k;
  client_max_body_size 2m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/json;
    location / { return 200 '{"success":true,"metrics_processed":3}'; }
  }
}
`;
}
