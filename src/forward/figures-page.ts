// GET /metrics of a forwarder that is a process of its own: its figures in the text format of Prometheus, for whoever watches it
// by scraping. It ends with the process.

import { createServer } from "node:http";
import { TidemarkError } from "../errors.ts";
import { exposition, type ForwardFigures } from "./forward-figures.ts";

export interface Place {
  host: string;
  port: number;
}

/** "127.0.0.1:9200", "[::1]:9200"; port 0 asks for any. Throws TidemarkError. */
export function readPlace(flag: string, text: string): Place {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535)
    throw new TidemarkError(`cannot use ${flag} because it must be HOST:PORT, such as 127.0.0.1:9200`, 2);
  return { host, port: Number(port) };
}

/** Resolves with the port when it answers. */
export function openFiguresPage({ host, port }: Place, figures: () => ForwardFigures): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    const isPage = request.url?.split("?")[0] === "/metrics";
    if (!isPage || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(isPage ? 405 : 404, { "Content-Type": "text/plain" });
      response.end("try GET /metrics\n");
      return;
    }
    response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(exposition(figures()));
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new TidemarkError(
          `cannot listen on ${host} port ${port} because of ${error.code}; try another --listen`,
        ),
      ),
    );
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });
}
