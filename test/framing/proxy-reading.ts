// What a proxy makes of a stream of bytes: the requests that it forwards, its own refusals between them, and how the
// stream stands in the end. The bytes are sent on a connection of their own; what comes back tells, by a field that the
// backend sets, which answers are forwarded ones.

import { connect } from "node:net";
import type { Standing } from "./own-reading.ts";
import type { FrontProxy } from "./proxies.ts";
import { FORWARDED_FIELD, type Forwarded, type RecordingBackend } from "./recording-backend.ts";

/** One answer: to a request that was forwarded, or the proxy's own. */
export interface ProxyAnswer {
  readonly status: number;
  /** The Forwarded's number; 0 where the proxy refused. */
  readonly forwardedAs: number;
}

export interface ProxyReading {
  readonly answers: readonly ProxyAnswer[];
  /** Every connection to the backend that the stream led to, in the order they were opened. */
  readonly forwarded: readonly Forwarded[];
  /** "closed" by the proxy, or "waiting": it neither answered nor closed in the time given. */
  readonly standing: Standing;
}

/** Time for the backend's connections to end once the client's has. */
const SETTLE_MS_MAX = 500;
const SETTLE_STEP_MS = 5;
const ANSWER_PATTERN = /HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/g;
const FORWARDED_PATTERN = new RegExp(`^${FORWARDED_FIELD}: (\\d+)$`, "im");

/** Sends the bytes; `silenceMs` without a byte and the stream is held to be waiting. */
export async function readAsProxy(
  proxy: FrontProxy,
  backend: RecordingBackend,
  bytes: Buffer,
  silenceMs: number,
): Promise<ProxyReading> {
  const { received, clientPort, standing } = await exchangeWith(proxy.port, bytes, silenceMs);
  const client = `${proxy.port}-${clientPort}`;
  for (let ms = 0; ms < SETTLE_MS_MAX && backend.isOpen(client); ms += SETTLE_STEP_MS)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
  return { answers: answersIn(received), forwarded: backend.take(client), standing };
}

interface Exchanged {
  readonly received: string;
  readonly clientPort: number;
  readonly standing: Standing;
}

function exchangeWith(port: number, bytes: Buffer, silenceMs: number): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let received = "";
    let clientPort = 0;
    let isDone = false;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const done = (standing: Standing): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ received, clientPort, standing });
    };
    const timer = setTimeout(() => done("waiting"), silenceMs);
    socket.on("connect", () => {
      clientPort = socket.localPort ?? 0;
      socket.write(bytes);
    });
    socket.on("data", (more: Buffer) => {
      received += more.toString("latin1");
      timer.refresh();
    });
    socket.on("end", () => done("closed"));
    socket.on("error", (error) => {
      if (clientPort === 0) reject(error);
      else done("closed");
    });
    socket.on("close", () => done("closed"));
  });
}

function answersIn(received: string): ProxyAnswer[] {
  const answers: ProxyAnswer[] = [];
  for (const [, status, fields] of received.matchAll(ANSWER_PATTERN)) {
    if (status === "100") continue;
    const match = FORWARDED_PATTERN.exec(fields!.replaceAll("\r", ""));
    answers.push({ status: Number(status), forwardedAs: match === null ? 0 : Number(match[1]) });
  }
  return answers;
}
