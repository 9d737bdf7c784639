// HOT: The Node side of the seam, on node:net. The event handlers are shared functions that find their stream on
// the socket, so that a connection costs no closures. Runs on the ingest thread that owns the listener.

import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream, Listener, ListenOptions, Peer } from "./transport.ts";
import { ACCEPT_QUEUE_EMPTY_MS } from "./transport.ts";

export function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const stream = new NodeStream(socket);
    (socket as OwnedSocket).stream = stream;
    stream.peer = options.opened(stream);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      { host: options.host, port: options.port, backlog: options.backlog, reusePort: true, exclusive: true },
      () => {
        server.off("error", reject);
        // After this an accept that fails (EMFILE) must not end the thread; the probe counts descriptors.
        server.on("error", () => {});
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : options.port;
        resolve({ port, close: () => close(server) });
      },
    );
  });
}

// uv_listen may be called again, as listen(2) may; Node has no public name for it. Where the handle changes, the queue
// simply is not shortened first.
async function close(server: Server): Promise<void> {
  const handle = (server as { _handle?: { listen?: (backlog: number) => number } })._handle;
  handle?.listen?.(0);
  await sleep(ACCEPT_QUEUE_EMPTY_MS);
  server.close();
}

const EMPTY = new Uint8Array(0);

type OwnedSocket = Socket & { stream: NodeStream };

class NodeStream implements ByteStream {
  peer: Peer | null = null;
  private readonly socket: Socket;
  private isDraining = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
    if (this.socket.writableLength > 0 && !this.isDraining) this.awaitDrain();
  }

  /** "drain" comes only after a backlog of more than the high-water mark; an empty write behind it always returns. */
  private awaitDrain(): void {
    this.isDraining = true;
    this.socket.write(EMPTY, () => {
      this.isDraining = false;
      if (this.socket.writableLength > 0) this.awaitDrain();
      else this.peer?.drained();
    });
  }

  backlogBytes(): number {
    return this.socket.writableLength;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }
}

function onData(this: Socket, bytes: Uint8Array): void {
  (this as OwnedSocket).stream.peer?.received(bytes);
}

function onEnd(this: Socket): void {
  (this as OwnedSocket).stream.peer?.peerEnded();
}

// A reset or a broken pipe: "close" follows and says all there is to say.
function onError(this: Socket): void {}

function onClose(this: Socket): void {
  const { stream } = this as OwnedSocket;
  const peer = stream.peer;
  stream.peer = null;
  peer?.closed();
}
