// Nanoseconds for one chunked body: the batch of a client that streams it in one chunk, and in many small ones.

import { CHUNKED_DONE, ChunkedBody } from "./chunked-body.ts";

const BATCH = "x".repeat(263);
const BODIES = {
  "one chunk of 263 bytes": `107\r\n${BATCH}\r\n0\r\n\r\n`,
  "27 chunks of 10 bytes": `${"a\r\n0123456789\r\n".repeat(27)}0\r\n\r\n`,
};

export function run(small: boolean): void {
  const rounds = small ? 1 : 7;
  const repeats = small ? 100 : 100_000;
  const best = new Map<string, number>();
  const out = new Uint8Array(1024);
  const decoder = new ChunkedBody();
  for (let round = 0; round < rounds; round++) {
    for (const [name, text] of Object.entries(BODIES)) {
      const bytes = Buffer.from(text, "latin1");
      const startedMs = performance.now();
      for (let index = 0; index < repeats; index++) {
        decoder.reset();
        if (decoder.decode(bytes, 0, bytes.length, out, 0, out.length) !== CHUNKED_DONE) {
          throw new Error("cannot measure because a body was not complete");
        }
      }
      const nanoseconds = ((performance.now() - startedMs) * 1e6) / repeats;
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, nanoseconds));
    }
  }
  for (const [name, nanoseconds] of best) console.error(`chunked-body ${name}: ${nanoseconds.toFixed(0)} ns`);
}

if (import.meta.main) run(false);
