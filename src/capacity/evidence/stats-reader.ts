// Asks a Tidemark what it knows of itself, GET /stats, over one connection of its own that was opened before the load:
// under overload a new one might not be let in. One question is under way at a time. A sample waits for its answer only
// so long; an answer that comes later serves the next sample, and past the timeout the question is given up.

import { Agent, get, type IncomingMessage } from "node:http";
import { TidemarkError } from "../../errors.ts";
import type { TargetFacts } from "../level.ts";
import type { StatsSample } from "./sample.ts";
import { reduceStats, settingsOf, softwareOf } from "./stats-sample.ts";

/** Given up after this; an answer that old says nothing of now. */
const TIMEOUT_MS = 1_000;
/** A sample waits this long, less than the time to the next. */
const SAMPLE_WAIT_MS = 200;
/** The first question may meet a server that is still warming up. */
const DETECT_TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 1024 * 1024;

interface Answer {
  status: number;
  server: string | null;
  body: string;
}

export class StatsReader {
  private readonly url: string;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private pending: Promise<StatsSample | null> | null = null;
  private isClosed = false;

  constructor(url: string) {
    this.url = url;
  }

  /** Null where no answer came in time, or none of a Tidemark. */
  async read(): Promise<StatsSample | null> {
    if (this.isClosed) return null;
    this.pending ??= ask(this.url, this.agent, TIMEOUT_MS).then(
      ({ body }) => reduceStats(parsed(body)),
      () => null,
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, SAMPLE_WAIT_MS, undefined);
    });
    const stats = await Promise.race([this.pending, waited]);
    clearTimeout(timer);
    if (stats === undefined) return null;
    this.pending = null;
    return stats;
  }

  close(): void {
    this.isClosed = true;
    this.agent.destroy();
  }
}

/**
 * What the server says it is. Throws TidemarkError where nothing answers the connection; a server that takes it and
 * says nothing, or speaks something else, is there but unknown.
 */
export async function detectTarget(
  url: string,
): Promise<Pick<TargetFacts, "isTidemark" | "software" | "settings">> {
  const agent = new Agent();
  try {
    const { status, server, body } = await ask(new URL("/stats", url).href, agent, DETECT_TIMEOUT_MS);
    const stats = status === 200 ? parsed(body) : null;
    if (reduceStats(stats) === null) return { isTidemark: false, software: server, settings: null };
    return { isTidemark: true, software: softwareOf(stats), settings: settingsOf(stats) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (UNREACHABLE.has(code)) throw unreachable(url, code);
    return { isTidemark: false, software: null, settings: null };
  } finally {
    agent.destroy();
  }
}

/** Codes of a connection that was never made; ConnectionRefused and FailedToOpenSocket are Bun's words. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ConnectionRefused",
  "FailedToOpenSocket",
]);

/** The error that says so, for whoever finds that nothing answers at `url`. */
export function unreachable(url: string, code: string): TidemarkError {
  return new TidemarkError(
    `cannot reach ${url} because of ${code}; start the server, or name its address with --target`,
  );
}

function ask(url: string, agent: Agent, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: { accept: "application/json" } }, (response) =>
      readAnswer(response)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer)),
    );
    const timer = setTimeout(
      () => request.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
      timeoutMs,
    );
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  response.setEncoding("utf8");
  let body = "";
  for await (const part of response) {
    body += part as string;
    if (body.length > BODY_BYTES_MAX) {
      response.destroy();
      break;
    }
  }
  return { status: response.statusCode ?? 0, server: response.headers.server?.toString() ?? null, body };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
