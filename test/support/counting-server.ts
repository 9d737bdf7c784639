// A target for load that counts: how many connections and whole requests came, and what was in them. It answers each
// request as it is told to, in the thread of the test.

import { createServer, type Server, type Socket } from "node:net";

export interface SeenRequest {
  readonly head: string;
  readonly body: string;
}

/** The answer's bytes, or what is done to the connection instead; "nothing" leaves it waiting. */
export type Reply = string | "reset" | "close" | "nothing";

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export class CountingServer {
  connections = 0;
  requests = 0;
  /** The first few. */
  readonly seen: SeenRequest[] = [];
  readonly heads = new Map<string, number>();
  port = 0;
  onRequest: () => void = () => {};
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(reply: (number: number) => Reply = () => OK) {
    this.server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => {});
      let unread = "";
      socket.on("data", (bytes: Buffer) => {
        unread += bytes.toString("latin1");
        let answers = "";
        for (let request = takeRequest(unread); request !== null; request = takeRequest(unread)) {
          unread = unread.slice(request.length);
          this.note(request);
          const answer = reply(++this.requests);
          if (answer === "reset") return void socket.resetAndDestroy();
          if (answer === "close") return void socket.end();
          if (answer !== "nothing") answers += answer;
          if (/\r\nconnection: close/i.test(request.head)) socket.end(answers);
        }
        if (answers !== "" && !socket.writableEnded) socket.write(answers, "latin1");
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/metrics`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = (this.server.address() as { port: number }).port;
    return this;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private note(request: SeenRequest): void {
    if (this.seen.length < 50) this.seen.push(request);
    this.heads.set(request.head, (this.heads.get(request.head) ?? 0) + 1);
    this.onRequest();
  }
}

function takeRequest(text: string): (SeenRequest & { readonly length: number }) | null {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = text.slice(0, end);
  const length = end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return text.length < length ? null : { head, body: text.slice(end + 4, length), length };
}
