// For tests: a store that is told what to answer and keeps what it takes, and a data folder whose log is written by hand.
// It reads requests with the libraries' own readers, none of the code that wrote them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { uncompress } from "snappyjs";
import { realClock } from "../base/clock.ts";
import { realFiles } from "../log/files.ts";
import { recoverLane } from "../log/recovery.ts";
import { segmentPath } from "../log/segment-name.ts";
import type { ForwardSettings } from "./forward-settings.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";

export interface StoredSample {
  labels: Record<string, string>;
  /** As they stood in the request. */
  names: string[];
  value: number;
  ts: number;
}

export interface StoreRequest {
  /** Of the connection's other end: which of them it was. */
  port: number;
  headers: IncomingHttpHeaders;
  samples: StoredSample[];
}

export interface ScriptedAnswer {
  status: number;
  text?: string;
  headers?: Record<string, string>;
  /** Of a status that is no yes: what is kept all the same. */
  kept?: readonly StoredSample[];
}

export class ScriptedStore {
  /** All that were asked, in order; those without samples only ask whether it is there. */
  readonly requests: StoreRequest[] = [];
  /** What was taken, in order. */
  readonly taken: StoredSample[] = [];
  answer: (request: StoreRequest) => ScriptedAnswer | Promise<ScriptedAnswer> = () => ({ status: 204 });
  url = "";
  private server: Server | null = null;
  private port = 0;
  private readonly sockets = new Set<Socket>();

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", async () => {
        const port = request.socket.remotePort ?? 0;
        const asked = { port, headers: request.headers, samples: decodeRequest(Buffer.concat(parts)) };
        this.requests.push(asked);
        const { status, text = "", headers = {}, kept } = await this.answer(asked);
        if (status === CUT) {
          request.socket.destroy();
          return;
        }
        if (status < 300) this.taken.push(...asked.samples);
        else this.taken.push(...(kept ?? []));
        response.writeHead(status, headers);
        response.end(text);
      });
    });
    this.server = server;
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.port = (server.address() as { port: number }).port;
    this.url = `http://127.0.0.1:${this.port}/api/v1/write`;
  }

  /** Breaks the connection whose other end has that port. */
  cut(port: number): void {
    for (const socket of this.sockets) if (socket.remotePort === port) socket.destroy();
  }

  /** Its connections break; open() brings it back at the same address. */
  async close(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  /** Of the log's, without the forwarder's own reports. */
  get values(): number[] {
    return this.taken.filter(isOfLog).map(({ value }) => value);
  }
}

/** A status that breaks the connection instead of an answer. */
export const CUT = -1;

export function isOfLog({ labels }: StoredSample): boolean {
  return labels.client !== "tidemark";
}

export function decodeRequest(body: Uint8Array): StoredSample[] {
  const reader = new BinaryReader(uncompress(new Uint8Array(body)));
  const samples: StoredSample[] = [];
  while (reader.pos < reader.len) {
    reader.tag();
    samples.push(...decodeSeries(new BinaryReader(reader.bytes())));
  }
  return samples;
}

function decodeSeries(reader: BinaryReader): StoredSample[] {
  const names: string[] = [];
  const labels: Record<string, string> = {};
  const samples: StoredSample[] = [];
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    const inner = new BinaryReader(reader.bytes());
    if (field === 1) {
      inner.tag();
      const name = inner.string();
      inner.tag();
      names.push(name);
      labels[name] = inner.string();
    } else {
      inner.tag();
      const value = inner.double();
      inner.tag();
      samples.push({ labels, names, value, ts: Number(inner.int64()) });
    }
    if (inner.pos !== inner.len) throw new Error("a message has more in it than it should");
  }
  return samples;
}

export class ForwardBed {
  readonly data = mkdtempSync(join(tmpdir(), "tidemark-forward-"));
  readonly store = new ScriptedStore();
  readonly said: { level: string; text: string; fields: Record<string, unknown> }[] = [];
  private readonly forwarders: Forwarder[] = [];
  private readonly ends = new Map<number, number>();

  /** The lines become a sealed segment at the lane's end. */
  append(lane: number, lines: readonly string[]): void {
    const directory = join(this.data, `lane-${lane}`);
    mkdirSync(directory, { recursive: true });
    const first = this.ends.get(lane) ?? 0;
    writeFileSync(segmentPath(directory, first), lines.map((line) => `${line}\n`).join(""));
    recoverLane(realFiles, directory, () => {});
    this.ends.set(lane, first + lines.length);
  }

  start(settings: Partial<ForwardSettings> = {}): Forwarder {
    const forwarder = startForwarder({
      dataFolder: this.data,
      files: realFiles,
      clock: realClock,
      userAgent: "tidemark/test",
      log: (level, text, fields) => this.said.push({ level, text, fields }),
      settings: {
        url: new URL(this.store.url),
        headers: {},
        authorization: () => ({}),
        forgetAuthorization() {},
        ca: "",
        connections: 2,
        batchSamples: 100,
        timeoutMs: 5_000,
        resendMs: 0,
        name: "test",
        ...settings,
      },
    });
    this.forwarders.push(forwarder);
    return forwarder;
  }

  /** Forwards all that is there, and ends. */
  async forwardAll(settings: Partial<ForwardSettings> = {}): Promise<Forwarder> {
    const forwarder = this.start(settings);
    await forwarder.untilEnd();
    await forwarder.close();
    return forwarder;
  }

  async close(): Promise<void> {
    await Promise.all(this.forwarders.map((forwarder) => forwarder.close(0)));
    await this.store.close();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** A line of the log. */
export function lineOf(
  value: number,
  {
    ts = 1_763_890_000_000 + value,
    name = "m",
    host = "a",
  }: { ts?: number; name?: string; host?: string } = {},
): string {
  return JSON.stringify({ ts, name, value, type: "gauge", tags: { host }, client: "c" });
}
