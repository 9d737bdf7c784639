// The seam between the runtimes: what a listening socket and a connection are to the rest of the program.
// bun.ts and node.ts are its two sides, listen.ts and connect.ts take the right one; everything above is the same code on
// both. One thread owns a listener, its sockets and their peers; nothing here is shared.
//
//   kernel ──bytes──▶ Transport (bun.ts | node.ts) ──received()──▶ Peer
//   kernel ◀─bytes─── Transport ◀──────────write()──────────────── Peer

/** One connection, as its peer sees it. */
export interface ByteStream {
  /** Sends bytes after all earlier ones. What the kernel does not take at once is kept here, without a copy: the caller must not change the bytes afterwards. */
  write(bytes: Uint8Array): void;
  /** Bytes taken by write() that the kernel has not taken yet. */
  backlogBytes(): number;
  /** Stops and restarts received(). */
  pause(): void;
  resume(): void;
  /** Sends FIN after everything written; the other direction stays open. */
  end(): void;
  /** Closes both directions now; what is unsent is dropped, but behind end() only what the kernel has not taken yet. */
  destroy(): void;
  /** The other end's address, without the port. */
  remoteAddress(): string;
}

/** What a connection is to the program: it is told these things, in this order, closed() once and last. */
export interface Peer {
  /** Bytes arrived. They are the transport's again when this returns: what is kept must be copied. */
  received(bytes: Uint8Array): void;
  /** The backlog has reached 0 again. */
  drained(): void;
  /** The other side sent FIN: nothing more will arrive, but it may still read. */
  peerEnded(): void;
  closed(): void;
}

export interface ListenOptions {
  host: string;
  /** 0: the kernel's choice. */
  port: number;
  /** Length asked for the accept queue; the kernel caps it at somaxconn. */
  backlog: number;
  /** Makes the peer of a new connection. */
  opened(stream: ByteStream): Peer;
  /** Speaks TLS where it is there. */
  tls?: TlsOptions | undefined;
}

/** What a server proves itself with. */
export interface TlsIdentity {
  /** PEM: the server's own certificate, then those that lead to a root. */
  readonly certificate: string;
  /** PEM, not encrypted. Secret: nothing may print or throw it. */
  readonly key: string;
  /** 48 random bytes, as secret as the key: what session tickets are sealed with. */
  readonly ticketKeys: Uint8Array;
}

export interface TlsOptions {
  readonly identity: TlsIdentity;
  /** From the accept to the end of the handshake, however it drips in; then the connection is cut. */
  readonly handshakeMsMax: number;
  /** A connection ended without having finished its handshake; `code` is the TLS library's, the system's, or TIMEOUT, ENDED, CLOSED. */
  handshakeFailed(code: string): void;
}

export interface Listener {
  readonly port: number;
  /** For handshakes from now on; open connections go on with theirs. Nothing where the listener speaks no TLS. */
  useIdentity(identity: TlsIdentity): void;
  /**
   * Stops listening; open connections go on. The kernel resets what sits in the accept queue of a closed socket, and that
   * may be a client in the middle of its first request: so the queue is first shortened to nothing and emptied.
   */
  close(): Promise<void>;
}

/** A connection that we asked for: as any other, but it can also be closed politely. */
export interface OutboundStream extends ByteStream {
  /** Closes both directions with a FIN, once what was written is sent; destroy() may be a reset. */
  close(): void;
}

/** What a connection that we ask for is to the program: first exactly one of connected() and failed(). */
export interface OutboundPeer extends Peer {
  connected(stream: OutboundStream): void;
  /** There is no connection; nothing else is said. `code` is the system's: ECONNREFUSED, EADDRNOTAVAIL, EMFILE, … */
  failed(code: string): void;
}

export interface ConnectOptions {
  /** An IPv4 or IPv6 address, without brackets: names are looked up once, before. */
  readonly host: string;
  readonly port: number;
}

/** A connection on its way. */
export interface Attempt {
  /** Gives it up, and drops the connection where it is made already; its peer is told nothing any more. */
  abandon(): void;
}

/**
 * Asks for a connection. Its peer is told what became of it later, never before this returns: not even where the system
 * says no at once.
 */
export type Connect = (options: ConnectOptions, peer: OutboundPeer) => Attempt;

/** Time for the event loop to take what is in the accept queue, milliseconds. */
export const ACCEPT_QUEUE_EMPTY_MS = 20;
