// TLS behind the seam, against clients of the runtime's own and of openssl: the same file passes on Bun and on Node.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { connect as connectPlain, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import {
  HAS_OPENSSL,
  type MadeCertificate,
  makeCertificate,
  newCertificateFolder,
} from "../../test/support/certificates.ts";
import { listen } from "./listen.ts";
import type { ByteStream, Listener, Peer, TlsIdentity } from "./transport.ts";

/** The server's end of a connection: keeps what it was told, answers where a test says how. */
class Told implements Peer {
  readonly events: string[] = [];
  readonly stream: ByteStream;
  bytes = 0;
  partsWithPeer = true;
  onBytes: (told: Told, bytes: Uint8Array) => void = (told, bytes) => told.stream.write(Buffer.from(bytes));
  private readonly waiting = new Set<() => void>();

  constructor(stream: ByteStream) {
    this.stream = stream;
  }
  received(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.onBytes(this, bytes);
    this.note("received");
  }
  drained(): void {
    this.note("drained");
  }
  peerEnded(): void {
    if (this.partsWithPeer) this.stream.destroy();
    this.note("peerEnded");
  }
  closed(): void {
    this.note("closed");
  }
  async hears(event: string): Promise<void> {
    while (!this.events.includes(event)) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }
  private note(event: string): void {
    this.events.push(event);
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}

const HANDSHAKE_MS_MAX = 300;

if (HAS_OPENSSL) {
  describe("a listener that speaks TLS", { timeout: 20_000 }, () => {
    const folder = newCertificateFolder();
    const failures: string[] = [];
    const peers: Told[] = [];
    const sockets = new Set<Socket>();
    let listener: Listener;
    let one: MadeCertificate;

    before(async () => {
      one = makeCertificate(folder, "one");
      listener = await open(one);
    });
    after(async () => {
      for (const socket of sockets) socket.destroy();
      await listener.close();
    });

    function open(made: MadeCertificate, handshakeMsMax = 20_000): Promise<Listener> {
      return listen({
        host: "127.0.0.1",
        port: 0,
        backlog: 16,
        opened(stream) {
          const told = new Told(stream);
          peers.push(told);
          return told;
        },
        tls: {
          identity: identityOf(made),
          handshakeMsMax,
          handshakeFailed: (code) => failures.push(code),
        },
      });
    }

    function track<T extends Socket>(socket: T): T {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      return socket;
    }

    function secured(options: ConnectionOptions = {}, port = listener.port): Promise<TLSSocket> {
      return new Promise((resolve, reject) => {
        const settings = {
          host: "127.0.0.1",
          port,
          rejectUnauthorized: false,
          allowHalfOpen: true,
          ...options,
        };
        const socket = track(connect(settings, () => resolve(socket)));
        socket.on("error", reject);
      });
    }

    /** The next failed handshake's code, and that its peer was told of its end. */
    async function failure(provoke: () => void): Promise<string> {
      const count = failures.length;
      const opened = peers.length;
      provoke();
      while (peers.length === opened) await turn();
      await peers[opened]!.hears("closed");
      assert.deepEqual(peers[opened]!.events, ["closed"]);
      assert.equal(failures.length, count + 1);
      return failures.at(-1)!;
    }

    test("shows its certificate, speaks HTTP/1.1 at TLS 1.3 and knows who is there", async () => {
      const socket = await secured({
        ca: one.certificate,
        rejectUnauthorized: true,
        ALPNProtocols: ["http/1.1"],
      });
      assert.equal(socket.getProtocol(), "TLSv1.3");
      assert.equal(socket.alpnProtocol, "http/1.1");
      socket.write("hello");
      assert.equal(await textOf(socket, 5), "hello");
      assert.equal(peers.at(-1)!.stream.remoteAddress(), "127.0.0.1");
      socket.destroy();
      await peers.at(-1)!.hears("closed");
    });

    test("takes TLS 1.2 and nothing older, and no renegotiation", async () => {
      const socket = await secured({ maxVersion: "TLSv1.2" });
      assert.equal(socket.getProtocol(), "TLSv1.2");
      socket.destroy();
      const old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
      assert.match(await failure(() => void openssl(listener.port, old, "")), /PROTOCOL/);
      // "R" on a line of its own asks openssl for a renegotiation.
      assert.match(await openssl(listener.port, ["-tls1_2"], "R\n"), /no renegotiation/i);
    });

    test("refuses a client that speaks HTTP/2 only", async () => {
      const code = await failure(() => void openssl(listener.port, ["-alpn", "h2"], ""));
      assert.match(code, /NO_APPLICATION_PROTOCOL/);
    });

    test("closes what is no handshake, and serves the next one", async () => {
      const say = (bytes: string | Uint8Array, then: (socket: Socket) => void) => () => {
        const socket = track(connectPlain(listener.port, "127.0.0.1"));
        socket.resume().write(bytes, () => then(socket));
      };
      const wait = (): void => {};
      const hello = Buffer.from([0x16, 3, 1, 2, 0, 1]);
      assert.match(await failure(say("GET / HTTP/1.1\r\nHost: a\r\n\r\n", wait)), /HTTP_REQUEST/);
      assert.match(await failure(say(randomBytes(400).fill(0xff, 0, 4), wait)), /^ERR_SSL/);
      assert.match(await failure(say(hello, (socket) => socket.end())), /ENDED|CLOSED|ECONNRESET/);
      assert.match(
        await failure(say(hello, (socket) => socket.resetAndDestroy())),
        /ENDED|CLOSED|ECONNRESET/,
      );
      const socket = await secured();
      socket.write("still here");
      assert.equal(await textOf(socket, 10), "still here");
      socket.destroy();
    });

    test("cuts a handshake that drips in, however long it drips", async () => {
      const impatient = await open(one, HANDSHAKE_MS_MAX);
      const code = await failure(() => {
        const socket = track(connectPlain(impatient.port, "127.0.0.1"));
        const drip = setInterval(() => socket.write(Buffer.from([0x16])), HANDSHAKE_MS_MAX / 6);
        socket.on("close", () => clearInterval(drip)).resume();
        socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
      });
      assert.equal(code, "TIMEOUT");
      await impatient.close();
    });

    test("sends what was written before the handshake once that is done", async () => {
      const greeting = await listen({
        host: "127.0.0.1",
        port: 0,
        backlog: 16,
        opened(stream) {
          stream.write(Buffer.from("no room"));
          stream.end();
          return new Told(stream);
        },
        tls: { identity: identityOf(one), handshakeMsMax: 20_000, handshakeFailed() {} },
      });
      const socket = await secured({}, greeting.port);
      assert.equal(await textToTheEnd(socket), "no room");
      socket.destroy();
      await greeting.close();
    });

    test("answers a client that has ended its side, and says goodbye before it closes", async () => {
      const socket = await secured();
      const told = peers.at(-1)!;
      const answer = "a".repeat(10_000);
      told.onBytes = () => {};
      told.partsWithPeer = false;
      socket.end("the last request");
      await told.hears("peerEnded");
      // The second one leaves a turn of the loop later, on Node.
      told.stream.write(Buffer.from(answer.slice(0, 4_000)));
      told.stream.write(Buffer.from(answer.slice(4_000)));
      told.stream.end();
      // As a connection does that has nothing more to wait for.
      assert.equal(told.stream.backlogBytes(), 0);
      told.stream.destroy();
      assert.equal(await textToTheEnd(socket), answer);
      await told.hears("closed");
      assert.deepEqual(told.events, ["received", "peerEnded", "closed"]);
    });

    test("keeps what a client does not read, and says when it is sent", async () => {
      const socket = (await secured()).pause();
      const told = peers.at(-1)!;
      told.stream.write(new Uint8Array(16 * 1024 * 1024));
      assert.ok(told.stream.backlogBytes() > 0);
      let bytes = 0;
      socket.on("data", (piece: Buffer) => {
        bytes += piece.length;
      });
      socket.resume();
      await told.hears("drained");
      assert.equal(told.stream.backlogBytes(), 0);
      while (bytes < 16 * 1024 * 1024) await turn();
      told.stream.destroy();
      await told.hears("closed");
    });

    test("does not read from a client while it is paused", async () => {
      const socket = await secured();
      const told = peers.at(-1)!;
      told.onBytes = () => {};
      told.stream.pause();
      const bytes = 32 * 1024 * 1024;
      socket.write(new Uint8Array(bytes));
      // Another client's round trips show that time has passed.
      const other = await secured();
      for (let round = 0; round < 50; round++) {
        other.write("tick");
        assert.equal(await textOf(other, 4), "tick");
      }
      assert.ok(told.bytes < bytes / 4, `${told.bytes}`);
      told.stream.resume();
      while (told.bytes < bytes) await turn();
      socket.destroy();
      other.destroy();
    });

    test("resumes a session, and not under another certificate", async () => {
      const first = await secured();
      const session = await new Promise<Buffer>((resolve) => {
        first.on("session", resolve);
        first.write("x");
      });
      const second = await secured({ session });
      assert.ok(second.isSessionReused());
      const two = makeCertificate(folder, "two");
      listener.useIdentity(identityOf(two));
      const third = await secured({ session });
      assert.ok(!third.isSessionReused());
      assert.equal(third.getPeerCertificate().subject.CN, "two");
      second.write("goes on");
      assert.equal(await textOf(second, 7), "goes on");
      for (const socket of [first, second, third]) socket.destroy();
      listener.useIdentity(identityOf(one));
    });

    test("closes with its open connections going on", async () => {
      const closing = await open(one);
      const socket = await secured({}, closing.port);
      await closing.close();
      socket.write("still here");
      assert.equal(await textOf(socket, 10), "still here");
      await assert.rejects(secured({}, closing.port));
      socket.destroy();
    });
  });
}

function identityOf(made: MadeCertificate): TlsIdentity {
  return { certificate: made.certificate, key: made.key, ticketKeys: randomBytes(48) };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The next `bytes` bytes. */
function textOf(socket: Socket, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const hear = (piece: Buffer): void => {
      text += piece;
      if (text.length < bytes) return;
      socket.off("data", hear);
      resolve(text);
    };
    socket.on("data", hear);
  });
}

function textToTheEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (piece: Buffer) => {
      text += piece;
    });
    socket.on("end", () => resolve(text));
  });
}

/** What `openssl s_client` says, on both its outputs. */
function openssl(port: number, words: readonly string[], input: string): Promise<string> {
  return new Promise((resolve) => {
    const all = ["s_client", "-connect", `127.0.0.1:${port}`, ...words];
    const child = execFile("openssl", all, { timeout: 10_000 }, (_error, out, error) => resolve(out + error));
    child.stdin!.on("error", () => {});
    child.stdin!.end(input);
  });
}
