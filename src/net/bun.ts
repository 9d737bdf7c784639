// HOT: The Bun side of the seam. Bun's sockets hand over a fresh buffer a read, and write() says how many bytes the
// kernel took: the rest is kept here and sent from drain(). Runs on the ingest thread that owns the listener.
//
// Bun's listen() takes no backlog and uses 512. listen(2) may be called again on a listening descriptor to change
// it, so that is done through bun:ffi; where that fails the 512 stays, and the probe shows what is in force.

import { dlopen, suffix } from "bun:ffi";
import { setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "bun";
import type { ByteStream, Listener, ListenOptions, Peer } from "./transport.ts";
import { ACCEPT_QUEUE_EMPTY_MS } from "./transport.ts";

export function listen(options: ListenOptions): Listener {
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
  setBacklog(listener, options.backlog);
  return {
    port: listener.port,
    async close() {
      setBacklog(listener, 0);
      await sleep(ACCEPT_QUEUE_EMPTY_MS);
      listener.stop(false);
    },
  };
}

class BunStream implements ByteStream {
  peer: Peer | null = null;
  private readonly socket: Socket<BunStream>;
  /** Unsent chunks, oldest first; null while there are none, which is nearly always. */
  private unsent: Uint8Array[] | null = null;
  private unsentBytes = 0;
  private isEnding = false;

  constructor(socket: Socket<BunStream>) {
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
    if (this.isEnding) this.socket.shutdown();
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

  destroy(): void {
    this.unsent = null;
    this.unsentBytes = 0;
    this.socket.terminate();
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

function setBacklog(listener: object, backlog: number): void {
  const descriptor = (listener as { fd?: number }).fd;
  if (descriptor === undefined || descriptor < 0) return;
  try {
    const libc = dlopen(process.platform === "linux" ? "libc.so.6" : `libc.${suffix}`, {
      listen: { args: ["i32", "i32"], returns: "i32" },
    });
    libc.symbols.listen(descriptor, backlog);
  } catch {
    // No such libc (musl, say): Bun's own 512 stays.
  }
}
