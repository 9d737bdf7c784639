// The bytes of every request that a thread can send, made once before the run: one for each body. Where clients are named,
// the name has a fixed place in them that is written over before each send, padded with the spaces that may stand behind a
// header's value (RFC 9110, 5.5), so that 10,000 clients need no 10,000 copies.

import type { LoadPlan } from "./load-plan.ts";
import type { LoadUrl } from "./load-url.ts";

/** Digits that a client's number can have. */
const NUMBER_LENGTH = 7;
const NAME_PREFIX = "load-";
const ZERO = 48;
const SPACE = 32;

export interface RequestBytes {
  bytes: Uint8Array;
  /** Where the client's number stands; -1 where clients are not named. */
  readonly numberAt: number;
}

/** One for each body of the plan, or one without a body. Clients are named from 0. */
export function buildRequests(plan: LoadPlan, url: LoadUrl): RequestBytes[] {
  const bodies = plan.bodies.length > 0 ? plan.bodies : [null];
  return bodies.map((body) => buildRequest(plan, url, body));
}

function buildRequest(plan: LoadPlan, url: LoadUrl, body: Uint8Array | null): RequestBytes {
  const given = new Set(plan.headers.map(([name]) => name.toLowerCase()));
  let head = `${plan.method} ${url.target} HTTP/1.1\r\n`;
  if (!given.has("host")) head += `Host: ${url.authority}\r\n`;
  let numberAt = -1;
  if (plan.namesClients && !given.has("x-client-id")) {
    head += `X-Client-Id: ${NAME_PREFIX}`;
    numberAt = Buffer.byteLength(head);
    head += `${"0".padEnd(NUMBER_LENGTH)}\r\n`;
  }
  for (const [name, value] of plan.headers) head += `${name}: ${value}\r\n`;
  if (!plan.keepAlive && !given.has("connection")) head += "Connection: close\r\n";
  const takesBody = body !== null || !/^(GET|HEAD|DELETE|OPTIONS|TRACE|CONNECT)$/.test(plan.method);
  if (takesBody && !given.has("content-length") && !given.has("transfer-encoding")) {
    head += `Content-Length: ${body?.length ?? 0}\r\n`;
  }
  const headBytes = Buffer.from(`${head}\r\n`, "utf8");
  // A buffer of its own: the pool that Buffer.from takes from is shared with others.
  const bytes = new Uint8Array(headBytes.length + (body?.length ?? 0));
  bytes.set(headBytes);
  if (body !== null) bytes.set(body, headBytes.length);
  return { bytes, numberAt };
}

/** Writes the client's number into its place. */
export function nameClient(request: RequestBytes, client: number): void {
  const { bytes, numberAt } = request;
  let digits = 1;
  for (let left = client; left >= 10; left = Math.floor(left / 10)) digits++;
  let left = client;
  for (let index = NUMBER_LENGTH - 1; index >= 0; index--) {
    if (index >= digits) bytes[numberAt + index] = SPACE;
    else {
      bytes[numberAt + index] = ZERO + (left % 10);
      left = Math.floor(left / 10);
    }
  }
}
