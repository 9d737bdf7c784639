// nginx and haproxy as Debian packages them, in front of the recording backend, each with its own configuration in a
// folder of its own. All is left at its default that concerns how a request is read; what is set: that a request is
// forwarded on a connection of its own, that it names the client's connection, and how long is waited.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findFreePort } from "../../bench/contender.ts";
import { findProgram } from "../../bench/programs.ts";
import { type ForeignServer, startForeign } from "../support/foreign-server.ts";
import { newDataFolder } from "../support/server-process.ts";
import { CLIENT_FIELD } from "./recording-backend.ts";

export interface FrontProxy {
  readonly name: ProxyName;
  readonly port: number;
}

export type ProxyName = "nginx" | "nginx, unbuffered" | "haproxy";

const CONNECTIONS_MAX = 4096;
/** Longer than any honest answer of the backend's on a busy machine, seconds. */
const ANSWER_S_MAX = 20;

/** Which of the programs are not here. */
export function missingPrograms(): string[] {
  return ["nginx", "haproxy"].filter((name) => findProgram(name) === null);
}

/** nginx twice (reading a body before it forwards, as it does by default, and while), haproxy once. */
export async function startProxies(backendPort: number): Promise<FrontProxy[]> {
  const ports = [await findFreePort(), await findFreePort(), await findFreePort()];
  const [buffered, unbuffered, haproxy] = ports as [number, number, number];
  await startNginx(buffered, unbuffered, backendPort);
  await startHaproxy(haproxy, backendPort);
  return [
    { name: "nginx", port: buffered },
    { name: "nginx, unbuffered", port: unbuffered },
    { name: "haproxy", port: haproxy },
  ];
}

async function startNginx(port: number, unbufferedPort: number, backendPort: number): Promise<ForeignServer> {
  const folder = dirname(newDataFolder());
  const path = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const server = (listenPort: number, buffering: string) => `
  server {
    listen 127.0.0.1:${listenPort} backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${backendPort};
      proxy_http_version 1.1;
      proxy_request_buffering ${buffering};
      proxy_ignore_client_abort on;
      proxy_read_timeout ${ANSWER_S_MAX}s;
      proxy_next_upstream off;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header ${CLIENT_FIELD} $server_port-$remote_port;
    }
  }`;
  writeFileSync(
    path,
    `
${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections ${CONNECTIONS_MAX}; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  ${server(port, "on")}
  ${server(unbufferedPort, "off")}
}
`,
  );
  return startForeign([findProgram("nginx")!, "-p", folder, "-c", path, "-e", "stderr"], { port });
}

async function startHaproxy(port: number, backendPort: number): Promise<ForeignServer> {
  const path = join(dirname(newDataFolder()), "haproxy.cfg");
  writeFileSync(
    path,
    `
global
  maxconn ${CONNECTIONS_MAX}
  nbthread 1
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server ${ANSWER_S_MAX}s
frontend attacked
  bind 127.0.0.1:${port}
  http-request set-header ${CLIENT_FIELD} %[dst_port]-%[src_port]
  default_backend recording
backend recording
  http-reuse never
  option http-server-close
  server recording 127.0.0.1:${backendPort}
`,
  );
  return startForeign([findProgram("haproxy")!, "-db", "-f", path], { port });
}
