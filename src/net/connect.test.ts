// Both sides of the seam against the runtime's own sockets: the same file passes on Bun and on Node.
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { loadConnect } from "./connect.ts";
import type { Connect, OutboundPeer, OutboundStream } from "./transport.ts";

const connect: Connect = await loadConnect();

/** A peer that keeps what it was told, and lets a test wait for it. */
class Told implements OutboundPeer {
  readonly events: string[] = [];
  text = "";
  stream: OutboundStream | null = null;
  private waiting: { readonly event: string; readonly resolve: () => void } | null = null;

  connected(stream: OutboundStream): void {
    this.stream = stream;
    this.note("connected");
  }
  failed(code: string): void {
    this.note(`failed ${code}`);
  }
  received(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
    this.note("received");
  }
  drained(): void {
    this.note("drained");
  }
  peerEnded(): void {
    this.note("peerEnded");
  }
  closed(): void {
    this.note("closed");
  }
  async hears(event: string): Promise<void> {
    if (this.events.includes(event)) return;
    await new Promise<void>((resolve) => {
      this.waiting = { event, resolve };
    });
  }
  private note(event: string): void {
    this.events.push(event);
    if (this.waiting?.event === event) this.waiting.resolve();
  }
}

describe("a connection that we ask for", () => {
  let server: Server;
  let port = 0;
  const sockets = new Set<Socket>();
  let onSocket: (socket: Socket) => void = () => {};
  before(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("end", () => socket.end());
      socket.on("close", () => sockets.delete(socket));
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function open(): Told {
    const told = new Told();
    connect({ host: "127.0.0.1", port }, told);
    return told;
  }

  test("is told of as made, then what arrives, then the end", async () => {
    onSocket = (socket) => socket.once("data", (bytes) => socket.end(`echo ${bytes}`));
    const told = open();
    assert.deepEqual(told.events, []);
    await told.hears("connected");
    told.stream!.write(new TextEncoder().encode("hello"));
    await told.hears("peerEnded");
    assert.equal(told.text, "echo hello");
    told.stream!.close();
    await told.hears("closed");
    assert.deepEqual(
      told.events.filter((event) => event !== "received"),
      ["connected", "peerEnded", "closed"],
    );
  });

  test("is told of as refused, with the system's code and nothing else", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port: closedPort } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const told = new Told();
    connect({ host: "127.0.0.1", port: closedPort }, told);
    await told.hears("failed ECONNREFUSED");
    assert.deepEqual(told.events, ["failed ECONNREFUSED"]);
  });

  test("that is closed sends everything first, and ends with a FIN", async () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(65);
    const ended = new Promise<{ count: number; failed: boolean }>((resolve) => {
      onSocket = (socket) => {
        let count = 0;
        let failed = false;
        socket.on("error", () => {
          failed = true;
        });
        socket.on("data", (piece) => {
          count += piece.length;
        });
        socket.on("close", () => resolve({ count, failed }));
      };
    });
    const told = open();
    await told.hears("connected");
    told.stream!.write(bytes);
    told.stream!.close();
    assert.deepEqual(await ended, { count: bytes.length, failed: false });
  });

  test("keeps what the kernel does not take, and says when it is sent", async () => {
    let reader: Socket | null = null;
    const accepted = new Promise<void>((resolve) => {
      onSocket = (socket) => {
        reader = socket.pause();
        resolve();
      };
    });
    const told = open();
    await told.hears("connected");
    await accepted;
    const bytes = new Uint8Array(8 * 1024 * 1024);
    told.stream!.write(bytes);
    assert.ok(told.stream!.backlogBytes() > 0);
    reader!.resume();
    await told.hears("drained");
    assert.equal(told.stream!.backlogBytes(), 0);
    told.stream!.destroy();
    await told.hears("closed");
  });

  test("that is abandoned on its way is closed and never heard of again", { timeout: 20_000 }, async () => {
    const told = new Told();
    connect({ host: "127.0.0.1", port }, told).abandon();
    // Another one, asked for later, shows that time has passed.
    onSocket = (socket) => socket.resume().end();
    const other = open();
    await other.hears("peerEnded");
    other.stream!.close();
    await other.hears("closed");
    assert.deepEqual(told.events, []);
    while (sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
