// HOT: The Bun side of the seam. Bun's sockets hand over a fresh buffer a read, and write() says how many bytes the
// kernel took: the rest is kept here and sent from drain(). Runs on the ingest thread that owns the listener, and on the
// load generator's threads.
//
// Bun's listen() takes no backlog and uses 512. listen(2) may be called again on a listening descriptor to change
// it, so that is done through bun:ffi; where that fails the 512 stays, and the probe shows what is in force.

import { closeSync, openSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "bun";
import { tryRefuseHandshakes, trySetBacklog } from "./bun-listening.ts";
import type { TlsGate } from "./tls.ts";
import type {
  Attempt,
  Connect,
  ConnectOptions,
  Listener,
  ListenOptions,
  OutboundPeer,
  OutboundStream,
  Peer,
} from "./transport.ts";
import { ACCEPT_QUEUE_EMPTY_MS } from "./transport.ts";

/** Time for a handshake that has begun to end, milliseconds: a round trip to most clients. */
const HANDSHAKE_MS = 100;

export function listen(options: ListenOptions, gate: TlsGate | null): Listener | Promise<Listener> {
  return gate === null ? listenPlain(options) : listenTls(options, gate);
}

function listenPlain(options: ListenOptions): Listener {
  const listener = Bun.listen<BunStream>({
    hostname: options.host,
    port: options.port,
    // Bun's types do not know these two, its listen() does.
    ...({ reusePort: true, allowHalfOpen: true } as object),
    socket: {
      open(socket) {
        const stream = new BunStream(socket);
        socket.data = stream;
        stream.peer = options.opened(stream);
      },
      data(socket, bytes) {
        socket.data.peer?.received(bytes);
      },
      drain(socket) {
        socket.data.drain();
      },
      end(socket) {
        socket.data.peer?.peerEnded();
      },
      close(socket) {
        socket.data.closed();
      },
      error(socket) {
        socket.data.destroy();
      },
    },
  });
  trySetBacklog(listener, options.backlog);
  return {
    port: listener.port,
    useIdentity() {},
    async close() {
      await emptyQueue(listener);
      listener.stop(false);
    },
  };
}

/** By node:net, which has what node:tls needs of a socket. */
function listenTls(options: ListenOptions, gate: TlsGate): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (accepted) => gate.accept(accepted));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, reusePort: true, exclusive: true }, () => {
      server.off("error", reject);
      // After this an accept that fails (EMFILE) must not end the thread; the probe counts descriptors.
      server.on("error", () => {});
      trySetBacklog(handleOf(server), options.backlog);
      resolve({
        port: (server.address() as AddressInfo).port,
        useIdentity: (identity) => gate.useIdentity(identity),
        async close() {
          await emptyQueue(handleOf(server));
          server.close();
        },
      });
    });
  });
}

/** Until nobody sits in the queue, and nobody comes any more: whoever does as it is closed is reset. */
async function emptyQueue(listener: object): Promise<void> {
  if (tryRefuseHandshakes(listener)) {
    await sleep(HANDSHAKE_MS);
    return;
  }
  // One place is left, and who gets it in the instant of the close is reset.
  trySetBacklog(listener, 0);
  await sleep(ACCEPT_QUEUE_EMPTY_MS);
}

/** Bun's listener behind a server of node:net; where it is not found its queue stays as it is. */
function handleOf(server: Server): object {
  return (server as { _handle?: object | null })._handle ?? {};
}

/** One set of handlers for all connections of the thread. */
const OUTBOUND = {
  open(socket: Socket<BunAttempt>) {
    socket.data.opened(socket);
  },
  data(socket: Socket<BunAttempt>, bytes: Buffer) {
    socket.data.stream?.peer?.received(bytes);
  },
  drain(socket: Socket<BunAttempt>) {
    socket.data.stream?.drain();
  },
  end(socket: Socket<BunAttempt>) {
    socket.data.stream?.peer?.peerEnded();
  },
  close(socket: Socket<BunAttempt>) {
    socket.data.stream?.closed();
  },
  error(socket: Socket<BunAttempt>) {
    socket.data.stream?.destroy();
  },
  connectError(socket: Socket<BunAttempt>, error: Error) {
    socket.data.failed((error as NodeJS.ErrnoException).code ?? "UNKNOWN");
  },
};

export function openConnect(): Connect {
  return (options, peer) => new BunAttempt(options, peer);
}

class BunAttempt implements Attempt {
  stream: BunStream | null = null;
  /** Null once it has been told, or wants to hear nothing. */
  private peer: OutboundPeer | null;
  private isCalling = true;

  constructor(options: ConnectOptions, peer: OutboundPeer) {
    this.peer = peer;
    const settings = { hostname: options.host, port: options.port, data: this, socket: OUTBOUND };
    // connectError() says it too.
    Bun.connect<BunAttempt>({ ...settings, ...({ allowHalfOpen: true } as object) }).catch(() => {});
    this.isCalling = false;
  }

  opened(socket: Socket<BunAttempt>): void {
    const peer = this.peer;
    this.peer = null;
    if (peer === null) {
      socket.terminate();
      return;
    }
    this.stream = new BunStream(socket);
    this.stream.peer = peer;
    peer.connected(this.stream);
  }

  // What socket(2) and connect(2) refuse at once comes from within Bun.connect(), and all but EADDRNOTAVAIL as
  // ECONNREFUSED (seen: EMFILE, ENETUNREACH). A peer that really refuses is never known at once: connect(2) on a
  // socket that does not block says EINPROGRESS first.
  failed(code: string): void {
    if (!this.isCalling) {
      this.tell(code);
      return;
    }
    const trueCode = code === "ECONNREFUSED" ? (codeOfNewDescriptor() ?? "ENETUNREACH") : code;
    setImmediate(() => this.tell(trueCode));
  }

  abandon(): void {
    this.peer = null;
    if (this.stream === null) return;
    this.stream.peer = null;
    this.stream.destroy();
  }

  private tell(code: string): void {
    const peer = this.peer;
    this.peer = null;
    peer?.failed(code);
  }
}

/** Why no descriptor can be had (EMFILE, ENFILE); null where one can. */
function codeOfNewDescriptor(): string | null {
  try {
    closeSync(openSync("/dev/null", "r"));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? null;
  }
}

class BunStream implements OutboundStream {
  peer: Peer | null = null;
  private readonly socket: Socket<unknown>;
  /** Unsent chunks, oldest first; null while there are none, which is nearly always. */
  private unsent: Uint8Array[] | null = null;
  private unsentBytes = 0;
  private isEnding = false;
  private isClosing = false;

  constructor(socket: Socket<unknown>) {
    this.socket = socket;
  }

  write(bytes: Uint8Array): void {
    if (this.unsent !== null) {
      this.unsent.push(bytes);
      this.unsentBytes += bytes.length;
      return;
    }
    const taken = this.socket.write(bytes);
    // A negative count means a socket that is already gone; close() is on its way.
    if (taken < 0 || taken === bytes.length) return;
    this.unsent = [bytes.subarray(taken)];
    this.unsentBytes = bytes.length - taken;
  }

  backlogBytes(): number {
    return this.unsentBytes;
  }

  drain(): void {
    const unsent = this.unsent;
    if (unsent === null) return;
    let sent = 0;
    for (; sent < unsent.length; sent++) {
      const chunk = unsent[sent]!;
      const taken = this.socket.write(chunk);
      if (taken < 0) return;
      this.unsentBytes -= taken;
      if (taken < chunk.length) {
        unsent[sent] = chunk.subarray(taken);
        break;
      }
    }
    unsent.splice(0, sent);
    if (unsent.length > 0) return;
    this.unsent = null;
    if (this.isClosing) this.socket.close();
    else if (this.isEnding) this.socket.shutdown();
    this.peer?.drained();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.isEnding = true;
    if (this.unsent === null) this.socket.shutdown();
  }

  close(): void {
    this.isClosing = true;
    if (this.unsent === null) this.socket.close();
  }

  /** terminate() is a reset, which takes with it what the kernel has not sent yet: not behind end(). */
  destroy(): void {
    const isSent = this.isEnding && this.unsent === null;
    this.unsent = null;
    this.unsentBytes = 0;
    if (isSent) this.socket.close();
    else this.socket.terminate();
  }

  remoteAddress(): string {
    return this.socket.remoteAddress;
  }

  closed(): void {
    const peer = this.peer;
    this.peer = null;
    this.unsent = null;
    this.unsentBytes = 0;
    peer?.closed();
  }
}
