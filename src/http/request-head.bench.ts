// Nanoseconds for one head: the common one of our clients, one as a browser sends it, and the smallest.
// A plain loop over the bytes of the common head runs in the same rounds: the floor that no byte-wise parser goes under.

import { HEAD_COMPLETE, RequestHead } from "./request-head.ts";

const HEADS = {
  common:
    "POST /metrics HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: tidemark-load/0.1\r\nAccept: */*\r\n" +
    "Content-Type: application/json\r\nX-Client-Id: client-17\r\nContent-Length: 263\r\n\r\n",
  browser:
    "GET /stats?window=60 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n" +
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36\r\n" +
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n",
  least: "GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
};

export function run(small: boolean): void {
  const rounds = small ? 1 : 7;
  const repeats = small ? 1_000 : 400_000;
  const head = new RequestHead();
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, text] of Object.entries(HEADS)) {
      const bytes = Buffer.from(text, "latin1");
      note(best, name, timeParse(head, bytes, repeats));
      if (name === "common") note(best, "common, bytes only read", timeRead(bytes, repeats));
    }
  }
  for (const [name, nanoseconds] of best) console.error(`request-head ${name}: ${nanoseconds.toFixed(0)} ns`);
}

function timeParse(head: RequestHead, bytes: Uint8Array, repeats: number): number {
  const startedMs = performance.now();
  let complete = 0;
  for (let index = 0; index < repeats; index++) {
    if (head.parse(bytes, 0, bytes.length) === HEAD_COMPLETE) complete++;
  }
  if (complete !== repeats) throw new Error("cannot measure because a head was not complete");
  return ((performance.now() - startedMs) * 1e6) / repeats;
}

function timeRead(bytes: Uint8Array, repeats: number): number {
  const startedMs = performance.now();
  let seen = 0;
  for (let index = 0; index < repeats; index++) {
    for (let at = 0; at < bytes.length; at++) seen ^= bytes[at];
  }
  if (seen > 255) throw new Error("cannot happen: bytes are below 256");
  return ((performance.now() - startedMs) * 1e6) / repeats;
}

function note(best: Map<string, number>, name: string, nanoseconds: number): void {
  best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, nanoseconds));
}

if (import.meta.main) run(false);
