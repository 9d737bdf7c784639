// One connection of the oracle's load: pushes batches, a few at a time in one write, plain or compressed, notes each that
// got 200 with the promise that came with it, and opens the connection again when the server ends it, until told to stop.

import { gzipSync } from "node:zlib";
import type { Answer } from "../support/answer.ts";
import { RawConnection } from "../support/raw-client.ts";
import { type Headers, post } from "../support/requests.ts";
import { pause } from "../support/server-process.ts";
import { bodyOf, PROMISES_KEPT, type PromiseKept } from "./ledger.ts";
import { type Random, wholeBetween } from "./random.ts";

const BATCH_METRICS_MAX = 20;
const PIPELINED_MAX = 4;
/** A good batch that is not stored: over the client's limit, or the server is full, or the stream is away. */
const REFUSED_STATUSES = [429, 503];
/** Stored here, and on its way into the stream: what 200 at `synced` says. From a server that promises, or was asked for, more. */
const LATE_STATUS = 504;
/** A client that comes straight back would do nothing but ask, milliseconds. */
const REFUSED_PAUSE_MS = 5;

/** What a connection may ask for. */
const PREFERRED: Readonly<Record<string, PromiseKept>> = {
  "ack=synced": "synced",
  "ack=replicated": "replicated",
};

/** Where the server listens now; null while it is down, so that nobody else on that port is ever met. */
export type PortNow = () => number | null;

/** Where it is written down what was sent and what came of it. */
export interface Notes {
  take(count: number): number;
  acknowledge(first: number, count: number, level: PromiseKept): void;
  refuse?(first: number, count: number): void;
}

export interface PusherStyle {
  /** Batches in one write, at most. */
  readonly pipelinedMax?: number;
  readonly isCompressed?: boolean;
  /** What the server promises now, where the connection asks for nothing stronger; `written` without it. */
  readonly level?: () => PromiseKept;
  /** Between two writes, milliseconds; none without it. */
  readonly pauseMs?: number;
  /** Longest wait for an answer, milliseconds. */
  readonly answerMsMax?: number;
}

export interface Pusher {
  /** Lets the connection end; resolves when nothing of it is under way any more, rejects where an answer was wrong. */
  stop(): Promise<void>;
}

export function startPusher(
  port: number | PortNow,
  ledger: Notes,
  random: Random,
  headers: Headers,
  style: PusherStyle = {},
): Pusher {
  const portNow = typeof port === "number" ? () => port : port;
  const pipelinedMax = style.pipelinedMax ?? PIPELINED_MAX;
  const sent: Headers = style.isCompressed === true ? { ...headers, "Content-Encoding": "gzip" } : headers;
  let isStopping = false;
  const done = push();
  // Told by stop(); until then nobody listens.
  done.catch(() => {});
  return {
    stop() {
      isStopping = true;
      return done;
    },
  };

  async function push(): Promise<void> {
    while (!isStopping) {
      const now = portNow();
      const connection = now === null ? null : await RawConnection.open(now).catch(() => null);
      if (connection === null) {
        await pause(2);
        continue;
      }
      while (!isStopping && (await pushOnce(connection))) {
        if (style.pauseMs !== undefined) await pause(style.pauseMs);
      }
      connection.close();
    }
  }

  /** False where the connection is over. */
  async function pushOnce(connection: RawConnection): Promise<boolean> {
    const asked = PREFERRED[headers.Prefer ?? ""];
    const own = style.level?.() ?? "written";
    const level = asked ?? own;
    const isReplicated = level === "replicated" || own === "replicated";
    const batches = Array.from({ length: wholeBetween(random, 1, pipelinedMax) }, () => {
      const count = wholeBetween(random, 1, BATCH_METRICS_MAX);
      return { first: ledger.take(count), count };
    });
    connection.send(Buffer.concat(batches.map(({ first, count }) => post(encoded(first, count), sent))));
    let isRefused = false;
    for (const { first, count } of batches) {
      const answer = await connection.answerOrEnd(false, style.answerMsMax);
      if (answer === null) return false;
      if (answer.status === 200) {
        ledger.acknowledge(first, count, asked === undefined ? level : appliedTo(answer, asked));
      } else if (answer.status === LATE_STATUS && isReplicated) ledger.acknowledge(first, count, "synced");
      else if (REFUSED_STATUSES.includes(answer.status)) {
        isRefused = true;
        ledger.refuse?.(first, count);
      } else throw new Error(`a good batch got ${answer.head}\n${answer.body}`);
      if (answer.headers.get("connection") === "close") return false;
    }
    if (isRefused) await pause(REFUSED_PAUSE_MS);
    return true;
  }

  function encoded(first: number, count: number): string | Uint8Array {
    const body = bodyOf(first, count);
    return style.isCompressed === true ? gzipSync(body) : body;
  }
}

/** What was asked for must be promised in so many words, or something stronger. */
function appliedTo({ head, headers }: Answer, asked: PromiseKept): PromiseKept {
  const applied = PREFERRED[headers.get("preference-applied") ?? ""];
  if (applied === undefined || PROMISES_KEPT.indexOf(applied) < PROMISES_KEPT.indexOf(asked))
    throw new Error(`ack=${asked} was asked for and answered with ${head}`);
  return applied;
}
