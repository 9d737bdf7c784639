// HOT: The Node side of the seam, on node:net. The event handlers are shared functions that find their stream on
// the socket, so that a connection costs no closures. Runs on the ingest thread that owns the listener, and on the load
// generator's threads.
//
// All sockets of a thread read into one buffer (`onread`), past the stream machinery: 14.6 µs of CPU a request against
// 18.2 in the same run. Node takes that option for sockets that one makes, not for those that a server accepts, so an
// accepted socket's handle is moved to one of ours before anything is read from it.

import {
  createServer,
  type OnReadOpts,
  type Server,
  Socket,
  type SocketConnectOpts,
  type SocketConstructorOpts,
} from "node:net";
import { setImmediate as turnOfLoop } from "node:timers/promises";
import type { TlsGate } from "./tls.ts";
import {
  ACCEPT_QUEUE_EMPTY_MS,
  type Attempt,
  type Connect,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type OutboundPeer,
  type OutboundStream,
  type Peer,
} from "./transport.ts";

/** One read's bytes at most; a batch of 1,000 metrics is about 75 KB. */
const READ_BYTES_MAX = 256 * 1024;
/** Longest time that a closing listener's queue is being emptied, milliseconds; clients that keep coming keep it so. */
const EMPTYING_MS_MAX = 200;

export function listen(options: ListenOptions, gate: TlsGate | null): Promise<Listener> {
  const server = createServer(
    { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
    gate === null ? acceptPlain(options) : (accepted) => gate.accept(accepted),
  );
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
        resolve({
          port,
          useIdentity: (identity) => gate?.useIdentity(identity),
          close: () => close(server),
        });
      },
    );
  });
}

function acceptPlain(options: ListenOptions): (accepted: Socket) => void {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  return (accepted) => {
    const socket = adopt(accepted, buffer);
    if (socket === null) return;
    const stream = new NodeStream(socket);
    socket.stream = stream;
    stream.peer = options.opened(stream);
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.resume();
  };
}

// uv_listen may be called again, as listen(2) may; Node has no public name for it. Where the handle changes, the queue
// simply is not shortened first. libuv takes one connection a turn of its loop, so a queue takes as many turns to empty.
async function close(server: Server): Promise<void> {
  const handle = (server as { _handle?: { listen?: (backlog: number) => number } })._handle;
  handle?.listen?.(0);
  let taken = 0;
  server.on("connection", () => taken++);
  const deadlineMs = performance.now() + EMPTYING_MS_MAX;
  for (let before = -1; taken > before && performance.now() < deadlineMs; ) {
    before = taken;
    await turnOfLoop();
  }
  // A queue of length 0 still has one place. Where clients keep coming it is empty only just behind an accept.
  await new Promise<void>((resolve) => {
    const closeNow = (): void => {
      clearTimeout(quiet);
      server.off("connection", closeNow);
      server.close();
      resolve();
    };
    const quiet = setTimeout(closeNow, ACCEPT_QUEUE_EMPTY_MS);
    server.prependListener("connection", closeNow);
  });
}

const EMPTY = new Uint8Array(0);

type OwnedSocket = Socket & { stream: NodeStream };
type WithHandle = { _handle: object | null };

/** The accepted connection on a socket that reads into `buffer`; null where it is gone already. */
function adopt(accepted: Socket, buffer: Buffer): OwnedSocket | null {
  const handle = (accepted as unknown as WithHandle)._handle;
  if (handle === null) return null;
  (accepted as unknown as WithHandle)._handle = null;
  const onread: OnReadOpts = {
    buffer,
    callback(count, bytes) {
      socket.stream.peer?.received(count === bytes.length ? bytes : bytes.subarray(0, count));
      return true;
    },
  };
  const settings = { handle, allowHalfOpen: true, onread } as SocketConstructorOpts;
  const socket = new Socket(settings) as OwnedSocket;
  return socket;
}

export function openConnect(): Connect {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  return (options, peer) => new NodeAttempt(options, peer, buffer);
}

type AttemptedSocket = Socket & { attempt: NodeAttempt };

class NodeAttempt implements Attempt {
  readonly stream: NodeStream;
  private readonly socket: AttemptedSocket;
  /** Null once it has been told, or wants to hear nothing. */
  private peer: OutboundPeer | null;

  constructor(options: ConnectOptions, peer: OutboundPeer, buffer: Buffer) {
    this.peer = peer;
    const onread: OnReadOpts = {
      buffer,
      callback: (count, bytes) => {
        this.stream.peer?.received(count === bytes.length ? bytes : bytes.subarray(0, count));
        return true;
      },
    };
    const settings = { allowHalfOpen: true, onread } as SocketConstructorOpts;
    const socket = new Socket(settings) as OwnedSocket & AttemptedSocket;
    this.socket = socket;
    this.stream = new NodeStream(socket);
    socket.stream = this.stream;
    socket.attempt = this;
    socket.on("connect", onConnect);
    socket.on("end", onEnd);
    socket.on("error", onAttemptError);
    socket.on("close", onClose);
    const to = { host: options.host, port: options.port, noDelay: true, autoSelectFamily: false };
    socket.connect(to as SocketConnectOpts);
  }

  connected(): void {
    const peer = this.peer;
    this.peer = null;
    if (peer === null) return;
    this.stream.peer = peer;
    peer.connected(this.stream);
  }

  failed(code: string): void {
    const peer = this.peer;
    this.peer = null;
    peer?.failed(code);
  }

  abandon(): void {
    this.peer = null;
    this.stream.peer = null;
    this.socket.destroy();
  }
}

function onConnect(this: Socket): void {
  (this as AttemptedSocket).attempt.connected();
}

// Once it is connected, "close" follows and says all there is to say.
function onAttemptError(this: Socket, error: Error): void {
  (this as AttemptedSocket).attempt.failed((error as NodeJS.ErrnoException).code ?? "UNKNOWN");
}

class NodeStream implements OutboundStream {
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

  close(): void {
    if (this.socket.writableLength === 0) this.socket.destroy();
    else this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  remoteAddress(): string {
    return this.socket.remoteAddress ?? "";
  }
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
