// One connection to the store, kept open, with one request under way at most: what goes through it arrives in order. By
// node:http, which runs on both runtimes: 440 us of processor time a request of 2,000 samples on Node and on Bun, where
// fetch took 240 on Bun, but 890 and 50 MiB more on Node.

import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { FORWARD_ANSWER_BYTES_MAX } from "../limits.ts";
import type { ForwardSettings } from "./forward-settings.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { StoreAnswer } from "./verdict.ts";

export class StoreConnection {
  private readonly settings: ForwardSettings;
  private readonly agent: http.Agent;
  private readonly onLost: () => void;
  private request: http.ClientRequest | null = null;
  private socket: Socket | null = null;
  /** It was announced, or is our own doing. */
  private isEndExpected = false;

  /** `onLost`: the connection broke, idle or not, without a word before. */
  constructor(settings: ForwardSettings, onLost: () => void) {
    this.settings = settings;
    this.onLost = onLost;
    const isTls = settings.url.protocol === "https:";
    const options = { keepAlive: true, maxSockets: 1 };
    this.agent = isTls
      ? new https.Agent(settings.ca === "" ? options : { ...options, ca: settings.ca })
      : new http.Agent(options);
  }

  /** Sends `body`, a compressed WriteRequest, which is the connection's until the answer. Never rejects. */
  post(body: Buffer, userAgent: string): Promise<StoreAnswer> {
    const { url, headers, timeoutMs, authorization } = this.settings;
    return new Promise((resolve) => {
      const { request: send } = url.protocol === "https:" ? https : http;
      const timer = setTimeout(() => fail("no answer within --timeout"), timeoutMs);
      const finish = (answer: StoreAnswer): void => {
        clearTimeout(timer);
        this.request = null;
        resolve(answer);
      };
      const fail = (text: string): void => {
        request.destroy();
        finish({ status: 0, text, retryAfterMs: null, isVictoriaMetrics: false });
      };
      const fields = {
        ...headers,
        ...authorization(),
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "User-Agent": userAgent,
        "Content-Length": String(body.length),
      };
      const request = send(url, { method: "POST", agent: this.agent, headers: fields }, (response) => {
        const parts: Buffer[] = [];
        let kept = 0;
        const done = (): void => {
          if (response.headers.connection === "close") this.isEndExpected = true;
          finish({
            status: response.statusCode ?? 0,
            text: Buffer.concat(parts).subarray(0, FORWARD_ANSWER_BYTES_MAX).toString("utf8").trim(),
            retryAfterMs: retryAfterMs(response.headers["retry-after"], Date.now()),
            isVictoriaMetrics: response.headers["x-server-hostname"] !== undefined,
          });
        };
        response.on("data", (part: Buffer) => {
          if (kept < FORWARD_ANSWER_BYTES_MAX) parts.push(part);
          kept += part.length;
          // A page for people: who sends a megabyte with its no is not listened to.
          if (kept > ANSWER_READ_BYTES_MAX) {
            done();
            this.isEndExpected = true;
            request.destroy();
          }
        });
        response.on("end", done);
        response.on("error", (error) => fail(describe(error)));
        response.on("aborted", () => fail("the connection broke in the answer"));
      });
      request.on("error", (error) => fail(describe(error)));
      request.on("socket", (socket) => this.watch(socket));
      this.request = request;
      request.end(body);
    });
  }

  /** What is under way ends as a failure. */
  close(): void {
    this.isEndExpected = true;
    this.request?.destroy(new Error("the forwarder ends"));
    this.agent.destroy();
  }

  private watch(socket: Socket): void {
    if (socket === this.socket) return;
    this.socket = socket;
    this.isEndExpected = false;
    socket.once("close", () => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (!this.isEndExpected) this.onLost();
    });
  }
}

const ANSWER_READ_BYTES_MAX = 64 * 1024;

function describe(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}
