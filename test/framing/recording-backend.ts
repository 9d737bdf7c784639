// What stands behind the proxies: a socket that keeps the exact bytes of every connection, told by the name that the
// proxy put into each request it forwarded (both ports of the client's connection), and answers once the server's own parser calls the first
// request whole or refuses it. Each proxy opens a connection for each request that it forwards, so the bytes of a
// connection are what the proxy takes for one request.

import { createServer, type Server, type Socket } from "node:net";
import { readOneRequest } from "./one-request.ts";

/** Says in an answer which connection it came by, so that the proxy's own answers are told from it. */
export const FORWARDED_FIELD = "X-Forwarded-As";
/** The field in which a proxy names the client's connection: "its own port-the client's port". */
export const CLIENT_FIELD = "X-Client-Connection";

export interface Forwarded {
  readonly number: number;
  bytes: Buffer;
  isClosed: boolean;
}

const EMPTY = Buffer.alloc(0);
const HEAD_BYTES_SEARCHED = 20_000;
const CLIENT_PATTERN = new RegExp(`\\n${CLIENT_FIELD}: ?(\\d+-\\d+)\\r\\n`, "i");

export class RecordingBackend {
  port = 0;
  private readonly server: Server;
  private readonly byClient = new Map<string, Forwarded[]>();
  private readonly sockets = new Set<Socket>();
  private count = 0;

  constructor() {
    this.server = createServer({ noDelay: true }, (socket) => this.accepted(socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, () => {
        this.port = (this.server.address() as { port: number }).port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** What was forwarded for that connection of a client's; forgotten here. */
  take(client: string): Forwarded[] {
    const forwarded = this.byClient.get(client) ?? [];
    this.byClient.delete(client);
    return forwarded;
  }

  /** Whether something forwarded for it is still open. */
  isOpen(client: string): boolean {
    return this.byClient.get(client)?.some((forwarded) => !forwarded.isClosed) ?? false;
  }

  private accepted(socket: Socket): void {
    const forwarded: Forwarded = { number: ++this.count, bytes: EMPTY, isClosed: false };
    let isKnown = false;
    let isAnswered = false;
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      forwarded.isClosed = true;
      this.sockets.delete(socket);
    });
    socket.on("data", (bytes: Buffer) => {
      forwarded.bytes = Buffer.concat([forwarded.bytes, bytes]);
      if (!isKnown) isKnown = this.file(forwarded);
      if (isAnswered) return;
      const answer = answerTo(forwarded);
      if (answer === "") return;
      isAnswered = true;
      socket.write(answer);
    });
  }

  private file(forwarded: Forwarded): boolean {
    const match = CLIENT_PATTERN.exec(forwarded.bytes.toString("latin1", 0, HEAD_BYTES_SEARCHED));
    if (match === null) return false;
    const client = match[1]!;
    const list = this.byClient.get(client);
    if (list === undefined) this.byClient.set(client, [forwarded]);
    else list.push(forwarded);
    return true;
  }
}

/** "" while the server would wait for more. */
function answerTo(forwarded: Forwarded): string {
  const read = readOneRequest(forwarded.bytes);
  if (read.outcome === "waiting") return "";
  const status = read.outcome === "refused" ? "400 Bad Request" : statusFor(read.request.method);
  const isHead = read.outcome === "whole" && read.request.method === "HEAD";
  return `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n${FORWARDED_FIELD}: ${forwarded.number}\r\n\r\n${isHead ? "" : "ok"}`;
}

/** A tunnel opened by 200 would carry anything: no server of ours opens one. */
function statusFor(method: string): string {
  return method === "CONNECT" ? "405 Method Not Allowed" : "200 OK";
}
