// HOT: TLS for accepted connections, the same code on both runtimes: node:tls around the socket that node:net accepted.
// On Bun that made 0.95 x the rate of Bun.listen's own TLS in one run, and it takes the certificate at each handshake,
// so that a new one needs no new listener. Runs on the ingest thread that owns the listener.
//
//   accepted ─▶ handshake ─▶ secure ─▶ … ─▶ end() ─▶ close_notify, FIN ─▶ closed
//                  │ too slow, garbage, plain HTTP, reset: handshakeFailed(code), closed
//
// The peer is made as the connection is accepted: one that never finishes its handshake counts as open meanwhile.

import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { ByteStream, ListenOptions, Peer, TlsIdentity, TlsOptions } from "./transport.ts";

/** Bytes that may be on their way through the TLS layer before they count as a backlog: every write is, for a turn of the loop. */
const TRANSIT_BYTES_MAX = 16 * 1024;
/** Time for what was written before end() to leave once the connection is given up, milliseconds. */
const PARTING_MS_MAX = 2_000;
const PROTOCOLS = ["http/1.1"];
const EMPTY = new Uint8Array(0);

type OwnedSocket = TLSSocket & { stream: TlsStream };

/** Throws OpenSSL's error where the certificate and the key do not fit or are too weak. */
export function openContext(identity: TlsIdentity): SecureContext {
  return createSecureContext({
    cert: identity.certificate,
    key: identity.key,
    minVersion: "TLSv1.2",
    // Of all threads, so that a client may resume its session on any of them (Node; Bun's are each thread's own).
    ticketKeys: Buffer.from(identity.ticketKeys),
    sessionIdContext: "tidemark",
    // Bun's library never renegotiates and has no such option.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION ?? 0,
  });
}

/** Makes a stream of each accepted socket. */
export class TlsGate {
  private readonly options: Pick<ListenOptions, "opened">;
  private readonly tls: TlsOptions;
  private context: SecureContext;

  constructor(options: Pick<ListenOptions, "opened">, tls: TlsOptions) {
    this.options = options;
    this.tls = tls;
    this.context = openContext(tls.identity);
  }

  useIdentity(identity: TlsIdentity): void {
    this.context = openContext(identity);
  }

  accept(accepted: Socket): void {
    if (accepted.destroyed) return;
    const settings = { isServer: true, secureContext: this.context, ALPNProtocols: PROTOCOLS };
    const socket = new TLSSocket(accepted, settings) as OwnedSocket;
    const stream = new TlsStream(socket, accepted.remoteAddress ?? "", this.tls);
    socket.stream = stream;
    socket.on("secure", onSecure);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    stream.peer = this.options.opened(stream);
  }
}

class TlsStream implements ByteStream {
  peer: Peer | null = null;
  private readonly socket: TLSSocket;
  private readonly address: string;
  private readonly tls: TlsOptions;
  /** The handshake's deadline, later that of the parting. */
  private timer: NodeJS.Timeout | undefined;
  private isSecure = false;
  private failure = "";
  private isDraining = false;
  private isEnding = false;
  private isParting = false;

  constructor(socket: TLSSocket, address: string, tls: TlsOptions) {
    this.socket = socket;
    this.address = address;
    this.tls = tls;
    this.timer = setTimeout(() => this.failed("TIMEOUT"), tls.handshakeMsMax);
  }

  // ── from the socket ─────────────────────────────────────────────────────────────────────────────────────────────

  secure(): void {
    this.isSecure = true;
    clearTimeout(this.timer);
  }

  received(bytes: Uint8Array): void {
    this.peer?.received(bytes);
  }

  peerEnded(): void {
    if (this.isSecure) this.peer?.peerEnded();
    else this.failed("ENDED");
  }

  /** After a handshake it is a reset, a broken pipe or a record that is none: "close" follows and says all there is to say. */
  failed(code: string): void {
    if (this.failure === "") this.failure = code;
    this.socket.destroy();
  }

  closed(): void {
    clearTimeout(this.timer);
    if (!this.isSecure) this.tls.handshakeFailed(this.failure === "" ? "CLOSED" : this.failure);
    const { peer } = this;
    this.peer = null;
    peer?.closed();
  }

  // ── from the peer ───────────────────────────────────────────────────────────────────────────────────────────────

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
    if (!this.isDraining && this.backlogBytes() > 0) this.awaitDrain();
  }

  /** An empty write behind the backlog always returns. */
  private awaitDrain(): void {
    this.isDraining = true;
    this.socket.write(EMPTY, () => {
      this.isDraining = false;
      if (this.backlogBytes() > 0) this.awaitDrain();
      else this.peer?.drained();
    });
  }

  backlogBytes(): number {
    const bytes = this.socket.writableLength;
    return bytes > TRANSIT_BYTES_MAX ? bytes : 0;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.isEnding = true;
    this.socket.end();
  }

  /** Behind end() the last answer may still be in transit: the first destroy() lets it leave, a second one does not wait. */
  destroy(): void {
    if (!this.isSecure || !this.isEnding || this.isParting) {
      this.socket.destroy();
      return;
    }
    this.isParting = true;
    this.timer = setTimeout(() => this.socket.destroy(), PARTING_MS_MAX);
    this.socket.destroySoon();
  }

  remoteAddress(): string {
    return this.address;
  }
}

function onSecure(this: TLSSocket): void {
  (this as OwnedSocket).stream.secure();
}

function onData(this: TLSSocket, bytes: Buffer): void {
  (this as OwnedSocket).stream.received(bytes);
}

function onEnd(this: TLSSocket): void {
  (this as OwnedSocket).stream.peerEnded();
}

function onError(this: TLSSocket, error: Error): void {
  (this as OwnedSocket).stream.failed((error as NodeJS.ErrnoException).code ?? "UNKNOWN");
}

function onClose(this: TLSSocket): void {
  (this as OwnedSocket).stream.closed();
}
